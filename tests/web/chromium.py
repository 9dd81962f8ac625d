"""Debian's Chromium for tests, and pages in it that remember whatever it complained of.

It is the headless shell: the same engine without what belongs to windows, which takes half the time.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

from tests.web.by_keys import watch_hands

CHROMIUM = Path("/usr/bin/chromium-headless-shell")
NAME = "status.acme.example"
"""Resolved to this machine by the browser. Plain http to a name is no secure context, unlike 127.0.0.1: the
browser then sends no Sec-Fetch-Site."""
SCREENS = {"phone": (360, 740), "desktop": (1280, 900)}
"""Width and height in pixels."""


@contextmanager
def started() -> Iterator[Browser]:
    """Start the browser, or say how to get it."""
    if not CHROMIUM.exists():
        how = f"{CHROMIUM} is missing: apt-get install {CHROMIUM.name}"
        if os.environ.get("CI") == "true":
            pytest.fail(how)
        pytest.skip(how)
    arguments = ["--no-sandbox", f"--host-resolver-rules=MAP {NAME} 127.0.0.1"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


# a page that keeps itself new may be told late on a busy machine
expect.set_options(timeout=20_000)

REFUSED = "error: Failed to load resource: the server responded with a status of "


@contextmanager
def opened(
    browser: Browser,
    width: int,
    height: int,
    *,
    zone: str = "Europe/Berlin",
    locale: str = "en-GB",
    has_scripts: bool = True,
    refused_with: int | None = None,
    by_keys: bool = False,
) -> Iterator[Page]:
    """Open an empty page in a browser that was never anywhere; a complaint of it fails the test at the end.

    Its reader lives in a zone, by default that of the tests' site. `refused_with`: the status of an answer that is
    wanted, of which the browser complains. `by_keys`: it also complains of all that is not done with the keys.
    """
    size: ViewportSize = {"width": width, "height": height}
    context = browser.new_context(
        viewport=size, timezone_id=zone, locale=locale, java_script_enabled=has_scripts
    )
    page = context.new_page()
    page.set_default_timeout(10_000)
    complaints: list[str] = []
    if by_keys:
        watch_hands(page)
    page.on("console", lambda one: complaints.append(f"{one.type}: {one.text} ({one.location['url']})"))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("requestfailed", lambda failed: complaints.append(f"{failed.failure}: {failed.url}"))
    yield page
    context.close()
    # what is still loading when a page is left is given up, and that is no fault
    known = (
        "net::ERR_ABORTED",
        *([f"{REFUSED}{refused_with} "] if refused_with else []),
        # the frame of a mail lets no script in, and so not the one that watches the hands
        *(["error: Blocked script execution in "] if by_keys else []),
    )
    if meant := [one for one in complaints if not one.startswith(known)]:
        pytest.fail("\n".join(meant))


def fits(page: Page) -> bool:
    """Tell whether a page is styled and no wider than its window, once it is there whole."""
    page.wait_for_load_state("load")
    width = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    return bool(page.evaluate(f"{width} && document.styleSheets[0].cssRules.length > 50"))
