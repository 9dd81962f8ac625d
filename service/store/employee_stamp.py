"""One cheap look at whether employees may have something new to see: phases, inbox, maintenance, mails, audience.

It reads no texts. Each number comes from the end of an index: however much history there is, it costs the same.
"""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any, NamedTuple, Self

from sqlalchemy import Connection, ScalarSelect, Table, bindparam, func, select

from service.store.access_schema import audit, sessions
from service.store.inbox_rows import Door
from service.store.schema import (
    alerts,
    deliveries,
    inbox,
    is_urgent,
    maintenances,
    timeline,
    updates,
)
from service.store.watch_schema import audience_changes

MOST_NAMED = 200
"""Incidents that are named one by one; of more it is only said that much changed."""
_LONGEST_TEXT = 200


class Stamp(NamedTuple):
    """Numbers, at least one of which differs once there is something new. What grows tells what came since."""

    timeline: int
    alerts: int
    unreached: int
    """When it was last told that a mail to an employee did not arrive, in milliseconds."""
    inbox: int
    first_pending_post: int
    first_pending_mail: int
    updates: int
    maintenances: int
    maintenances_not_over: int
    versions_not_over: int
    acts: int
    urgent: int
    """When the newest mail that waits and is no update was queued, in milliseconds; how fan-outs go is not seen."""
    audience: int
    """Of who hears of incidents."""

    def __str__(self) -> str:
        """Write it as an address or an event's id may hold it."""
        return "-".join(map(str, self))

    @classmethod
    def read(cls, text: str) -> Self | None:
        """Read what `str` wrote; None for anything else."""
        words = text.split("-") if len(text) <= _LONGEST_TEXT else []
        is_whole = len(words) == len(cls._fields) and all(one.isascii() and one.isdigit() for one in words)
        return cls(*map(int, words)) if is_whole else None


def _newest(table: Table) -> ScalarSelect[Any]:
    return select(func.max(table.c.id)).scalar_subquery()


def _first_pending(door: Door) -> ScalarSelect[Any]:
    # written out: SQLite takes a partial index only where it reads the same words in the query
    is_pending = inbox.c.state == bindparam(None, "pending", literal_execute=True)
    query = select(inbox.c.id).where(is_pending, inbox.c.door == door).order_by(inbox.c.id).limit(1)
    return query.scalar_subquery()


_NOT_OVER = maintenances.c.due_at.is_not(None)
_STAMP = select(
    _newest(timeline),
    _newest(alerts),
    select(func.max(deliveries.c.alarmed_at)).where(deliveries.c.alarmed_at.is_not(None)).scalar_subquery(),
    _newest(inbox),
    _first_pending(Door.WEBHOOK),
    _first_pending(Door.MAIL),
    _newest(updates),
    _newest(maintenances),
    select(func.count()).select_from(maintenances).where(_NOT_OVER).scalar_subquery(),
    select(func.sum(maintenances.c.version)).where(_NOT_OVER).scalar_subquery(),
    _newest(audit),
    select(func.max(deliveries.c.created_at)).where(is_urgent).scalar_subquery(),
    _newest(audience_changes),
)


def employee_stamp(connection: Connection) -> Stamp:
    """Tell how new everything is."""
    return Stamp(*map(_number, connection.execute(_STAMP).one()))


def _number(found: datetime | int | None) -> int:
    return int(found.timestamp() * 1000) if isinstance(found, datetime) else int(found or 0)


def incidents_since(connection: Connection, before: Stamp, after: Stamp) -> frozenset[int] | None:
    """Name the incidents that something happened to between two stamps; None: there are too many, or nobody knows."""
    if after.timeline < before.timeline or after.alerts < before.alerts:
        return None  # rows were deleted, or the stamp is of another database
    named: set[int] = set()
    for table, since in ((timeline, before.timeline), (alerts, before.alerts)):
        query = select(table.c.incident_id).where(table.c.id > since).limit(MOST_NAMED + 1)
        rows = connection.execute(query).scalars().all()
        if len(rows) > MOST_NAMED:
            return None
        named |= {one for one in rows if one is not None}
    if before.unreached < after.unreached:
        since_then = datetime.fromtimestamp(before.unreached / 1000, UTC)
        query = (
            select(deliveries.c.incident_id).where(deliveries.c.alarmed_at >= since_then).limit(MOST_NAMED)
        )
        named |= {one for one in connection.execute(query).scalars() if one is not None}
    return frozenset(named)


def living(connection: Connection, hashes: Collection[str], now: datetime) -> frozenset[str]:
    """Tell which of these sessions have not ended. They are not lengthened by it."""
    query = select(sessions.c.hash).where(sessions.c.hash.in_(hashes), sessions.c.expires_at > now)
    return frozenset(connection.execute(query).scalars())
