"""Removes posts that were kept long enough, with their alerts: of an incident the rest stays.

Mails stay: by their keys none is taken in twice.
"""

from datetime import datetime
from typing import Final

from sqlalchemy import Connection, delete

from service.store import maintenances
from service.store.going_through import next_turn
from service.store.inbox_bodies import needed
from service.store.inbox_rows import Door, InboxState
from service.store.schema import alerts, inbox

_SEEN: Final = "posts_seen"
_FACTS: Final = [inbox.c[name] for name in ("id", "received_at", "state", "door")]


def remove(connection: Connection, before: datetime, *, limit: int) -> int:
    """Go through the next that arrived before a time, so many at most; gives how many they were.

    Each has one turn. What is quarantined stays, and what an incident is made of that is open then, for good. What is
    pending ends it. What came since a maintenance began waits until that is over: of what fired meanwhile its end asks
    what recovered.
    """
    before = min(before, maintenances.first_began_at(connection) or before)
    turn = next_turn(
        connection,
        _SEEN,
        _FACTS,
        lambda row: row.received_at < before and row.state != InboxState.PENDING,
        limit=limit,
    )
    kept = needed(connection, turn.rows)
    removed = [
        row.id
        for row in turn.rows
        if row.door == Door.WEBHOOK and row.state != InboxState.QUARANTINED and row.id not in kept
    ]
    if removed:
        connection.execute(delete(alerts).where(alerts.c.inbox_id.in_(removed)))
        connection.execute(delete(inbox).where(inbox.c.id.in_(removed)))
    return turn.end(connection)
