"""A status page with a life behind it, and pictures of it for the documentation.

Run it as `python -m tests.web.showcase [FOLDER]`; without a folder the pictures go to docs/pictures/.
"""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from service.actions import maintaining
from service.actions.house import House
from service.actions.recording_states import record_at_start
from service.model import UpdateStatus
from service.web.application import build
from service.web.public.routes import ROUTES as PUBLIC_ROUTES
from service.workflow.maintenance import Plan
from tests.rooms import Clock, make_front, make_house
from tests.web.chromium import started
from tests.web.outages import Outages
from tests.web.serving import served

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
NOW = datetime(2026, 11, 24, 13, 40, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)

_MONITOR = """\
  - provider: victorops
    alert_name: {name}
    authored_by: jordan
    type: {type}
    affected_components: {{{component}: {state}}}
    subject: "{{{{ alert.fields.subject }}}}"
    message: "{{{{ alert.fields.message }}}}"
    notify_employees: [jordan]
    combine_alerts: false
    auto_close: false
"""
CONFIG = """\
site: {name: Acme Status, url: "http://status.acme.example", timezone: Europe/Berlin, hide_authors: true}
employees:
  - {id: jordan, name: Jordan Ray, email: jordan@acme.example, role: admin}
  - {id: sam, name: Sam Lee, email: sam@acme.example, role: publisher}
components:
  - {name: Email, group: Office, description: Sending and receiving mail}
  - {name: Calendar, group: Office, description: Meetings and rooms}
  - {name: Files, group: Office, description: Documents and sharing}
  - {name: API, group: Platform, description: Everything that programs call}
  - {name: Website, group: Platform}
  - {name: Sign-in, group: Platform, description: Single sign-on and passwords}
monitors:
""" + "".join(
    _MONITOR.format(name=name, type=kind, component=component, state=state)
    for name, kind, component, state in (
        ("Mail down", "service_unavailable", "Email", "major_outage"),
        ("Mail slow", "performance", "Email", "degraded_performance"),
        ("API errors", "service_unavailable", "API", "partial_outage"),
        ("API slow", "performance", "API", "degraded_performance"),
        ("Files partly", "service_unavailable", "Files", "partial_outage"),
        ("Sign-in down", "service_unavailable", "Sign-in", "major_outage"),
    )
)


def live_through(house: House, clock: Clock) -> None:
    """Let ninety days pass, with what goes wrong in a real company, up to an outage that is going on."""
    outages = Outages(house, clock)
    clock.now = NOW - 95 * DAY
    with house.store.transaction() as connection:
        record_at_start(connection, house.config, clock.now)
    for days_ago, hours, name, subject in (
        (81.2, 3.5, "API slow", "Slow answers of the API"),
        (66.4, 1.2, "Mail slow", "Mail arrives late"),
        (47.1, 5.1, "Files partly", "Some shared folders cannot be opened"),
        (38.8, 0.7, "Sign-in down", "Nobody can sign in"),
        (21.3, 2.2, "API errors", "Errors for a part of all calls"),
        (9.2, 1.4, "Mail slow", "Mail arrives late"),
        (4.35, 0.8, "Files partly", "Uploads fail for some customers"),
    ):
        clock.now = NOW - days_ago * DAY
        incident = outages.published(name, subject=subject, message="We are looking into it.")
        clock.move(hours * HOUR)
        outages.close(incident, "It works again; thank you for your patience.")
    clock.now = NOW - 13 * DAY
    work(
        house,
        clock,
        "Exchange of network equipment",
        ("Website",),
        datetime(2026, 11, 13, 2, tzinfo=UTC),
        3 * HOUR,
    )
    work(
        house, clock, "Database upgrade", ("API", "Sign-in"), datetime(2026, 11, 28, 21, tzinfo=UTC), 2 * HOUR
    )
    clock.now = NOW - timedelta(minutes=52)
    subject, message = (
        "Email is unavailable",
        "Mail is neither sent nor received at the moment. We are looking into it.",
    )
    incident = outages.published("Mail down", subject=subject, message=message)
    clock.move(timedelta(minutes=17))
    found = "A storage server failed. **No mail is lost**: what was sent to you waits and will arrive."
    outages.tell(incident, found, UpdateStatus.IDENTIFIED)
    clock.move(timedelta(minutes=24))
    told = "The replacement is running and waiting mail is being delivered. We keep watching."
    outages.tell(incident, told, UpdateStatus.MONITORING)
    clock.now = NOW


def work(
    house: House,
    clock: Clock,
    subject: str,
    components: tuple[str, ...],
    starts_at: datetime,
    span: timedelta,
) -> None:
    """Plan a maintenance; one that lies before NOW is lived through."""
    message = "There may be short interruptions. Nothing needs to be done on your side."
    plan = Plan(subject, message, components, starts_at, starts_at + span)
    planned = maintaining.plan(house, plan, house.config.employees["jordan"], clock())
    for at in (starts_at, starts_at + span):
        if at < NOW:
            clock.now = at
            maintaining.fire_maintenance_timer(house, planned.maintenance.id, at)


@contextmanager
def showcase() -> Iterator[str]:
    """Serve such a page until the block ends; gives its address."""
    with tempfile.TemporaryDirectory() as folder:
        clock = Clock()
        house = make_house(Path(folder), CONFIG)
        live_through(house, clock)
        with served(build(make_front(house, clock), PUBLIC_ROUTES)) as port:
            yield f"http://127.0.0.1:{port}"
        house.store.close()


def take_pictures(folder: Path) -> None:
    """Take the pictures that the documentation shows."""
    with showcase() as url, started() as browser:
        for name, width, scheme in (
            ("status-page", 1000, "light"),
            ("status-page-dark", 1000, "dark"),
            ("status-page-phone", 390, "light"),
        ):
            context = browser.new_context(
                viewport={"width": width, "height": 1360 if width > 500 else 844},
                device_scale_factor=2 if width < 500 else 1,
                color_scheme="dark" if scheme == "dark" else "light",
                timezone_id="Europe/Berlin",
                locale="en-GB",
            )
            page = context.new_page()
            page.clock.set_fixed_time(NOW)
            page.goto(url)
            page.screenshot(path=folder / f"{name}.png")
            context.close()


if __name__ == "__main__":
    take_pictures(Path(sys.argv[1]) if len(sys.argv) > 1 else PICTURES)
