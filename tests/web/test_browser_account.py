"""Log-in, sessions, audit and inbox in a real Chromium: fit for everybody, on a phone and on a desk, light and dark."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from service.actions import logging_in, subscriber_admin
from service.actions.house import House
from service.actions.logging_in import Arriving
from service.jobs import decide_what_is_due
from service.store import inbox_rows
from service.store.inbox_rows import Arrival, Door
from service.web.application import build
from service.web.login.letting_in import SESSION_COOKIE
from tests.rooms import CONFIG, Clock, make_front, make_house
from tests.web.chromium import fits, opened, started
from tests.web.employees import ALL_ROUTES, start_session
from tests.web.serving import served
from tests.web.test_browser_status import SCREENS, WCAG

pytestmark = pytest.mark.chromium

OIDC = "login: {oidc: {name: Acme SSO, issuer: 'https://login.acme.example', client_id: replycast}}\n"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
POSTS = (
    b'{monitorName: "Email Server", state: "CRITICAL", entityId: "mail-1"}',
    b'{monitorName: "Emial Server", state: "CRITICAL"}',
    b"{}",
)
MAIL = b"From: Sam Lee <sam@acme.example>\r\nTo: status@acme.example\r\nSubject: Re: x\r\n\r\npublish\r\n"
PATHS = [
    "/dashboard/sessions?all",
    "/dashboard/audit",
    "/dashboard/inbox?q=server&state=refused",
    "/dashboard/inbox/2",
    "/dashboard/inbox/4",
]


def live_a_little(house: House, clock: Clock) -> None:
    """Let things arrive, and people log in and do this and that."""
    employees = house.config.employees
    for number, whose in enumerate(("jordan", "jordan", "sam", "vera")):
        arriving = Arriving(f"key-{number}", FIREFOX if number else "")
        logging_in.log_in_by_provider(house, employees[whose].email, arriving, now=clock())
    for raw in POSTS:
        with house.store.transaction() as connection:
            inbox_rows.add_many(connection, [Arrival(Door.WEBHOOK, clock(), raw, "victorops")])
    with house.store.transaction() as connection:
        about = {"sender": "Sam Lee <sam@acme.example>"}
        inbox_rows.add_many(connection, [Arrival(Door.MAIL, clock(), MAIL, about=about)])
    decide_what_is_due(house, clock())
    subscriber_admin.import_file(
        house, b"Email\nada@reader.example\n", employees["jordan"], clock(), have_agreed=True
    )
    subscriber_admin.remove(house, 1, employees["jordan"], clock())
    logging_in.note_refusal(
        house, "oidc", "eve@evil.example is no employee's address in config.yaml", clock()
    )


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Start Debian's Chromium."""
    with started() as browser:
        yield browser


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Serve a house; gives its address and the key of an admin's session."""
    clock = Clock()
    house = make_house(tmp_path_factory.mktemp("account"), CONFIG + OIDC)
    live_a_little(house, clock)
    key = start_session(house, clock, "jordan")
    application = build(make_front(house, clock), ALL_ROUTES)
    with served(application) as port:
        yield f"http://127.0.0.1:{port}", key
        application.state.public_pages.close()
    house.store.close()


@pytest.fixture(params=SCREENS)
def sheet(chromium: Browser, office: tuple[str, str], request: pytest.FixtureRequest) -> Iterator[Page]:
    """Open an empty page of an admin; what the browser complains of fails the test."""
    with opened(chromium, *SCREENS[request.param]) as page:
        page.context.add_cookies([{"name": SESSION_COOKIE, "value": office[1], "url": office[0]}])
        yield page


@pytest.mark.parametrize("path", PATHS)
def test_axe_finds_nothing_in_light_and_dark(path: str, sheet: Page, office: tuple[str, str]) -> None:
    sheet.goto(office[0] + path)
    _judge(sheet)
    sheet.emulate_media(color_scheme="dark")
    _judge(sheet)


def test_the_ways_to_log_in_are_fit_for_everybody(sheet: Page, office: tuple[str, str]) -> None:
    sheet.context.clear_cookies()
    sheet.goto(f"{office[0]}/login?next=/dashboard/inbox")
    assert sheet.get_by_role("link", name="Log in with Acme SSO").is_visible()
    _judge(sheet)


def test_a_post_is_replayed_dry_and_a_browser_logged_out_by_their_buttons(
    sheet: Page, office: tuple[str, str]
) -> None:
    sheet.goto(f"{office[0]}/dashboard/inbox/1")
    sheet.get_by_role("button", name="Replay dry").click()
    sheet.get_by_role("heading", name="What would happen").wait_for()
    _judge(sheet)
    menu = sheet.get_by_text("Menu", exact=True)
    if menu.is_visible():
        menu.click()
    sheet.get_by_role("link", name="Sessions").click()
    before = sheet.get_by_role("button", name="Log out Jordan Ray's").count()
    sheet.get_by_role("button", name="Log out Jordan Ray's").first.click()
    sheet.get_by_text("That browser is logged out.").wait_for()
    assert sheet.get_by_role("button", name="Log out Jordan Ray's").count() == before - 1


def _judge(sheet: Page) -> None:
    assert fits(sheet)
    results = Axe().run(sheet, options=WCAG)
    assert results.violations_count == 0, results.generate_report()
