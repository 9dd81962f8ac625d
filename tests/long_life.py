"""A service that takes in alerts for quarters of a year: it lives some hours, and the rest is copied from one.

What is copied are the rows that the real decisions left, moved in time; of days whose rows would have been removed
since, only what stays is written. Nothing here is mocked: the hours that it lives and the removing are the service's.
"""

import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import orjson
from sqlalchemy import func, select

from service import jobs
from service.actions.fan_out import queue_next_chunk
from service.actions.house import House
from service.model import SubscriberState
from service.store import deliveries, inbox_rows, subscribers
from service.store.columns import UtcDateTime, metadata
from service.store.inbox_rows import Arrival, Door
from tests.rooms import CONFIG, Clock, make_house

HOUR: Final = timedelta(hours=1)
STAYS: Final = ("incidents", "joined_alerts", "timeline", "updates", "component_states")
GOES: Final = ("inbox", "alerts", "deliveries")
_IN_ORDER: Final = ("inbox", "incidents", "alerts", *STAYS[1:], "deliveries")
_REFERS_TO: Final = {"inbox_id": "inbox", "incident_id": "incidents", "update_id": "updates"}
_DISKS: Final = 4
AT_ONCE: Final = 1_000


@dataclass(slots=True)
class LongLife:
    """A service over SQLite, and the hour of which its days are made."""

    house: House
    clock: Clock
    alerts: int
    """In an hour."""
    episode: int
    """Alerts that make one incident, which is published and closed by itself."""
    _straight: sqlite3.Connection = field(init=False)
    _lived_at: datetime = field(init=False)

    @classmethod
    def begin(cls, folder: Path, *, kept_days: int, alerts: int, episode: int, readers: int) -> "LongLife":
        """Set the service up, with subscribers, and let it live its first hour, after which no incident is open."""
        assert alerts % episode == 0
        kept = ", ".join(f"{name}: {kept_days}d" for name in ("audit", "inbox", "alerts", "deliveries"))
        config = CONFIG.replace("wait_time: 5m", "wait_time: 0").replace(
            "auto_publish: false", "auto_publish: true"
        )
        config += f"retention: {{{kept}}}\nreplies: {{token_lifetime: 24h}}\n"
        made = cls(make_house(folder, config), Clock(), alerts, episode)
        with made.house.store.transaction() as connection:
            for number in range(readers):
                one = subscribers.add(
                    connection,
                    public_id=f"{number:032x}",
                    address=f"reader{number}@reader.example",
                    unsubscribe_hash=str(number),
                    now=made.clock(),
                )
                confirmed = SubscriberState.CONFIRMED
                subscribers.set_state(connection, one.id, confirmed, confirmed_at=made.clock())
        made.live_an_hour()
        made._remember_the_hour()
        return made

    def close(self) -> None:
        """End it."""
        self._straight.close()
        self.house.store.close()

    def live_an_hour(self, turn: Callable[[Callable[[], bool]], bool] = lambda decide: decide()) -> None:
        """Take in the alerts of an hour, decide about them, and send what is to be said between two turns.

        `turn` is given what decides in one turn, for whoever measures it.
        """
        began, each = self.clock(), HOUR / self.alerts
        for first in range(0, self.alerts, AT_ONCE):
            numbers = range(first, min(first + AT_ONCE, self.alerts))
            with self.house.store.transaction() as connection:
                inbox_rows.add_many(connection, [self._post(one, began + each * one) for one in numbers])
        self.clock.move(HOUR)
        is_more = True
        while is_more:
            is_more = turn(lambda: bool(jobs.decide_what_is_due(self.house, self.clock())))
            self._send()
            self.house.store.checkpoint()

    def _send(self) -> None:
        while queue_next_chunk(self.house, self.clock()):
            pass
        # of one incident a recipient's later mail waits for the earlier one
        while self._send_what_is_due(is_urgent=True) + self._send_what_is_due(is_urgent=False):
            pass

    def _send_what_is_due(self, *, is_urgent: bool) -> int:
        now = self.clock()
        with self.house.store.transaction() as connection:
            claimed = deliveries.claim_due(connection, now, urgent=is_urgent, lease=HOUR, limit=AT_ONCE)
            for one in claimed:
                deliveries.mark_sent(connection, one.id, now)
        return len(claimed)

    def _post(self, number: int, at: datetime) -> Arrival:
        place = number % self.episode
        is_over = place >= self.episode - _DISKS
        said = {
            "monitorName": "Email Server",
            "state": "OK" if is_over else "CRITICAL",
            "entityId": f"disk-{place % _DISKS}",
        }
        about = {"content_type": "application/json"}
        return Arrival(Door.WEBHOOK, at, orjson.dumps(said), provider="victorops", about=about)

    def copy_hours(self, hours: int, *, whole: bool) -> None:
        """Let hours pass as that one did; `whole` is with what will be removed, else that is gone already."""
        tables = _IN_ORDER if whole else STAYS
        gap = (self.clock() - self._lived_at) // HOUR
        with self._straight as connection:
            first = {name: self._next_id(name) - self._span(name)[0] for name in _IN_ORDER}
            for name in tables:
                connection.execute(
                    _copying(name, first, {one: self._span(one)[1] for one in _IN_ORDER}, is_gone=not whole),
                    {"hours": hours, "gap": gap},
                )
            if not whole:
                for name in ("inbox", "deliveries"):
                    connection.execute(
                        "UPDATE sqlite_sequence SET seq = seq + ? WHERE name = ?",
                        (hours * self._span(name)[1], name),
                    )
        self.clock.move(hours * HOUR)

    def keep_house(self) -> tuple[int, float]:
        """Remove what was kept long enough, until nothing is left; gives how many rows, and the seconds it took."""
        before, began = self.rows(GOES), time.perf_counter()
        while True:
            left = self.rows(GOES)
            jobs.keep_house(self.house, self.clock())
            self.house.store.checkpoint()
            after = self.rows(GOES)
            if after == left:
                return sum(before.values()) - sum(after.values()), time.perf_counter() - began

    def rows(self, tables: Sequence[str] = (*GOES, *STAYS)) -> Mapping[str, int]:
        """Count the rows of tables."""
        with self.house.store.reading() as connection:
            return {
                name: connection.execute(select(func.count()).select_from(metadata.tables[name])).scalar_one()
                for name in tables
            }

    def _remember_the_hour(self) -> None:
        self._lived_at = self.clock() - HOUR
        self._straight = sqlite3.connect(str(self.house.store.engine.url.database))
        self._straight.execute("ATTACH ':memory:' AS hour")
        for name in _IN_ORDER:
            self._straight.execute(f"CREATE TABLE hour.{name} AS SELECT * FROM main.{name}")  # noqa: S608  our own name
        self._straight.commit()

    def _next_id(self, name: str) -> int:
        asked = "SELECT max(coalesce((SELECT seq FROM sqlite_sequence WHERE name = ?), 0), coalesce(max(id), 0)) + 1"
        return int(self._straight.execute(f"{asked} FROM main.{name}", (name,)).fetchone()[0])

    def _span(self, name: str) -> tuple[int, int]:
        asked = f"SELECT min(id), max(id) FROM hour.{name}"  # noqa: S608  our own name
        lowest, highest = self._straight.execute(asked).fetchone()
        return lowest, highest - lowest + 1


def _copying(name: str, first: Mapping[str, int], spans: Mapping[str, int], *, is_gone: bool) -> str:
    """Give the statement that copies a table's hour so many times."""

    def moved(table: str, column: str) -> str:
        return f"{column} + {first[table]} + h.n * {spans[table]}"

    def value(column: str) -> str:
        if column == "id":
            return moved(name, "t.id")
        if column in _REFERS_TO:
            return moved(_REFERS_TO[column], f"t.{column}")
        if column == "public_id":
            return "lower(hex(randomblob(16)))"
        if column == "occasion":
            return f"t.occasion || ':' || ({moved(name, 't.id')})"
        if column == "deliveries_removed_at" and is_gone:
            return at("fanned_out_at")
        if isinstance(metadata.tables[name].c[column].type, UtcDateTime):
            return at(column)
        return f't."{column}"'

    def at(column: str) -> str:
        return f"strftime('%Y-%m-%d %H:%M:%f000', t.{column}, '+' || (:gap + h.n) || ' hours')"

    columns = [column.name for column in metadata.tables[name].columns]
    quoted = ", ".join(f'"{one}"' for one in columns)
    hours = "WITH RECURSIVE h(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM h WHERE n + 1 < :hours)"
    return (
        f"INSERT INTO main.{name} ({quoted}) {hours}"  # noqa: S608  our own names
        f" SELECT {', '.join(map(value, columns))} FROM h CROSS JOIN hour.{name} AS t ORDER BY h.n, t.id"
    )
