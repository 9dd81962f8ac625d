"""The pages of monitors in a real Chromium: nothing for axe to find, on every screen, whatever they show."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from service.web.application import build
from service.web.dashboard.monitor_words import slug_of
from service.web.login.letting_in import SESSION_COOKIE
from service.web.public.routes import ROUTES as PUBLIC_ROUTES
from tests.rooms import CONFIG, Clock, make_front, make_house
from tests.web.chromium import fits, opened, started
from tests.web.employees import ALL_ROUTES, start_session
from tests.web.outages import ECHO, ECHO_MONITOR, Outages
from tests.web.serving import served

pytestmark = pytest.mark.chromium

WCAG = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}
SCREENS = {"phone": (360, 740), "desktop": (1280, 900)}
LONG = "Donaudampfschifffahrtsgesellschaft" * 9
FAULTY = CONFIG + ECHO_MONITOR.replace("combine_alerts: false", f"combine_alerts: {LONG}")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Start Debian's Chromium."""
    with started() as browser:
        yield browser


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str, str]]:
    """Serve a house whose monitors have fired; gives its address, the mail server's page, and a session."""
    clock = Clock()
    house = make_house(tmp_path_factory.mktemp("town"), CONFIG + ECHO_MONITOR)
    house.config.path.write_text(FAULTY)
    outages = Outages(house, clock)
    for _ in range(6):
        outages.wait(outages.fire())
        outages.recover()
        outages.fire(ECHO, subject=LONG, message=LONG)
        outages.fire("Email Sever")
        outages.fire(LONG)
        clock.move(timedelta(days=1))
    session = start_session(house, clock, "vera")
    application = build(make_front(house, clock), [*PUBLIC_ROUTES, *ALL_ROUTES])
    with served(application) as port:
        url = f"http://127.0.0.1:{port}"
        yield url, f"{url}/dashboard/monitors/{slug_of(house.config.monitors[0])}", session
        application.state.public_pages.close()
    house.store.close()


@pytest.fixture(params=SCREENS)
def sheet(chromium: Browser, request: pytest.FixtureRequest, town: tuple[str, str, str]) -> Iterator[Page]:
    """Open an employee's browser; what it complains of, the content security policy included, fails the test."""
    with opened(chromium, *SCREENS[request.param]) as page:
        page.context.add_cookies([{"name": SESSION_COOKIE, "value": town[2], "url": town[0]}])
        yield page


def examine(page: Page) -> None:
    """Open what is folded, and let axe look for faults."""
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert fits(page)
    results = Axe().run(page, options=WCAG)
    assert results.violations_count == 0, results.generate_report()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_any_page(scheme: str, sheet: Page, town: tuple[str, str, str]) -> None:
    sheet.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    url, monitor, _ = town
    for path in (f"{url}/dashboard/monitors", monitor, f"{monitor}/preview"):
        answer = sheet.goto(path)
        assert answer is not None
        assert answer.status == 200
        examine(sheet)


def test_a_simulation_is_asked_for_and_read(sheet: Page, town: tuple[str, str, str]) -> None:
    sheet.goto(town[1])
    sheet.get_by_label("It recovers after").fill("30m")
    sheet.get_by_label("Asked employees publish after").fill("3m")
    sheet.get_by_role("button", name="Simulate").click()
    sheet.get_by_role("heading", name="What would happen").wait_for()
    sheet.get_by_text("Mail to subscriber@reader.example").first.click()
    assert sheet.get_by_text("You get this mail because you subscribed").first.is_visible()
    examine(sheet)


def test_the_preview_shows_the_mails_and_the_page_in_their_own_looks(
    sheet: Page, town: tuple[str, str, str]
) -> None:
    sheet.goto(f"{town[1]}/preview")
    employees, subscribers, page = (sheet.frame_locator("iframe").nth(number) for number in range(3))
    employees.get_by_text("INC-1 waits for your decision").first.wait_for()
    subscribers.get_by_text("We are looking into").first.wait_for()
    heading = page.get_by_role("heading", name="Email is unavailable", level=1)
    expect(heading).to_have_css("font-weight", "650")
