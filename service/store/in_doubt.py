"""Which deliveries may have arrived though no answer says so: until one does, their readers count as having heard.

It is set where an attempt ended without an answer, and where a claim ended by itself, of which nobody knows how far it
came. Only an answer that it was taken clears it; no later refusal does.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Connection, FromClause, and_, case, func, or_, update

from service.store.schema import deliveries

has_not_left = and_(deliveries.c.claimed_by.is_(None), deliveries.c.may_have_arrived_at.is_(None))
"""Of one that waits: nobody has it in hand, and none of its attempts can have reached anybody."""


def note(connection: Connection, delivery_id: int, now: datetime) -> None:
    """Remember that an attempt ended without an answer; true of one that was cancelled meanwhile as well."""
    one = deliveries.c.id == delivery_id, deliveries.c.sent_at.is_(None)
    first = update(deliveries).where(*one, deliveries.c.may_have_arrived_at.is_(None))
    connection.execute(first.values(may_have_arrived_at=now))


def once_its_claim_ends(at: datetime | BindParameter[datetime]) -> ColumnElement[Any]:
    """Give what `may_have_arrived_at` becomes where a claim ends that nobody gave back."""
    since = deliveries.c.may_have_arrived_at
    return case((deliveries.c.claimed_by.is_not(None), func.coalesce(since, at)), else_=since)


def reaches(one: FromClause) -> ColumnElement[bool]:
    """Whether a delivery reached its reader, or may have, or is still to; not one that was cancelled or failed."""
    return or_(one.c.sent_at.is_not(None), one.c.due_at.is_not(None), one.c.may_have_arrived_at.is_not(None))
