"""The pages of monitors in a real Chromium: nothing for axe to find, on every screen, whatever they show."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from service.web.application import build
from service.web.dashboard.monitor_words import slug_of
from service.web.login.letting_in import SESSION_COOKIE
from service.web.public.routes import ROUTES as PUBLIC_ROUTES
from tests.rooms import CONFIG, Clock, make_front, make_house
from tests.web.employees import ALL_ROUTES, start_session
from tests.web.judging import judge_whole
from tests.web.keyboard import press, tab_to, write
from tests.web.outages import ECHO, ECHO_MONITOR, Outages
from tests.web.serving import served

pytestmark = pytest.mark.chromium

LONG = "Donaudampfschifffahrtsgesellschaft" * 9
FAULTY = CONFIG + ECHO_MONITOR.replace("combine_alerts: false", f"combine_alerts: {LONG}")


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


@pytest.fixture
def sheet(page: Page, town: tuple[str, str, str]) -> Page:
    """Let an employee be logged in."""
    page.context.add_cookies([{"name": SESSION_COOKIE, "value": town[2], "url": town[0]}])
    return page


@pytest.mark.parametrize("path", ["", "/{slug}", "/{slug}/preview"])
def test_nothing_is_wrong_with_any_page(path: str, sheet: Page, town: tuple[str, str, str]) -> None:
    url, monitor, _ = town
    answer = sheet.goto(path.replace("/{slug}", monitor) or f"{url}/dashboard/monitors")
    assert answer is not None
    assert answer.status == 200
    judge_whole(sheet)


@pytest.mark.orders("POST /dashboard/monitors/{slug}/simulate")
def test_a_simulation_is_asked_for_and_read(sheet: Page, town: tuple[str, str, str]) -> None:
    sheet.goto(town[1])
    write(sheet, "recovered_after", "30m")
    write(sheet, "publish_after", "3m")
    press(sheet, "Simulate")
    sheet.get_by_role("heading", name="What would happen").wait_for()
    tab_to(sheet, "Mail to subscriber@reader.example")
    sheet.keyboard.press("Enter")
    assert sheet.get_by_text("You get this mail because you subscribed").first.is_visible()
    judge_whole(sheet)


def test_the_preview_shows_the_mails_and_the_page_in_their_own_looks(
    sheet: Page, town: tuple[str, str, str]
) -> None:
    sheet.goto(f"{town[1]}/preview")
    employees, subscribers, page = (sheet.frame_locator("iframe").nth(number) for number in range(3))
    employees.get_by_text("INC-1 waits for your decision").first.wait_for()
    subscribers.get_by_text("We are looking into").first.wait_for()
    heading = page.get_by_role("heading", name="Email is unavailable", level=1)
    expect(heading).to_have_css("font-weight", "650")
