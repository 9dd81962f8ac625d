"""One cheap look at whether there is anything to do, for what looks each second: mostly there is not.

Each part of it is told by the first entry of an index, however many rows there are. On some
machines what is done once a second takes ten times as long as what is done all the time: it should touch little.
"""

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, bindparam, exists, or_, select

from service.store.far_ahead import any_far_ahead, beyond
from service.store.inbox_rows import is_pending
from service.store.schema import (
    deliveries,
    employee_unreached,
    incidents,
    is_called_update,
    is_mailed_update,
    is_urgent,
    maintenances,
    updates,
)
from service.store.statements import Statement
from service.store.tidings import ToSend

_now = bindparam("now", None, type_=deliveries.c.due_at.type)
_TO_DECIDE = Statement(
    select(
        or_(
            exists().where(is_pending),
            exists().where(incidents.c.due_at <= _now),
            exists().where(maintenances.c.due_at <= _now),
            exists().where(employee_unreached),
        )
    )
)


def _is_due(of_the_kind: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(and_(deliveries.c.due_at.is_not(None), deliveries.c.due_at <= _now, of_the_kind))


_TO_SEND = Statement(
    select(
        # who sends those lets fall due what is too far ahead, of whatever kind
        or_(_is_due(is_urgent), any_far_ahead).label(ToSend.MAILS),
        or_(exists().where(updates.c.fanned_out_at.is_(None)), _is_due(is_mailed_update)).label(
            ToSend.UPDATES
        ),
        _is_due(is_called_update).label(ToSend.CALLS),
    )
)


def is_to_decide(connection: Connection, now: datetime) -> bool:
    """Tell whether an arrival waits, a timer has come, or admins are to be told of somebody who was not reached."""
    ((found,),) = _TO_DECIDE.rows(connection, now=now)
    return bool(found)


def to_send(connection: Connection, now: datetime) -> frozenset[ToSend]:
    """Tell what is due to be sent, by who sends it."""
    (found,) = _TO_SEND.rows(connection, now=now, beyond=beyond(now))
    return frozenset(what for what, is_due in zip(ToSend, found, strict=True) if is_due)
