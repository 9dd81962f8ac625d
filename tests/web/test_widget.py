"""The banner and the frame in a real Chromium, on a page of another site."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from service.actions import maintaining
from service.web.application import build
from service.web.public.routes import ROUTES as PUBLIC_ROUTES
from service.workflow.maintenance import Plan
from tests.rooms import CONFIG, Clock, make_front, make_house
from tests.web.chromium import opened, started
from tests.web.outages import ECHO, ECHO_MONITOR, Outages
from tests.web.serving import served

HOUR = timedelta(hours=1)
LOOK_AGAIN = "document.dispatchEvent(new Event('visibilitychange'))"


@dataclass(frozen=True, slots=True)
class Abroad:
    """A page of another site that embeds what we offer."""

    outages: Outages
    sheet: Page

    def look_again(self) -> None:
        """Let the banner look, as it does each minute."""
        with self.sheet.expect_response("**/api/v2/summary.json"):
            self.sheet.evaluate(LOOK_AGAIN)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Start the browser once."""
    with started() as browser:
        yield browser


@pytest.fixture
def abroad(tmp_path: Path, chromium: Browser) -> Iterator[Abroad]:
    """Open a page of another origin, which allows nothing but our script and our answers."""
    clock = Clock()
    house = make_house(tmp_path, CONFIG + ECHO_MONITOR)
    with served(build(make_front(house, clock), PUBLIC_ROUTES)) as port:
        status = f"http://127.0.0.1:{port}"
        policy = f"default-src 'none'; img-src data:; script-src {status}; connect-src {status}; frame-src {status}"

        async def show(_request: Request) -> HTMLResponse:
            head = f'<link rel="icon" href="data:,"><script src="{status}/widget.js" defer></script>'
            body = f'<h1>A shop</h1><a href="#">Buy</a><iframe src="{status}/embed" title="Status"></iframe>'
            page = f'<!doctype html><html lang="en"><title>A shop</title>{head}{body}'
            return HTMLResponse(page, headers={"content-security-policy": policy})

        with served(Starlette(routes=[Route("/", show)])) as other, opened(chromium, 800, 600) as sheet:
            with sheet.expect_response("**/api/v2/summary.json"):
                sheet.goto(f"http://127.0.0.1:{other}/")
            yield Abroad(Outages(house, clock), sheet)
    house.store.close()


@pytest.mark.chromium
def test_the_banner_shows_during_an_incident_and_not_after(abroad: Abroad) -> None:
    banner = abroad.sheet.get_by_role("region", name="Acme Status")
    assert banner.count() == 0
    incident = abroad.outages.published()
    abroad.look_again()
    banner.wait_for()
    assert banner.get_by_role("status").inner_text() == "Investigating: Email is unavailable"
    link = banner.get_by_role("link", name="Email is unavailable")
    assert link.get_attribute("href") == "http://status.acme.example/incidents/1"
    abroad.outages.close(incident)
    abroad.look_again()
    banner.wait_for(state="detached")


@pytest.mark.chromium
def test_the_banner_shows_a_maintenance_only_while_it_is_on(abroad: Abroad) -> None:
    banner = abroad.sheet.get_by_role("region", name="Acme Status")
    house, clock = abroad.outages.house, abroad.outages.clock
    plan = Plan("Upgrade", "We upgrade.", ("API",), clock() + HOUR, clock() + 2 * HOUR)
    number = maintaining.plan(house, plan, house.config.employees["sam"], clock()).maintenance.id
    abroad.look_again()
    assert banner.count() == 0
    clock.move(HOUR)
    maintaining.fire_maintenance_timer(house, number, clock())
    abroad.look_again()
    banner.wait_for()
    assert banner.inner_text().startswith("Maintenance: Upgrade")


@pytest.mark.chromium
def test_whoever_dismisses_it_by_keyboard_is_told_only_of_the_next_one(abroad: Abroad) -> None:
    sheet, banner = abroad.sheet, abroad.sheet.get_by_role("region", name="Acme Status")
    abroad.outages.published()
    abroad.look_again()
    dismiss = banner.get_by_role("button", name="Dismiss")
    dismiss.wait_for()
    dismiss.focus()
    sheet.keyboard.press("Enter")
    banner.wait_for(state="detached")
    with sheet.expect_response("**/api/v2/summary.json"):
        sheet.reload()
    assert banner.count() == 0
    abroad.outages.published(ECHO, subject="Slow", message="x")
    abroad.look_again()
    banner.wait_for()
    assert banner.get_by_role("status").inner_text() == "Investigating: Slow"
    banner.get_by_role("link").focus()
    sheet.keyboard.press("Escape")
    banner.wait_for(state="detached")


@pytest.mark.chromium
def test_hostile_subjects_are_only_text(abroad: Abroad) -> None:
    subject = "<img src=x onerror=alert(1)> </script>&amp;"
    abroad.outages.published(ECHO, subject=subject, message="x")
    abroad.look_again()
    link = abroad.sheet.get_by_role("region", name="Acme Status").get_by_role("link")
    link.wait_for()
    assert link.inner_text() == subject


@pytest.mark.chromium
def test_a_look_that_finds_nothing_new_leaves_the_focus_alone(abroad: Abroad) -> None:
    abroad.outages.published()
    abroad.look_again()
    link = abroad.sheet.get_by_role("region", name="Acme Status").get_by_role("link")
    link.wait_for()
    link.focus()
    abroad.look_again()
    focused = "document.activeElement.shadowRoot.activeElement.textContent"
    assert abroad.sheet.evaluate(focused) == "Email is unavailable"


@pytest.mark.chromium
def test_the_frame_shows_how_the_whole_is(abroad: Abroad) -> None:
    abroad.outages.published()
    abroad.sheet.evaluate("document.querySelector('iframe').src += '?again'")  # past the browser's cache
    frame = abroad.sheet.frame_locator("iframe")
    frame.get_by_role("link", name="Major outage: Email").wait_for()
    frame.get_by_role("link", name="Email is unavailable").wait_for()
