"""The employees' rooms in a real Chromium: nothing for axe to find, on a desk and a phone, in light and dark."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from service.web.dashboard import routes as dashboard
from tests.web.chromium import fits, opened, started
from tests.web.employees import login_links
from tests.web.every_page import ENDLESS, WHOLE_LISTS, Known, asked_at, paths_of
from tests.web.office import Office, opened_office
from tests.web.test_browser_status import SCREENS, WCAG

pytestmark = pytest.mark.chromium

EVERY = sorted(
    path
    for path in paths_of(dashboard.ROUTES)
    if path not in ENDLESS | WHOLE_LISTS and "/preview/" not in path  # a preview is framed as what it shows
)
"""Each page of the employees as it is when nothing is looked for, read off the table of routes."""
ROOMS = {
    "subscribers found": "/dashboard/subscribers?q=reader&state=suppressed",
    "a webhook": "/dashboard/subscribers/4",
    "work that is on": "/dashboard/maintenance/2",
    "opening from a template": "/dashboard/open?monitor=victorops:Email%20Server",
    "editing what is closed": "/dashboard/incidents/1/words",
    "correcting what is closed": "/dashboard/incidents/2",
    "audit of one": "/dashboard/audit?by=jordan&act=token_created",
}
"""Besides, what some of them look like otherwise."""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Start Debian's Chromium."""
    with started() as browser:
        yield browser


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """Serve a house with something of everything in it."""
    with opened_office(tmp_path_factory.mktemp("office")) as served:
        yield served


@pytest.fixture(params=SCREENS)
def sheet(chromium: Browser, office: Office, request: pytest.FixtureRequest) -> Iterator[Page]:
    """Open an empty page of an admin; whatever the browser complains of, its policy included, fails the test."""
    with opened(chromium, *SCREENS[request.param]) as page:
        office.enter(page)
        yield page


def judge(page: Page) -> None:
    """Open what is folded, and let axe look for faults in light and in dark."""
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        assert fits(page)
        results = Axe().run(page, options=WCAG)
        assert results.violations_count == 0, f"{scheme}: {results.generate_report()}"


@pytest.mark.parametrize("path", EVERY)
def test_nothing_is_wrong_with_any_page(path: str, sheet: Page, office: Office) -> None:
    known = Known(office.house.config, incident=3, maintenance=1, arrival=1, subscriber=1, tokens={})
    answer = sheet.goto(office.url + asked_at(path, known))
    assert answer is not None
    assert answer.status == 200
    judge(sheet)


@pytest.mark.parametrize("room", ROOMS)
def test_nothing_is_wrong_with_any_room(room: str, sheet: Page, office: Office) -> None:
    answer = sheet.goto(office.url + ROOMS[room])
    assert answer is not None
    assert answer.status == 200
    judge(sheet)


def test_nothing_is_wrong_with_logging_in(sheet: Page, office: Office) -> None:
    sheet.context.clear_cookies()
    sheet.goto(f"{office.url}/login?next=/dashboard/inbox")
    judge(sheet)
    sheet.goto(office.url + login_links(office.house)[-1])
    judge(sheet)


def test_nothing_is_wrong_with_a_refusal(sheet: Page, office: Office) -> None:
    office.enter(sheet, "sam")
    sheet.goto(f"{office.url}/dashboard")
    page_menu = sheet.get_by_text("Menu", exact=True)
    if page_menu.is_visible():
        page_menu.click()
    names = {link.inner_text() for link in sheet.get_by_role("navigation").get_by_role("link").all()}
    assert {"Incidents", "Sessions"} <= names
    assert names.isdisjoint({"Subscribers", "Tokens", "Audit"}), "nobody is led to where he may not go"
    judge(sheet)


def test_the_menu_of_a_phone_opens_by_keyboard_and_without_scripts(chromium: Browser, office: Office) -> None:
    context = chromium.new_context(viewport={"width": 360, "height": 740}, java_script_enabled=False)
    page = context.new_page()
    office.enter(page)
    page.goto(f"{office.url}/dashboard")
    links = page.get_by_role("navigation").get_by_role("link")
    assert links.count() == 0, "it takes one row until it is asked for"
    page.locator(".menu > summary").focus()
    page.keyboard.press("Enter")
    links.filter(has_text="Audit").wait_for()
    heights = [box["height"] for link in links.all() if (box := link.bounding_box())]
    assert len(heights) > 9
    assert min(heights) >= 44, "each is large enough for a thumb"
    links.filter(has_text="Audit").click()
    page.get_by_role("heading", name="Audit", level=1).wait_for()
    context.close()
