"""The employees' pages in a real Chromium: from the mailed link to publishing, with a keyboard, on a phone."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from playwright.sync_api import Browser, Page

from service.actions.house import House
from service.mail.compose import PostOffice
from service.mail.sandbox import Sandbox
from service.model import Incident, Phase, UpdateStatus
from service.outbox import Relay, send_due
from service.store import incidents
from service.web import sandbox_page
from service.web.application import build
from service.web.login.letting_in import SESSION_COOKIE
from service.web.public.routes import ROUTES as PUBLIC_ROUTES
from tests.rooms import CONFIG, OWN_ADDRESS, Clock, make_front, make_house
from tests.web.chromium import NAME, fits, opened, started, tab_to
from tests.web.employees import ALL_ROUTES, start_session
from tests.web.outages import ECHO, ECHO_MONITOR, Outages
from tests.web.serving import served

pytestmark = pytest.mark.chromium

PHONE = (360, 740)
SIZES = {"phone": PHONE, "desktop": (1280, 900)}
LONG_WORD = "Donaudampfschifffahrtsgesellschaft" * 9
WIDE = f"{LONG_WORD} `{'x' * 300}`\n\n```\n{'y' * 300}\n```\n\n| {' | '.join('abcdefghijklmnop')} |\n|{'---|' * 16}\n"


@dataclass(frozen=True, slots=True)
class Office:
    """A served house with a mail sandbox, under a name that browsers know."""

    house: House
    clock: Clock
    sandbox: Sandbox
    portal: BlockingPortal
    url: str

    def send_mails(self) -> None:
        """Let every mail go out that is due."""
        house = self.house
        office = PostOffice(house.config.site, "Acme Status", OWN_ADDRESS, house.instance_id, house.key)
        send = partial(send_due, house.store, office, Relay(self.sandbox.smtp), self.clock)
        while self.portal.call(send):
            pass

    def enter(self, page: Page, employee_id: str = "sam") -> None:
        """Let a browser hold an employee's session."""
        key = start_session(self.house, self.clock, employee_id)
        page.context.add_cookies([{"name": SESSION_COOKIE, "value": key, "url": self.url}])

    def now(self, incident: Incident) -> Incident:
        """Read how an incident stands."""
        with self.house.store.reading() as connection:
            found = incidents.get(connection, incident.id)
        assert found is not None
        return found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start Chromium."""
    with started() as chromium:
        yield chromium


@pytest.fixture
def office(tmp_path: Path, clock: Clock) -> Iterator[Office]:
    """Serve a house with its mail sandbox; links in mails lead to where it is served."""
    made = make_house(tmp_path, CONFIG + ECHO_MONITOR)
    with start_blocking_portal() as portal:
        sandbox = portal.call(partial(Sandbox.start, own_address=OWN_ADDRESS))
        routes = [*PUBLIC_ROUTES, *ALL_ROUTES, *sandbox_page.routes]
        application = build(make_front(made, clock, sandbox), routes)
        with served(application) as port:
            url = f"http://{NAME}:{port}"
            config = replace(made.config, site=replace(made.config.site, url=url))
            house = replace(made, config=config)
            application.state.front = make_front(house, clock, sandbox)
            yield Office(house, clock, sandbox, portal, url)
        portal.call(sandbox.stop)
    made.store.close()


@pytest.fixture
def outages(office: Office) -> Outages:
    """Give what may go wrong in the served house."""
    return Outages(office.house, office.clock)


def test_an_employee_logs_in_by_mail_and_publishes_with_the_keyboard_on_a_phone(
    browser: Browser, office: Office, outages: Outages
) -> None:
    incident = outages.fire()
    outages.wait(incident)
    with opened(browser, *PHONE) as page:
        page.goto(f"{office.url}/dashboard/incidents/{incident.id}")
        tab_to(page, "email")
        page.keyboard.type("sam@acme.example")
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Look in your mail").wait_for()
        assert fits(page)
        office.send_mails()
        tab_to(page, "Open the mail sandbox")
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Mail sandbox").wait_for()
        tab_to(page, "Log in to Acme Status")
        page.keyboard.press("Enter")
        mail = page.frame_locator("iframe")
        mail.get_by_role("link", name="Log in").first.wait_for()
        tab_to(page, "The mail, as HTML")
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Log in to Acme Status").wait_for()
        assert fits(page)
        page.keyboard.press("Enter")
        page.get_by_role("heading", name=incident.subject, level=1).wait_for()
        assert fits(page)
        tab_to(page, "Publish")
        page.keyboard.press("Enter")
        page.get_by_role("status").filter(has_text="INC-1 is published").wait_for()
        assert fits(page)
    published = office.now(incident)
    assert (published.phase, published.published_by) == (Phase.PUBLISHED, "sam")


def test_a_mail_is_answered_on_its_own_page(browser: Browser, office: Office, outages: Outages) -> None:
    outages.wait(outages.fire())
    office.send_mails()
    with opened(browser, *PHONE) as page:
        page.goto(f"{office.url}/sandbox/1")
        page.frame_locator("iframe").get_by_role("heading", name="INC-1 waits for your decision").wait_for()
        tab_to(page, "text")
        page.keyboard.type("publish")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.get_by_role("status").filter(has_text="Sent.").wait_for()


def test_a_mail_keeps_its_styles_and_its_links_open_in_the_whole_window(
    browser: Browser, office: Office
) -> None:
    html = b"<style>p { width: 77px }</style><p style='color: red'>Hello</p><a href='/history'>History</a>"
    raw = b"Subject: Hi\r\nContent-Type: text/html\r\n\r\n" + html
    office.portal.call(office.sandbox.put, "a@x.example", "b@x.example", raw)
    with opened(browser, *PHONE) as page:  # which would complain of a style that is not let in
        page.goto(f"{office.url}/sandbox/1")
        page.frame_locator("iframe").get_by_text("Hello").wait_for()
        tab_to(page, "The mail, as HTML")  # and so to the first link in it
        page.keyboard.press("Enter")
        page.wait_for_url("**/history")


@pytest.mark.parametrize("size", SIZES)
def test_every_page_loads_whole_and_fits_whatever_it_shows(
    size: str, browser: Browser, office: Office, outages: Outages
) -> None:
    outages.close(outages.published(ECHO, subject="Over", message=WIDE))
    public = outages.published(ECHO, subject=f"Trouble with {LONG_WORD}", message=WIDE)
    outages.tell(public, WIDE, UpdateStatus.IDENTIFIED)
    outages.discard(outages.fire(ECHO, subject=LONG_WORD, message=WIDE))
    outages.fire(ECHO, subject=LONG_WORD, message=WIDE)
    outages.fire()
    with opened(browser, *SIZES[size]) as page:
        office.enter(page, "jordan")
        office.send_mails()
        paths = ["/dashboard", "/dashboard?before=3", "/dashboard/inbox", "/dashboard/inbox/1"]
        paths += [f"/dashboard/incidents/{number}" for number in range(1, 6)]
        paths += ["/sandbox", "/sandbox/1", f"/sandbox/{len(office.sandbox.mails)}"]
        for path in paths:
            answer = page.goto(office.url + path)
            assert answer is not None
            assert (path, answer.status, fits(page)) == (path, 200, True)
            for closed in page.locator("summary:visible").all():
                closed.click()
            assert (path, fits(page)) == (path, True)


def test_an_update_is_posted_and_an_empty_one_is_not(
    browser: Browser, office: Office, outages: Outages
) -> None:
    incident = outages.published()
    with opened(browser, *PHONE) as page:
        office.enter(page)
        page.goto(f"{office.url}/dashboard/incidents/{incident.id}")
        page.get_by_role("button", name="Post the update").click()
        assert page.evaluate("document.activeElement.id") == "text"  # the browser asks for a text
        page.get_by_label("Status", exact=True).select_option("monitoring")
        page.get_by_label("get to read").fill("It works **again**.")
        page.get_by_role("button", name="Post the update").click()
        page.get_by_role("status").filter(has_text="The update of INC-1 is posted").wait_for()
        assert page.locator("strong", has_text="again").is_visible()


def test_logging_out_ends_at_the_login(browser: Browser, office: Office) -> None:
    with opened(browser, *PHONE) as page:
        office.enter(page)
        page.goto(f"{office.url}/dashboard")
        tab_to(page, "Menu")
        page.keyboard.press("Enter")
        tab_to(page, "Log out")
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Log in").wait_for()
        page.goto(f"{office.url}/dashboard")
        page.get_by_role("heading", name="Log in").wait_for()
