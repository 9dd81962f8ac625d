"""A served house in which something of everything happened, for tests with a real browser. Everybody may enter it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.sync_api import Browser, Page

from service.actions import api_tokens, logging_in, maintaining, subscriber_admin
from service.actions.api_tokens import Scope
from service.actions.house import House
from service.actions.logging_in import Arriving
from service.jobs import decide_what_is_due
from service.store import inbox_rows, subscribers
from service.store.inbox_rows import Arrival, Door
from service.web.application import build
from service.web.dashboard.monitor_words import slug_of
from service.web.login.letting_in import SESSION_COOKIE
from service.web.routes import all_routes
from service.workflow.maintenance import Plan
from tests.rooms import CONFIG, Clock, make_front, make_house
from tests.web.chromium import SCREENS, opened
from tests.web.employees import start_session
from tests.web.outages import ECHO, ECHO_MONITOR, Outages
from tests.web.serving import served

TEXT = CONFIG.replace("combine_alerts: true", "audience: [Partners]\n    combine_alerts: true") + ECHO_MONITOR
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
POSTS = (
    b'{monitorName: "Email Server", state: "CRITICAL", entityId: "mail-1"}',
    b'{monitorName: "Emial Server", state: "CRITICAL"}',
    b"{}",
)
MAIL = b"From: Sam Lee <sam@acme.example>\r\nTo: status@acme.example\r\nSubject: Re: x\r\n\r\npublish\r\n"
LIST = b"""\
Email,Components,Groups,Webhook URL
ada@reader.example,Email;Calendar,Partners;Gold,
grace.murray.hopper.of.the.navy.and.of.a.very.long.address@department.reader.example,,,
,API,Partners,https://hooks.slack.com/services/T0/B0/secret
"""
SOON, LATE = datetime(2026, 12, 1, 21, tzinfo=UTC), datetime(2026, 12, 1, 23, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Office:
    """The house and where it is served."""

    house: House
    clock: Clock
    url: str

    @property
    def outages(self) -> Outages:
        """What may go wrong."""
        return Outages(self.house, self.clock)

    @property
    def monitor(self) -> str:
        """The path of the mail server's monitor."""
        return f"/dashboard/monitors/{slug_of(self.house.config.monitors[0])}"

    def enter(self, page: Page, employee_id: str = "jordan") -> None:
        """Let a browser hold an employee's session."""
        cookie = {"name": SESSION_COOKIE, "value": f"session-of-{employee_id}", "url": self.url}
        page.context.add_cookies([cookie])  # type: ignore[list-item]  # a plain dictionary is one

    def plan(self, subject: str, starts_at: datetime = SOON) -> str:
        """Plan a maintenance; gives the path of its page."""
        wanted = Plan(subject, "Mail may be **slow**.", ("Email",), starts_at, starts_at + (LATE - SOON))
        planned = maintaining.plan(self.house, wanted, self.house.config.employees["jordan"], self.clock())
        return f"/dashboard/maintenance/{planned.maintenance.id}"


def live(office: Office) -> None:
    house, clock, jordan = office.house, office.clock, office.house.config.employees["jordan"]
    for whose in house.config.employees:
        start_session(house, clock, whose)
    for number, whose in enumerate(("jordan", "sam", "vera")):
        arriving = Arriving(f"elsewhere-{number}", FIREFOX if number else "")
        logging_in.log_in_by_provider(house, house.config.employees[whose].email, arriving, now=clock())
    for raw in POSTS:
        with house.store.transaction() as connection:
            inbox_rows.add_many(connection, [Arrival(Door.WEBHOOK, clock(), raw, "victorops")])
    with house.store.transaction() as connection:
        about = {"sender": "Sam Lee <sam@acme.example>"}
        inbox_rows.add_many(connection, [Arrival(Door.MAIL, clock(), MAIL, about=about)])
    decide_what_is_due(house, clock())
    subscriber_admin.import_file(house, LIST, jordan, clock(), have_agreed=True)
    gone = subscriber_admin.add_webhook(house, "https://gone.reader.example/hook", jordan, clock())
    with house.store.transaction() as connection:
        subscribers.suppress(connection, gone.id, clock(), "it answered 410 Gone: there is no such hook here")
    closed = office.outages.published(ECHO, subject="The past", message="It was so.")
    office.outages.close(closed)
    public = office.outages.published(ECHO, subject="Calendars do not open", message="We look into **it**.")
    office.outages.tell(public, "We found it.")
    office.plan("Database upgrade")
    office.plan("Exchange of a switch", clock() + timedelta(minutes=1))
    clock.move(timedelta(minutes=2))
    decide_what_is_due(house, clock())
    for name, ends in (("deploy", timedelta(days=30)), ("backup of the night", None), ("old", timedelta(1))):
        scopes = [Scope.INCIDENTS_READ, Scope.SUBSCRIBERS_WRITE, Scope.MAINTENANCE_WRITE]
        end = None if ends is None else clock() + ends
        api_tokens.create(house, name, scopes, jordan, clock(), expires_at=end)
    api_tokens.revoke(house, "old", jordan, clock())
    logging_in.note_refusal(
        house, "oidc", "eve@evil.example is no employee's address in config.yaml", clock()
    )


@contextmanager
def opened_office(folder: Path, text: str = TEXT) -> Iterator[Office]:
    """Serve the house of a config.yaml until the block ends."""
    clock = Clock()
    house = make_house(folder, text)
    house.config.path.write_text(text)
    application = build(make_front(house, clock), all_routes(with_sandbox=False))
    with served(application) as port:
        office = Office(house, clock, f"http://127.0.0.1:{port}")
        live(office)
        yield office
        application.state.public_pages.close()
    house.store.close()


@contextmanager
def sitting(
    chromium: Browser,
    office: Office,
    whose: str,
    screen: str = "desktop",
    *,
    has_scripts: bool = True,
    refused_with: int | None = None,
) -> Iterator[Page]:
    """Give an employee's browser; `refused_with`: who orders something too late, or what is not his to order."""
    with opened(chromium, *SCREENS[screen], has_scripts=has_scripts, refused_with=refused_with) as page:
        office.enter(page, whose)
        yield page
