"""The public pages in a real Chromium: nothing blocked, nothing overflowing, all of it by keyboard."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from service.actions import subscribing
from service.actions.house import House
from service.mail.compose import link_token, unsubscribe_token
from service.model import UpdateStatus
from service.store import deliveries, subscribers
from service.store.credentials import Purpose
from service.web.application import build
from service.web.public.routes import ROUTES as PUBLIC_ROUTES
from tests.rooms import CONFIG, Clock, make_front, make_house
from tests.web.chromium import fits
from tests.web.outages import ECHO, ECHO_MONITOR, Outages
from tests.web.serving import served

pytestmark = pytest.mark.chromium

CHROMIUM = Path("/usr/bin/chromium")
NAME = "status.acme.example"
"""Resolved to us by the browser. Plain http to a name is no secure context, unlike 127.0.0.1: a browser then
sends no Sec-Fetch-Site, and says that it ignores Cross-Origin-Opener-Policy."""
ADDRESS = "grace@example.org"
LONG_WORD = "Donaudampfschifffahrtsgesellschaft" * 9
WIDE = f"`{'x' * 300}`\n\n```\n{'y' * 300}\n```\n\n| {' | '.join('abcdefghijklmnop')} |\n|{'---|' * 16}\n"
SIZES = {"phone": (360, 740), "desktop": (1280, 900)}


@dataclass(frozen=True, slots=True)
class Town:
    """A served house whose pages are hard to lay out."""

    house: House
    clock: Clock
    port: int

    @property
    def url(self) -> str:
        """Where a browser finds it."""
        return f"http://127.0.0.1:{self.port}"

    def links_of(self, email: str) -> tuple[str, str]:
        """Let an address ask for mails; gives the paths that confirm it and that let it leave."""
        subscribing.subscribe(self.house, email, self.clock())
        with self.house.store.transaction() as connection:
            lease = timedelta(hours=1)
            due = deliveries.claim_due(connection, self.clock(), urgent=True, lease=lease, limit=99)
            subscriber = subscribers.find_by_address(connection, email)
        assert subscriber is not None
        mail = next(one for one in due if one.recipient == email)
        token = link_token(self.house.key, mail.public_id, Purpose.CONFIRM)
        leaving = unsubscribe_token(self.house.key, subscriber.public_id)
        return f"/subscribe/confirm/{token}", f"/unsubscribe/{leaving}"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Start Debian's Chromium, or say how to get it."""
    if not CHROMIUM.exists():
        how = f"{CHROMIUM} is missing: apt-get install chromium"
        if os.environ.get("CI") == "true":
            pytest.fail(how)
        pytest.skip(how)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", f"--host-resolver-rules=MAP {NAME} 127.0.0.1"]
        )
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Serve a house with a bad day behind it and a worse one now."""
    clock = Clock()
    house = make_house(tmp_path_factory.mktemp("town"), CONFIG + ECHO_MONITOR)
    outages = Outages(house, clock)
    outages.close(outages.published())
    incident = outages.published(ECHO, subject=f"Trouble with {LONG_WORD}", message="Bad.")
    outages.tell(incident, WIDE + LONG_WORD, UpdateStatus.IDENTIFIED)
    with served(build(make_front(house, clock), PUBLIC_ROUTES)) as port:
        yield Town(house, clock, port)
    house.store.close()


@pytest.fixture(params=SIZES)
def sheet(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """Open an empty page of a phone's and of a desktop's size; what the browser complains of fails the test."""
    width, height = SIZES[request.param]
    context = chromium.new_context(viewport={"width": width, "height": height})
    page = context.new_page()
    page.set_default_timeout(10_000)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("requestfailed", lambda failed: complaints.append(f"{failed.failure}: {failed.url}"))
    yield page
    context.close()
    # what is still loading when a page is left is given up, and that is no fault
    known = "Cross-Origin-Opener-Policy", "net::ERR_ABORTED"
    assert [one for one in complaints if not any(word in one for word in known)] == []


@pytest.mark.parametrize("path", ["/", "/incidents/2", "/history", "/subscribe"])
def test_a_page_loads_whole_and_fits(path: str, sheet: Page, town: Town) -> None:
    answer = sheet.goto(town.url + path)
    assert answer is not None
    assert answer.status == 200
    assert fits(sheet)


def test_a_subscription_is_confirmed_and_ended_by_buttons(sheet: Page, town: Town) -> None:
    width = (sheet.viewport_size or {"width": 0})["width"]
    confirming, leaving = town.links_of(f"ada-{width}-{'a' * 50}@{'b' * 60}.example.org")
    # plain http to a name: our own forms must be known as ours without Sec-Fetch-Site
    for path, button, heading in (
        (confirming, "Yes, subscribe me", "You are subscribed"),
        (leaving, "Unsubscribe", "You are unsubscribed"),
    ):
        sheet.goto(f"http://{NAME}:{town.port}{path}")
        assert fits(sheet)
        sheet.get_by_role("button", name=button).click()
        sheet.get_by_role("heading", name=heading).wait_for()
        assert fits(sheet)


def test_the_form_is_reached_and_sent_by_keyboard(sheet: Page, town: Town) -> None:
    sheet.goto(town.url)
    reached: list[str] = []
    while "email" not in reached and len(reached) < 40:
        sheet.keyboard.press("Tab")
        reached.append(sheet.evaluate("document.activeElement.id"))
        assert sheet.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    assert "leave-this-empty" not in reached
    sheet.keyboard.type(ADDRESS)
    sheet.keyboard.press("Tab")
    assert sheet.evaluate("document.activeElement.textContent") == "Subscribe"
    sheet.keyboard.press("Enter")
    sheet.get_by_role("heading", name="Look into your mail").wait_for()


def test_whoever_opens_the_form_may_type_at_once(sheet: Page, town: Town) -> None:
    sheet.goto(f"{town.url}/subscribe")
    sheet.keyboard.type(ADDRESS)
    sheet.keyboard.press("Enter")
    sheet.get_by_role("heading", name="Look into your mail").wait_for()
