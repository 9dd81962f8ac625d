"""Removes the bodies of what arrived long ago.

The rows stay, with what became of each and with their keys: no mail is taken in twice, and no post counts twice.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, func, select, update

from service.store import credentials, maintenances
from service.store.going_through import next_turn
from service.store.inbox_rows import REMOVED_AT, SENDER, SIZE, InboxState
from service.store.schema import alerts, inbox, incidents, is_open
from service.store.suppression import SUPPRESSED

_SEEN: Final = "inbox_bodies_and_senders_seen"
"""What `instance` calls the number of the last arrival that was gone through."""
_SEEN_EARLIER: Final = "inbox_bodies_seen"
"""The same of versions that left the senders, so that each arrival up to it has a second turn, for its sender alone."""
_REMOVE = update(inbox).where(inbox.c.id == bindparam("inbox_id")).values(raw=b"", about=bindparam("told"))


def remove(connection: Connection, before: datetime, now: datetime, *, limit: int) -> int:
    """Go through the next that arrived before a time, so many at most; gives how many they were.

    Each is gone through once, in the order of arrival, so that a table of years costs no more than a young one. The
    body of what is quarantined stays, and that of an alert which is needed then. What is pending ends it.
    """
    facts = (inbox.c.id, inbox.c.received_at, inbox.c.state, inbox.c.about)
    turn = next_turn(
        connection,
        _SEEN,
        (*facts, func.length(inbox.c.raw).label(SIZE)),
        lambda row: row.received_at < before and row.state != InboxState.PENDING,
        limit=limit,
    )
    kept = needed(connection, turn.rows)
    seen_earlier = int(credentials.instance_value(connection, _SEEN_EARLIER, "0"))
    removed = [
        {"inbox_id": row.id, "told": _told(row.about, row.size, now)}
        for row in turn.rows
        if _has_to_go(row, kept, seen_earlier)
    ]
    if removed:
        connection.execute(_REMOVE, removed)
    return turn.end(connection)


def needed(connection: Connection, arrivals: Sequence[Row[Any]]) -> set[int]:
    """Find those of some arrivals, in their order, whose alerts belong to open incidents, or may open some.

    The latter are those that a maintenance kept back which is not over.
    """
    if not arrivals:
        return set()
    among = alerts.c.inbox_id.between(arrivals[0].id, arrivals[-1].id)
    of_open = select(alerts.c.inbox_id).join(incidents, incidents.c.id == alerts.c.incident_id).where(is_open)
    found = set(connection.execute(of_open.where(among)).scalars())
    if since := maintenances.first_began_at(connection):
        kept_back = select(alerts.c.inbox_id).where(
            alerts.c.reason == SUPPRESSED, alerts.c.received_at >= since
        )
        found |= set(connection.execute(kept_back.where(among)).scalars())
    return found


def _has_to_go(row: Row[Any], kept: set[int], seen_earlier: int) -> bool:
    if REMOVED_AT in row.about:
        return SENDER in row.about
    # what had its turn before and kept its body keeps it for good
    return row.id > seen_earlier and row.state != InboxState.QUARANTINED and row.id not in kept


def _told(about: Mapping[str, Any], size: int, now: datetime) -> dict[str, Any]:
    # whose mail it was is as personal as what it said
    kept = {name: value for name, value in about.items() if name != SENDER}
    return {SIZE: size, REMOVED_AT: now.isoformat(timespec="seconds"), **kept}
