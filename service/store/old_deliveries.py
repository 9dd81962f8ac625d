"""Removes deliveries that were kept long enough: it is forgotten who was sent what; how many they were stays."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, and_, delete, select, update

from service.model import MaintenancePhase
from service.store.going_through import next_turn
from service.store.schema import deliveries, incidents, is_open, maintenances, updates

_SEEN: Final = "deliveries_seen"
_FACTS: Final = [deliveries.c[name] for name in ("id", "created_at", "due_at", "incident_id", "update_id")]
_IS_NOT_OVER: Final = maintenances.c.phase.in_([one for one in MaintenancePhase if not one.is_over])


def remove(connection: Connection, before: datetime, now: datetime, *, limit: int) -> int:
    """Go through the next that were queued before a time, so many at most; gives how many they were.

    Each has one turn. Those about what is not over then are kept for good: who heard that it began is to hear the end.
    What waits to be sent ends it.
    """
    turn = next_turn(
        connection, _SEEN, _FACTS, lambda row: row.created_at < before and row.due_at is None, limit=limit
    )
    kept_incidents = _open_incidents(connection, turn.rows)
    kept_updates = _updates_of_open_work(connection, turn.rows)
    removed = [
        row
        for row in turn.rows
        if row.incident_id not in kept_incidents and row.update_id not in kept_updates
    ]
    if removed:
        connection.execute(delete(deliveries).where(deliveries.c.id.in_([row.id for row in removed])))
        told = {row.update_id for row in removed} - {None}
        unmarked = updates.c.id.in_(told), updates.c.deliveries_removed_at.is_(None)
        connection.execute(update(updates).where(*unmarked).values(deliveries_removed_at=now))
    return turn.end(connection)


def _open_incidents(connection: Connection, rows: Sequence[Row[Any]]) -> set[int]:
    about = {row.incident_id for row in rows} - {None}
    query = select(incidents.c.id).where(incidents.c.id.in_(about), is_open)
    return set(connection.execute(query).scalars()) if about else set()


def _updates_of_open_work(connection: Connection, rows: Sequence[Row[Any]]) -> set[int]:
    of_work = {row.update_id for row in rows if row.incident_id is None} - {None}
    theirs = updates.join(maintenances, and_(maintenances.c.id == updates.c.maintenance_id, _IS_NOT_OVER))
    query = select(updates.c.id).select_from(theirs).where(updates.c.id.in_(of_work))
    return set(connection.execute(query).scalars()) if of_work else set()
