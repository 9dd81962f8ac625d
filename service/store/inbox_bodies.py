"""Removes the bodies of what arrived long ago.

The rows stay, with what became of each and with their keys: no mail is taken in twice, and no post counts twice.
"""

from collections.abc import Mapping
from datetime import datetime
from itertools import takewhile
from typing import Any, Final

from sqlalchemy import Connection, bindparam, func, select, update

from service.store import credentials
from service.store.inbox_rows import REMOVED_AT, SIZE, InboxState
from service.store.schema import alerts, inbox, incidents, instance, is_open

_SEEN: Final = "inbox_bodies_seen"
"""What `instance` calls the number of the last arrival that was gone through."""
_REMOVE = update(inbox).where(inbox.c.id == bindparam("inbox_id")).values(raw=b"", about=bindparam("told"))


def remove(connection: Connection, before: datetime, now: datetime, *, limit: int) -> int:
    """Go through the next that arrived before a time, so many at most; gives how many they were.

    Each is gone through once, in the order of arrival, so that a table of years costs no more than a young one. The
    body of what is quarantined stays, and that of an alert whose incident is open then. What is pending ends it.
    """
    seen = int(credentials.instance_value(connection, _SEEN, "0"))
    facts = (inbox.c.id, inbox.c.received_at, inbox.c.state, inbox.c.about)
    query = select(*facts, func.length(inbox.c.raw).label(SIZE)).where(inbox.c.id > seen)
    rows = connection.execute(query.order_by(inbox.c.id).limit(limit))
    over = [*takewhile(lambda row: row.received_at < before and row.state != InboxState.PENDING, rows)]
    if not over:
        return 0
    last = over[-1].id
    kept = _needed(connection, seen, last)
    removed = [
        {"inbox_id": row.id, "told": _told(row.about, row.size, now)}
        for row in over
        if row.state != InboxState.QUARANTINED and row.id not in kept
    ]
    if removed:
        connection.execute(_REMOVE, removed)
    connection.execute(update(instance).where(instance.c.name == _SEEN).values(value=str(last)))
    return len(over)


def _needed(connection: Connection, after: int, until: int) -> set[int]:
    """Find those whose alerts belong to open incidents."""
    of_open = select(alerts.c.inbox_id).join(incidents, incidents.c.id == alerts.c.incident_id).where(is_open)
    return set(
        connection.execute(of_open.where(alerts.c.inbox_id > after, alerts.c.inbox_id <= until)).scalars()
    )


def _told(about: Mapping[str, Any], size: int, now: datetime) -> dict[str, Any]:
    return {SIZE: size, **about, REMOVED_AT: now.isoformat(timespec="seconds")}
