"""Years of a busy company, written straight into a SQLite file, for measuring: incidents, mails, posts, subscribers.

The rows are such as the service writes, but no action wrote them; a test of behaviour has no use for them.
"""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

SPAN = timedelta(days=3 * 365)
COMPONENTS = tuple(f"Component {number}" for number in range(1, 21))
MONITORS = 40
OPEN = ("waiting", "unpublished", "published", "recovered")
"""The phases of the last incidents, in turns; there are OPEN_NOW of them."""
OPEN_NOW = 40
TEXT = "We see errors for a part of all calls, and are **looking into it**. " * 4
ACTS = ("logged_in", "logged_out", "subscribers_imported", "token_created")

_MONITOR = """\
  - provider: victorops
    alert_name: Monitor {number}
    authored_by: jordan
    type: service_unavailable
    affected_components: {{Component {component}: major_outage}}
    subject: "Monitor {number} fires"
    message: "We are looking into it."
    notify_employees: [jordan, sam]
"""
CONFIG = """\
site: {name: Acme Status, url: "http://status.acme.example", timezone: Europe/Berlin}
employees:
  - {id: jordan, name: Jordan Ray, email: jordan@acme.example, role: admin}
  - {id: sam, name: Sam Lee, email: sam@acme.example, role: publisher}
components:
""" + "".join(f"  - {{name: {name}, group: Group {at % 5}}}\n" for at, name in enumerate(COMPONENTS))
CONFIG += "monitors:\n" + "".join(
    _MONITOR.format(number=number, component=number % len(COMPONENTS) + 1)
    for number in range(1, MONITORS + 1)
)

Row = Sequence[object]


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is."""

    incidents: int
    deliveries: int
    subscribers: int
    span: timedelta = SPAN
    """How far back it goes."""


@dataclass(frozen=True, slots=True)
class Life:
    """One incident's times, and whether it was published."""

    id: int
    started_at: datetime
    component: str
    monitor: int
    phase: str

    @property
    def is_public(self) -> bool:
        """Whether it was published."""
        return self.phase in {"published", "recovered", "closed"}

    @property
    def is_over(self) -> bool:
        """Whether it ended."""
        return self.phase in {"closed", "discarded"}

    def at(self, minutes: int) -> str:
        """Give a time of it as SQLite has it."""
        return _written(self.started_at + timedelta(minutes=minutes))


def fill(file: Path, size: Size, now: datetime) -> None:
    """Write years that end at a time into a migrated database without rows."""
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        lives = [_life(number, size, now) for number in range(1, size.incidents + 1)]
        with connection:
            _fill_incidents(connection, lives)
            _fill_posts(connection, lives)
            _fill_narrative(connection, lives)
            _fill_subscribers(connection, size, now)
            _fill_deliveries(connection, lives, size)
            _fill_the_rest(connection, size, now)


def _life(number: int, size: Size, now: datetime) -> Life:
    count = size.incidents
    ended = "discarded" if number % 10 < 3 else "closed"
    phase = OPEN[number % len(OPEN)] if number > count - OPEN_NOW else ended
    monitor = number * 7 % MONITORS + 1
    component = COMPONENTS[monitor % len(COMPONENTS)]
    return Life(number, now - size.span * ((count - number + 1) / count), component, monitor, phase)


def _written(at: datetime) -> str:
    return at.replace(tzinfo=None).isoformat(" ", "microseconds")


def _add(connection: sqlite3.Connection, table: str, columns: str, rows: Iterable[Row]) -> None:
    places = ", ".join("?" * len(columns.split(",")))
    connection.executemany(f"INSERT INTO {table} ({columns}) VALUES ({places})", rows)  # noqa: S608  our own words


def _fill_incidents(connection: sqlite3.Connection, lives: Sequence[Life]) -> None:
    columns = (
        "id, monitor_key, phase, due_at, version, subject, message, type, components, started_at, authored_by, "
        "notify_employees, notified_at, published_at, published_by, ended_at, ended_by"
    )
    _add(
        connection,
        "incidents",
        columns,
        (
            (
                one.id,
                f"victorops:Monitor {one.monitor}",
                one.phase,
                one.at(60 * 24 * 9) if one.phase == "waiting" else None,
                3,
                f"Monitor {one.monitor} fires",
                TEXT,
                "service_unavailable",
                json.dumps({one.component: "major_outage"}),
                one.at(0),
                "jordan",
                '["jordan", "sam"]',
                one.at(5),
                one.at(8) if one.is_public else None,
                "sam" if one.is_public else None,
                one.at(12) if one.is_over else None,
                "sam" if one.is_over else None,
            )
            for one in lives
        ),
    )
    _add(
        connection,
        "joined_alerts",
        "incident_id, entity_id, fired_at, recovered_at, times_fired",
        ((one.id, f"entity-{one.id}", one.at(0), one.at(11) if one.is_over else None, 2) for one in lives),
    )
    edges = [
        (one.component, one.at(minutes), minutes) for one in lives if one.is_public for minutes in (8, 12)
    ]
    _add(
        connection,
        "component_states",
        "component, state, since",
        ((name, "major_outage" if minutes == 8 else "operational", at) for name, at, minutes in edges),
    )


def _fill_posts(connection: sqlite3.Connection, lives: Sequence[Life]) -> None:
    body = json.dumps({"message_type": "CRITICAL", "state_message": "x" * 300}).encode()
    _add(
        connection,
        "inbox",
        "door, provider, received_at, raw, about, state, attempts, reason",
        (
            ("webhook", "victorops", one.at(minutes), body, "{}", "done", 1, "opened")
            for one in lives
            for minutes in (0, 11)
        ),
    )
    _add(
        connection,
        "alerts",
        "inbox_id, incident_id, monitor_name, state, raw_state, entity_id, message, received_at, reason",
        (
            (
                2 * one.id - is_firing,
                one.id,
                f"Monitor {one.monitor}",
                "firing" if is_firing else "recovered",
                "CRITICAL" if is_firing else "OK",
                f"entity-{one.id}",
                "x" * 100,
                one.at(0 if is_firing else 11),
                "opened" if is_firing else "auto_closed",
            )
            for one in lives
            for is_firing in (1, 0)
        ),
    )


def _fill_narrative(connection: sqlite3.Connection, lives: Sequence[Life]) -> None:
    steps = ((None, "waiting", 0, "opened"), ("waiting", "unpublished", 5, "wait_elapsed"))
    told = (("unpublished", "published", 8, "published"), ("published", "closed", 12, "closed"))
    _add(
        connection,
        "timeline",
        'incident_id, at, from_phase, to_phase, reason, "by", note',
        (
            (one.id, one.at(minutes), before, after, reason, "sam", "")
            for one in lives
            for before, after, minutes, reason in (*steps, *(told if one.is_public else ()))
        ),
    )
    statuses = (("investigating", 8), ("identified", 10), ("resolved", 12))
    _add(
        connection,
        "updates",
        "incident_id, status, body, posted_at, posted_by, fan_out_cursor, fanned_out_at",
        (
            (one.id, status, TEXT, one.at(minutes), "sam", 0, one.at(minutes))
            for one in lives
            if one.is_public
            for status, minutes in (statuses if one.is_over else statuses[:2])
        ),
    )


def _fill_subscribers(connection: sqlite3.Connection, size: Size, now: datetime) -> None:
    at = _written(now - size.span)
    columns = (
        "public_id, channel, address, address_key, state, created_at, confirmed_at, unsubscribe_hash, "
        "all_components"
    )
    _add(
        connection,
        "subscribers",
        columns,
        (
            (
                f"{number:032x}",
                "webhook" if number % 100 == 0 else "email",
                *[_address(number)] * 2,
                "pending" if number % 50 == 1 else "confirmed",
                at,
                at,
                sha256(str(number).encode()).hexdigest(),
                number % 3 > 0,
            )
            for number in range(1, size.subscribers + 1)
        ),
    )
    _add(
        connection,
        "choices",
        "subscriber_id, kind, name",
        (
            (number, "component", COMPONENTS[number % len(COMPONENTS)])
            for number in range(3, size.subscribers + 1, 3)
        ),
    )


def _address(number: int) -> str:
    return (
        f"https://hooks.customer-{number}.example/status"
        if number % 100 == 0
        else f"reader-{number}@customer-{number % 997}.example"
    )


def _fill_deliveries(connection: sqlite3.Connection, lives: Sequence[Life], size: Size) -> None:
    """Four mails to employees of each incident; the others told subscribers of the last ones."""
    columns = (
        "public_id, occasion, kind, recipient, created_at, incident_id, update_id, employee_id, subscriber_id, "
        "facts, sent_at, attempts"
    )
    facts = json.dumps({"employee_name": "Sam Lee", "incident": {"tag": "INC-1", "message": TEXT}})
    mails = [(kind, who) for kind in ("approval", "closed") for who in ("jordan", "sam")]
    theirs = (
        (f"e{one.id:020x}{at:x}", f"INC-{one.id}:{kind}:{who}", kind, f"{who}@acme.example", one.at(5),
         one.id, None, who, None, facts, one.at(5), 1)
        for one in lives
        for at, (kind, who) in enumerate(mails)
    )  # fmt: skip
    _add(connection, "deliveries", columns, theirs)
    left, rows = size.deliveries - len(mails) * len(lives), "id, incident_id, posted_at"
    told = connection.execute(f"SELECT {rows} FROM updates ORDER BY id DESC").fetchall()  # noqa: S608  as above
    for update_id, incident_id, posted_at in told:
        readers = min(size.subscribers, left)
        if readers <= 0:
            break
        left -= readers
        _add(
            connection,
            "deliveries",
            columns,
            (
                (f"s{update_id:015x}{number:016x}", f"update:{update_id}:{number}", "subscriber_update",
                 _address(number), posted_at, incident_id, update_id, None,
                 number, "{}", posted_at, 1)
                for number in range(1, readers + 1)
            ),
        )  # fmt: skip
        counted = "UPDATE updates SET recipients = ?, queued = ?, sent = ?, fan_out_began_at = ? WHERE id = ?"
        connection.execute(counted, (readers, readers, readers, posted_at, update_id))


def _fill_the_rest(connection: sqlite3.Connection, size: Size, now: datetime) -> None:
    moments = [_written(now - size.span * (1 - at / size.incidents)) for at in range(size.incidents)]
    _add(
        connection,
        "audit",
        'at, "by", act, about, note',
        ((at, "sam", ACTS[number % len(ACTS)], "mail", "") for number, at in enumerate(moments)),
    )
    number = max(size.incidents // 100, 4)
    days = [now - size.span * (1 - at / number) for at in range(number)]
    columns = (
        "phase, due_at, version, subject, message, closing_comment, components, audience, starts_at, ends_at, "
        "planned_at, planned_by, started_at, ended_at"
    )
    hours = [[_written(day + timedelta(hours=hour)) for hour in (0, 24, 26)] for day in days]
    _add(
        connection,
        "maintenances",
        columns,
        (
            (
                "done",
                None,
                3,
                "Work",
                TEXT,
                "",
                json.dumps([COMPONENTS[0]]),
                "[]",
                start,
                end,
                at,
                "sam",
                start,
                end,
            )
            for at, start, end in hours
        ),
    )
