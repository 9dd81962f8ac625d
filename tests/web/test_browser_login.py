"""Logging in and out in a real Chromium: by the mailed link and at a real provider, by keyboard, on each screen."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx2
import pytest
from playwright.sync_api import Browser, Page

from service.actions import logging_in
from service.actions.logging_in import Arriving
from service.web.application import build
from service.web.login.oidc_provider import Provider
from tests.rooms import CONFIG, Clock, make_front, make_house
from tests.web.chromium import SCREENS, opened
from tests.web.employees import ALL_ROUTES, login_links
from tests.web.judging import judge, judge_whole
from tests.web.keyboard import enter, press, tab_to, told, write
from tests.web.office import Office
from tests.web.oidc.real_provider import running_provider
from tests.web.serving import served

pytestmark = pytest.mark.chromium


@dataclass(frozen=True, slots=True)
class Entrance:
    """A served house whose employees may log in at a provider."""

    url: str
    issuer: str

    def know(self, sub: str, email: str) -> None:
        """Let the provider know somebody."""
        claims = {"email": email, "email_verified": True}
        httpx2.put(f"{self.issuer}/users/{sub}", json=claims).raise_for_status()

    def log_in_at_provider(self, page: Page, sub: str) -> None:
        """Go to the provider by the button, and say there who one is."""
        # nothing is loaded from other machines, as the provider's page would
        page.route(lambda url: "//127.0.0.1:" not in url, lambda route: route.fulfill(body=""))
        page.goto(f"{self.url}/dashboard/inbox")
        judge_whole(page)
        press(page, "Log in with Acme SSO")
        page.get_by_role("heading", name="Authorize Client").wait_for()
        page.keyboard.type(sub)
        enter(page)


@pytest.fixture(scope="module")
def entrance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Entrance]:
    """Serve it, and the provider; their clocks have to agree."""
    clock = Clock(datetime.now(UTC))
    with running_provider() as issuer:
        oidc = f"{{name: Acme SSO, issuer: '{issuer}', client_id: replycast, client_secret: s}}"
        house = make_house(tmp_path_factory.mktemp("entrance"), f"{CONFIG}login: {{oidc: {oidc}}}\n")
        application = build(make_front(house, clock), ALL_ROUTES)
        with served(application) as port:
            url, login = f"http://127.0.0.1:{port}", house.config.login.oidc
            assert login is not None
            application.state.oidc = Provider(login, url)
            yield Entrance(url, issuer)
            application.state.public_pages.close()
        house.store.close()


def test_an_employee_logs_in_at_the_provider_and_is_where_she_wanted_to_be(
    page: Page, entrance: Entrance
) -> None:
    entrance.know("4711", "vera@acme.example")
    entrance.log_in_at_provider(page, "4711")
    page.get_by_role("heading", name="Inbox", level=1).wait_for()
    assert page.url == f"{entrance.url}/dashboard/inbox"
    judge(page)


def test_whom_the_provider_knows_and_the_house_does_not_is_told_so(
    chromium: Browser, entrance: Entrance, screen: str
) -> None:
    entrance.know("815", "eve@evil.example")
    with opened(chromium, *SCREENS[screen], refused_with=403) as page:
        entrance.log_in_at_provider(page, "815")
        page.get_by_role("alert").filter(has_text="eve@evil.example is no employee's address").wait_for()
        judge_whole(page)


@pytest.mark.orders("POST /login", "POST /login/{token}", "POST /logout")
def test_an_employee_logs_in_by_the_mailed_link_and_leaves(page: Page, office: Office) -> None:
    page.goto(f"{office.url}/dashboard/maintenance")
    write(page, "email", "vera@acme.example")
    enter(page)
    page.get_by_role("heading", name="Look in your mail").wait_for()
    judge(page)
    page.goto(office.url + login_links(office.house)[-1])
    page.get_by_role("heading", name="Log in to Acme Status").wait_for()
    enter(page)
    page.get_by_role("heading", name="Maintenance", level=1).wait_for()
    judge(page)
    if page.get_by_text("Menu", exact=True).is_visible():
        tab_to(page, "Menu")
        page.keyboard.press("Enter")
    press(page, "Log out")
    page.get_by_role("heading", name="Log in", level=1).wait_for()
    page.goto(f"{office.url}/dashboard")
    page.get_by_role("heading", name="Log in", level=1).wait_for()


@pytest.mark.parametrize("link", ["used", "made-up"])
def test_a_link_that_does_not_work_says_why_and_offers_another(
    link: str, chromium: Browser, office: Office, screen: str
) -> None:
    used = login_links(office.house)[0]  # by which somebody entered when the office was opened
    with opened(chromium, *SCREENS[screen], refused_with=410) as page:
        page.goto(office.url + (used if link == "used" else "/login/made-up"))
        enter(page)
        page.get_by_role("alert").filter(has_text="link").wait_for()
        judge_whole(page)
        tab_to(page, "email")


@pytest.mark.orders("POST /dashboard/sessions/others/revoke")
def test_all_browsers_but_this_one_are_logged_out(page: Page, office: Office, screen: str) -> None:
    email = office.house.config.employees["vera"].email
    for number in range(2):
        arriving = Arriving(f"forgotten-{screen}-{number}", "Firefox")
        logging_in.log_in_by_provider(office.house, email, arriving, now=office.clock())
    office.enter(page, "vera")
    page.goto(f"{office.url}/dashboard/sessions")
    press(page, "Log out all others")
    told(page, "All your other browsers are logged out.")
    assert page.get_by_role("main").get_by_role("listitem").count() == 1
    key = f"forgotten-{screen}-0"
    assert logging_in.find_session(office.house, key, office.clock()) is None
