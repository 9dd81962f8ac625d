"""A single delivery in an admin's hands: it falls due once more, or is not sent after all. Counters follow."""

from collections.abc import Collection
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, exists, or_, select, update

from service.model import Delivery, DeliveryKind
from service.store import deliveries, progress
from service.store.schema import deliveries as table
from service.store.schema import updates

_PUBLIC_ID: Final = table.c.public_id


def get(connection: Connection, delivery_id: int) -> Delivery | None:
    """Read one delivery by its number."""
    public_id = connection.execute(select(_PUBLIC_ID).where(table.c.id == delivery_id)).scalar()
    return None if public_id is None else deliveries.get_by_public_id(connection, public_id)


def revive(connection: Connection, failed: Delivery, now: datetime) -> None:
    """Let a delivery that failed fall due now, with all its attempts before it."""
    one = update(table).where(table.c.id == failed.id, table.c.failed_at.is_not(None))
    fresh = {"due_at": now, "failed_at": None, "attempts": 0, "last_error": ""}
    fresh |= {"alarmed_at": None, "claimed_by": None}
    if connection.execute(one.values(fresh)).rowcount:
        progress.count(connection, failed.update_id, failed=-1)


def give_up(connection: Connection, waiting: Delivery, why: str) -> bool:
    """Cancel a delivery that waits; False where it does not wait any more."""
    one = update(table).where(table.c.id == waiting.id, table.c.due_at.is_not(None))
    was_waiting = connection.execute(one.values(due_at=None, last_error=why)).rowcount == 1
    if was_waiting:
        progress.count(connection, waiting.update_id, cancelled=1)
    return was_waiting


def is_followed_by_mail(connection: Connection, failed: Delivery, kinds: Collection[DeliveryKind]) -> bool:
    """Whether the same employee was told more of the same incident since, by mails of these kinds."""
    theirs = table.c.incident_id == failed.incident_id, table.c.employee_id == failed.employee_id
    since = *theirs, table.c.id > failed.id, table.c.update_id.is_(None), table.c.kind.in_(kinds)
    return bool(connection.execute(select(exists().where(*since))).scalar_one())


def is_followed(connection: Connection, update_id: int) -> bool:
    """Whether something was told of the same incident or maintenance since."""
    own, later = updates.alias("own"), updates.alias("later")
    same = or_(own.c.incident_id == later.c.incident_id, own.c.maintenance_id == later.c.maintenance_id)
    since = select(later.c.id).where(own.c.id == update_id, later.c.id > own.c.id, same)
    return bool(connection.execute(select(exists(since))).scalar_one())
