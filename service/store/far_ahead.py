"""What was put off while the clock was fast, and is far ahead since it was set back: it falls due at once."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, Connection, and_, bindparam, exists, or_, select, update

from service.store.schema import deliveries, is_called_update, is_mailed_update, is_urgent
from service.store.statements import Statement

FURTHEST: Final = timedelta(hours=2)
"""Nothing is put off for so long. A claim may end later where another instance's clock is fast: it is left alone."""
_KINDS: Final = (is_urgent, is_mailed_update, is_called_update)
_beyond = bindparam("beyond", None, type_=deliveries.c.due_at.type)


def _is_far_ahead(of_the_kind: ColumnElement[bool]) -> ColumnElement[bool]:
    is_waiting = deliveries.c.due_at.is_not(None)
    return and_(is_waiting, of_the_kind, deliveries.c.due_at > _beyond, deliveries.c.claimed_by.is_(None))


any_far_ahead = or_(*(exists().where(_is_far_ahead(kind)) for kind in _KINDS))
"""Whether there is any, as a part of a query that is given `beyond`."""
_ANY = Statement(select(any_far_ahead))


def beyond(now: datetime) -> datetime:
    """Tell what is later than anything is put off to."""
    return now + FURTHEST


def is_any_far_ahead(connection: Connection, now: datetime) -> bool:
    """Tell whether there is any: the last entries of indexes tell, however many wait."""
    ((found,),) = _ANY.rows(connection, beyond=beyond(now))
    return bool(found)


def bring_back(connection: Connection, now: datetime) -> int:
    """Let it fall due; gives how many did."""
    given = {"beyond": beyond(now)}
    return sum(
        connection.execute(update(deliveries).where(_is_far_ahead(kind)).values(due_at=now), given).rowcount
        for kind in _KINDS
    )
