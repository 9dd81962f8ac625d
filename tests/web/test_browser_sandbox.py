"""The mail sandbox in a real Chromium: from the mailed link to publishing, with a keyboard; and texts of any width."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from playwright.sync_api import Browser, Page, expect

from service.actions.house import House
from service.mail.compose import PostOffice
from service.mail.sandbox import Sandbox
from service.model import Incident, Phase, UpdateStatus
from service.outbox import Relay
from service.store import incidents
from service.web import sandbox_page
from service.web.application import build
from service.web.login.letting_in import SESSION_COOKIE
from service.web.public.routes import ROUTES as PUBLIC_ROUTES
from service.web.sandbox_page import read_mail
from tests.outbox.relays import send_due
from tests.rooms import CONFIG, OWN_ADDRESS, Clock, make_front, make_house
from tests.web.chromium import NAME, fits, opened
from tests.web.employees import ALL_ROUTES, start_session
from tests.web.judging import judge
from tests.web.keyboard import enter, press, tab_to, told, write
from tests.web.outages import ECHO, ECHO_MONITOR, Outages
from tests.web.serving import served

pytestmark = pytest.mark.chromium

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
    session: str
    """The key of an admin's."""

    def send_mails(self) -> None:
        """Let every mail go out that is due."""
        house = self.house
        office = PostOffice(house.config.site, "Acme Status", OWN_ADDRESS, house.instance_id, house.key)
        send = partial(send_due, house.store, office, Relay(self.sandbox.smtp), self.clock)
        while self.portal.call(send):
            pass

    def enter(self, page: Page) -> None:
        """Let a browser hold an admin's session."""
        page.context.add_cookies([{"name": SESSION_COOKIE, "value": self.session, "url": self.url}])

    def now(self, incident: Incident) -> Incident:
        """Read how an incident stands."""
        with self.house.store.reading() as connection:
            found = incidents.get(connection, incident.id)
        assert found is not None
        return found


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """Serve a house with its mail sandbox; links in mails lead to where it is served."""
    clock = Clock()
    made = make_house(tmp_path_factory.mktemp("sandbox"), CONFIG + ECHO_MONITOR)
    with start_blocking_portal() as portal:
        sandbox = portal.call(partial(Sandbox.start, own_address=OWN_ADDRESS))
        routes = [*PUBLIC_ROUTES, *ALL_ROUTES, *sandbox_page.routes]
        application = build(make_front(made, clock, sandbox), routes)
        with served(application) as port:
            url = f"http://{NAME}:{port}"
            config = replace(made.config, site=replace(made.config.site, url=url))
            house = replace(made, config=config)
            application.state.front = make_front(house, clock, sandbox)
            yield Office(house, clock, sandbox, portal, url, start_session(house, clock, "jordan"))
        portal.call(sandbox.stop)
    made.store.close()


@pytest.fixture
def outages(office: Office) -> Outages:
    """Give what may go wrong in the served house."""
    return Outages(office.house, office.clock)


@pytest.mark.orders("POST /login", "POST /login/{token}", "POST /dashboard/incidents/{id}/publish")
def test_an_employee_logs_in_by_mail_and_publishes(page: Page, office: Office, outages: Outages) -> None:
    incident = outages.fire(ECHO, subject="Calendars do not open", message="We look into **it**.")
    page.goto(f"{office.url}/dashboard/incidents/{incident.id}")
    write(page, "email", "sam@acme.example")
    enter(page)
    page.get_by_role("heading", name="Look in your mail").wait_for()
    judge(page)
    office.send_mails()
    press(page, "Open the mail sandbox")
    page.get_by_role("heading", name="Mail sandbox").wait_for()
    judge(page)
    press(page, "Log in to Acme Status")
    link = page.frame_locator("iframe").get_by_role("link", name="Log in").first
    link.wait_for()
    tab_to(page, "The mail, as HTML")  # and so its first link
    expect(link).to_be_focused()
    enter(page)
    page.get_by_role("heading", name="Log in to Acme Status").wait_for()
    judge(page)
    enter(page)
    page.get_by_role("heading", name=incident.subject, level=1).wait_for()
    judge(page)
    press(page, "Publish")
    told(page, f"{incident.tag} is published")
    published = office.now(incident)
    assert (published.phase, published.published_by) == (Phase.PUBLISHED, "sam")


def test_on_a_desk_all_pages_of_an_admin_stand_in_one_row_with_the_name_of_the_site(
    chromium: Browser, office: Office
) -> None:
    with opened(chromium, 1280, 800) as page:
        office.enter(page)
        page.goto(f"{office.url}/dashboard")
        pages = page.get_by_role("navigation", name="Pages for employees").get_by_role("link")
        expect(pages.filter(has_text="Sandbox")).to_be_visible()
        others = page.get_by_role("button", name="Log out"), page.get_by_role("link", name="Acme Status")
        assert len({box["y"] for one in (*pages.all(), *others) if (box := one.bounding_box())}) == 1


@pytest.mark.orders("POST /sandbox/{number}/reply")
def test_a_mail_is_answered_on_its_own_page(page: Page, office: Office, outages: Outages) -> None:
    incident = outages.fire(ECHO, subject="Rooms cannot be booked", message="We look into **it**.")
    office.send_mails()
    number = next(one.number for one in office.sandbox.mails if incident.tag in read_mail(one).subject)
    page.goto(f"{office.url}/sandbox/{number}")
    heading = f"{incident.tag} waits for your decision"
    page.frame_locator("iframe").get_by_role("heading", name=heading).wait_for()
    judge(page)
    tab_to(page, "text")
    page.keyboard.type("publish")
    page.keyboard.press("Tab")
    enter(page)
    told(page, "Sent.")


def test_a_mail_keeps_its_styles_and_its_links_open_in_the_whole_window(page: Page, office: Office) -> None:
    html = b"<style>p { width: 77px }</style><p style='color: red'>Hello</p><a href='/history'>History</a>"
    raw = b"Subject: Hi\r\nContent-Type: text/html\r\n\r\n" + html
    office.portal.call(office.sandbox.put, "a@x.example", "b@x.example", raw)
    # the browser would complain of a style that is not let in
    page.goto(f"{office.url}/sandbox/{len(office.sandbox.mails)}")
    page.frame_locator("iframe").get_by_text("Hello").wait_for()
    tab_to(page, "The mail, as HTML")  # and so to the first link in it
    page.keyboard.press("Enter")
    page.wait_for_url("**/history")


def test_every_page_loads_whole_and_fits_whatever_it_shows(
    page: Page, office: Office, outages: Outages
) -> None:
    outages.close(outages.published(ECHO, subject="Over", message=WIDE))
    public = outages.published(ECHO, subject=f"Trouble with {LONG_WORD}", message=WIDE)
    outages.tell(public, WIDE, UpdateStatus.IDENTIFIED)
    outages.discard(outages.fire(ECHO, subject=LONG_WORD, message=WIDE))
    last = outages.fire(ECHO, subject=LONG_WORD, message=WIDE)
    office.enter(page)
    office.send_mails()
    paths = ["/dashboard", f"/dashboard?before={last.id}", "/dashboard/inbox", "/dashboard/inbox/1"]
    paths += [f"/dashboard/incidents/{number}" for number in range(last.id - 3, last.id + 1)]
    paths += ["/sandbox", f"/sandbox/{len(office.sandbox.mails)}"]
    for path in paths:
        answer = page.goto(office.url + path)
        assert answer is not None
        assert (path, answer.status, fits(page)) == (path, 200, True)
        for closed in page.locator("summary:visible").all():
            closed.click()
        assert (path, fits(page)) == (path, True)
