"""Rows of the outbox. A claimed delivery has its `due_at` pushed on: if we die, it falls due again.

It names who claimed it, so that somebody else may end the claims of whoever died before that.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from sqlalchemy import (
    ClauseElement,
    ColumnElement,
    Connection,
    Dialect,
    Row,
    Update,
    bindparam,
    exists,
    func,
    literal,
    literal_column,
    select,
    update,
)

from service.model import Delivery, DeliveryKind
from service.store import in_doubt, progress, tidings
from service.store.columns import UtcDateTime
from service.store.inserting import insert_into
from service.store.schema import deliveries, employee_unreached, is_called_update, is_mailed_update, updates
from service.store.statements import Statement
from service.store.together import found, write

ALONE: Final = 0
"""The number of whoever sends where nobody else can, as on SQLite."""
_is_waiting = deliveries.c.due_at.is_not(None)


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """A mail about to be queued; of one `occasion` there is never a second."""

    public_id: str
    occasion: str
    kind: DeliveryKind
    recipient: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    incident_id: int | None = None
    update_id: int | None = None
    employee_id: str | None = None
    subscriber_id: int | None = None


def _add_new(dialect: Dialect) -> ClauseElement:
    statement: ClauseElement = insert_into(deliveries, dialect).on_conflict_do_nothing(
        index_elements=["occasion"]
    )
    return statement


_ADD_NEW = Statement(_add_new)


def queue(connection: Connection, new: Sequence[NewDelivery], now: datetime) -> tuple[str, ...]:
    """Queue what was not queued before; returns the public ids of what now is.

    Where several decisions are made together, mails to a person are written with all else. What had been queued before
    is not queued again then either, but is named as if it were.
    """
    if found(connection) is not None and all(one.update_id is None for one in new):
        for one in new:
            write(connection, _ADD_NEW, deliveries.name, **_values_of(one, now))
        queued = list(new)
    else:
        queued = [one for one in new if _ADD_NEW.run(connection, **_values_of(one, now)) == 1]
    for of_an_update in {one.update_id is not None for one in queued}:
        to_send = tidings.ToSend.UPDATES if of_an_update else tidings.ToSend.MAILS
        tidings.mark_to_send(connection, to_send)
    for update_id, number in Counter(one.update_id for one in queued).items():
        progress.count(connection, update_id, queued=number)
    return tuple(one.public_id for one in queued)


def _values_of(one: NewDelivery, now: datetime) -> dict[str, Any]:
    return {
        "public_id": one.public_id,
        "occasion": one.occasion,
        "kind": one.kind,
        "recipient": one.recipient,
        "created_at": now,
        "due_at": now,
        "incident_id": one.incident_id,
        "update_id": one.update_id,
        "employee_id": one.employee_id,
        "subscriber_id": one.subscriber_id,
        "facts": dict(one.facts),
    }


def _claiming(of_the_kind: ColumnElement[bool], dialect: Dialect, *, urgent: bool = False) -> ClauseElement:
    earlier, own, other = deliveries.alias("earlier"), updates.alias("own"), updates.alias("other")
    # a sum is looked up in no index: the recipient's few that wait are found by theirs
    is_update = (earlier.c.update_id + 0).is_not(None)
    waits_too = (
        ~is_update if urgent else is_update,
        earlier.c.due_at.is_not(None),
        earlier.c.recipient == deliveries.c.recipient,
        earlier.c.id < deliveries.c.id,
    )
    overtaken = exists().where(*waits_too, earlier.c.incident_id == deliveries.c.incident_id)
    # what is about no incident says only by its update which maintenance it is about
    of_the_same_work = own.c.id == deliveries.c.update_id, other.c.maintenance_id == own.c.maintenance_id
    overtaken_at_work = exists().where(*of_the_same_work, earlier.c.update_id == other.c.id, *waits_too)
    in_order = ~overtaken, ~overtaken_at_work
    at = bindparam("at", None, type_=deliveries.c.due_at.type)
    is_due = deliveries.c.due_at <= at
    due = select(deliveries.c.id).where(is_due, of_the_kind, *in_order)
    due = due.order_by(deliveries.c.due_at, deliveries.c.id).limit(bindparam("most", 1))
    due = due.with_for_update(skip_locked=True)
    # looked for once and for all on PostgreSQL: a subquery may be asked again for each row, and takes more than its
    # limit then
    due_ids: Any = select(due.cte("due").c.id) if dialect.name == "postgresql" else due.scalar_subquery()
    return (
        update(deliveries)
        .where(deliveries.c.id.in_(due_ids))
        .values(
            due_at=bindparam("until", None),
            claimed_by=bindparam("claimant", None),
            attempts=deliveries.c.attempts + 1,
            last_error=literal_column("''"),
            may_have_arrived_at=in_doubt.once_its_claim_ends(at),
        )
        .returning(deliveries)
    )


_CLAIM_URGENT = Statement(partial(_claiming, deliveries.c.update_id.is_(None), urgent=True))
_CLAIM_MAILED = Statement(partial(_claiming, is_mailed_update))
_CLAIM_CALLS = Statement(partial(_claiming, is_called_update))


def claim_due(
    connection: Connection,
    now: datetime,
    *,
    urgent: bool,
    lease: timedelta,
    limit: int,
    claimed_by: int = ALONE,
) -> tuple[Delivery, ...]:
    """Take due deliveries for the time of a lease, oldest first; `claimed_by` is the number of whoever does.

    `urgent` are those to a person who waits for it; the others are updates for subscribers. Of one incident or
    maintenance a recipient's mails of a kind go out in their order: a later one waits for the earlier. An employee who
    subscribed as well does not wait for the updates.
    One whose claim before this ended by itself may have arrived, for all we know.
    """
    claiming = _CLAIM_URGENT if urgent else _CLAIM_MAILED
    return _claim(connection, claiming, now, lease, limit, claimed_by)


def claim_calls(
    connection: Connection, now: datetime, *, lease: timedelta, limit: int, claimed_by: int = ALONE
) -> tuple[Delivery, ...]:
    """Take due webhook calls for the time of a lease, as `claim_due` does mails."""
    return _claim(connection, _CLAIM_CALLS, now, lease, limit, claimed_by)


def renew(connection: Connection, claimed: Delivery, until: datetime) -> bool:
    """Make a claim last longer; False where it is ours no more, or the delivery was cancelled."""
    theirs = deliveries.c.id == claimed.id, deliveries.c.due_at == claimed.due_at
    return connection.execute(update(deliveries).where(*theirs).values(due_at=until)).rowcount == 1


def _claim(
    connection: Connection, claiming: Statement, now: datetime, lease: timedelta, limit: int, claimed_by: int
) -> tuple[Delivery, ...]:
    claimed = claiming.rows(connection, at=now, most=limit, until=now + lease, claimant=claimed_by)
    return tuple(sorted(map(_delivery, claimed), key=lambda delivery: delivery.id))


_OF_SENT = update(deliveries).where(deliveries.c.id == bindparam("sent_id"))
_of_update = deliveries.c.update_id
_SENT = Statement(_OF_SENT.where(_is_waiting).returning(_of_update))
_SENT_THOUGH_CANCELLED = Statement(
    _OF_SENT.where(deliveries.c.sent_at.is_(None), deliveries.c.failed_at.is_(None)).returning(_of_update)
)


def mark_sent(connection: Connection, delivery_id: int, now: datetime) -> None:
    """Remember that the relay took it, also where it was cancelled while it was on its way."""
    new = {
        "sent_id": delivery_id,
        "due_at": None,
        "sent_at": now,
        "last_error": "",
        "may_have_arrived_at": None,
    }
    for row in _SENT.rows(connection, **new):
        progress.count(connection, row.update_id, sent=1, at=now)
        return
    for row in _SENT_THOUGH_CANCELLED.rows(connection, **new):
        progress.count(connection, row.update_id, sent=1, cancelled=-1, at=now)


def mark_failed(connection: Connection, delivery_id: int, now: datetime, error: str) -> None:
    """Remember that it never will be delivered; what was cancelled meanwhile stays so."""
    failed = update(deliveries).where(deliveries.c.id == delivery_id, _is_waiting)
    failed = failed.values(due_at=None, failed_at=now, last_error=error)
    if row := connection.execute(failed.returning(deliveries.c.update_id)).one_or_none():
        progress.count(connection, row.update_id, failed=1)


def postpone(connection: Connection, delivery_id: int, due_at: datetime, error: str) -> None:
    """Try it again at a later time, unless it was cancelled meanwhile."""
    statement = update(deliveries).where(deliveries.c.id == delivery_id, _is_waiting)
    connection.execute(statement.values(due_at=due_at, last_error=error, claimed_by=None))


def give_back(connection: Connection, delivery_ids: Sequence[int], due_at: datetime, error: str) -> None:
    """Undo a claim that came to nothing through no fault of the mails: the attempt does not count.

    What was cancelled meanwhile stays so.
    """
    claimed = deliveries.c.id.in_(delivery_ids), _is_waiting
    statement = update(deliveries).where(*claimed)
    given = {"due_at": due_at, "last_error": error, "claimed_by": None}
    connection.execute(statement.values(**given, attempts=deliveries.c.attempts - 1))


def still_claimed(connection: Connection, claimed: Sequence[Delivery]) -> list[int]:
    """Tell which deliveries nobody claimed, tried again or cancelled since they were claimed as they are given.

    They stay so until the end of the transaction: a claim is known by the time at which it ends.
    """
    ends = {one.id: one.due_at for one in claimed}
    query = select(deliveries.c.id, deliveries.c.due_at).where(deliveries.c.id.in_(ends), _is_waiting)
    rows = connection.execute(query.order_by(deliveries.c.id).with_for_update())
    return [row.id for row in rows if row.due_at == ends[row.id]]


def ended_claims(connection: Connection, claimed: Sequence[Delivery]) -> frozenset[int]:
    """Tell which of them are no longer claimed as they are given: cancelled meanwhile, removed, or somebody else's."""
    by_end: dict[datetime | None, list[int]] = {}
    for one in claimed:
        by_end.setdefault(one.due_at, []).append(one.id)
    ended = {one.id for one in claimed}
    for ends_at, ids in by_end.items():
        query = select(deliveries.c.id).where(deliveries.c.id.in_(ids), deliveries.c.due_at == ends_at)
        ended.difference_update(connection.execute(query).scalars())
    return frozenset(ended)


def mark_bounced(connection: Connection, delivery_id: int, now: datetime, diagnostic: str) -> None:
    """Remember that it came back; of one delivery only the first bounce counts."""
    first = update(deliveries).where(deliveries.c.id == delivery_id, deliveries.c.bounced_at.is_(None))
    connection.execute(first.values(bounced_at=now, last_error=diagnostic))


_UNREACHED = Statement(
    select(deliveries).where(employee_unreached).order_by(deliveries.c.id).limit(bindparam("most"))
)


def unreached_employees(connection: Connection, *, limit: int) -> tuple[Delivery, ...]:
    """Read deliveries to employees that failed or came back, and of which no admin was told yet."""
    return tuple(map(_delivery, _UNREACHED.rows(connection, most=limit)))


def mark_alarmed(connection: Connection, delivery_id: int, now: datetime) -> None:
    """Remember that the admins are being told."""
    connection.execute(update(deliveries).where(deliveries.c.id == delivery_id).values(alarmed_at=now))


def lately_unreached(connection: Connection, since: datetime, *, limit: int) -> tuple[Delivery, ...]:
    """Read deliveries to employees that failed or came back since a time, newest first, for the dashboard."""
    told = deliveries.c.alarmed_at >= since
    query = select(deliveries).where(told).order_by(deliveries.c.alarmed_at.desc()).limit(limit)
    return tuple(map(_delivery, connection.execute(query)))


def end_leases(connection: Connection, now: datetime) -> None:
    """Let everything that waits fall due: at the start of the only process, whoever held a claim is dead."""
    connection.execute(ending_leases(now))


def ending_leases(now: datetime) -> Update:
    """Make what lets all that waits fall due, of which some may have arrived; conditions may be added."""
    ended = {"due_at": now, "claimed_by": None}
    doubted = in_doubt.once_its_claim_ends(literal(now, UtcDateTime))
    waiting = update(deliveries).where(deliveries.c.due_at > now)
    return waiting.values(**ended, may_have_arrived_at=doubted)


def cancel_of_subscriber(connection: Connection, subscriber_id: int, why: str) -> None:
    """Let the waiting updates for a subscriber not be sent after all."""
    theirs = deliveries.c.subscriber_id == subscriber_id, deliveries.c.update_id.is_not(None), _is_waiting
    cancelled = update(deliveries).where(*theirs).values(due_at=None, last_error=why)
    update_ids = connection.execute(cancelled.returning(deliveries.c.update_id)).scalars()
    for update_id, number in Counter(update_ids).items():
        progress.count(connection, update_id, cancelled=number)


def _count_of_occasions(dialect: Dialect) -> ClauseElement:
    # byte by byte on either database: PostgreSQL's usual order is a dictionary's, which overlooks colons
    occasion = deliveries.c.occasion.collate("C" if dialect.name == "postgresql" else "BINARY")
    wanted = occasion >= bindparam("prefix"), occasion < bindparam("past_the_last")
    query = select(func.count()).select_from(deliveries)
    return query.where(*wanted, deliveries.c.created_at >= bindparam("since"))


_COUNT_OF_OCCASIONS = Statement(_count_of_occasions)


def count_of_occasions(connection: Connection, prefix: str, since: datetime) -> int:
    """Count what was queued since a time under occasions that begin with a prefix."""
    past_the_last = prefix[:-1] + chr(ord(prefix[-1]) + 1)
    given = {"prefix": prefix, "past_the_last": past_the_last, "since": since}
    (row,) = _COUNT_OF_OCCASIONS.rows(connection, **given)
    return int(row[0])


def next_due_at(connection: Connection, *, urgent: bool) -> datetime | None:
    """Tell when the next of either kind falls due: the first entry of an index tells, however many wait."""
    return _earliest(connection, _NEXT_URGENT if urgent else _NEXT_MAILED)


def next_call_due_at(connection: Connection) -> datetime | None:
    """Tell when the next webhook call falls due."""
    return _earliest(connection, _NEXT_CALL)


_EARLIEST = select(func.min(deliveries.c.due_at)).where(_is_waiting)
_NEXT_URGENT = Statement(_EARLIEST.where(deliveries.c.update_id.is_(None)))
_NEXT_MAILED = Statement(_EARLIEST.where(is_mailed_update))
_NEXT_CALL = Statement(_EARLIEST.where(is_called_update))


def _earliest(connection: Connection, asking: Statement) -> datetime | None:
    (row,) = asking.rows(connection)
    earliest: datetime | None = row[0]
    return earliest


def of_incident_to_employees(connection: Connection, incident_id: int) -> tuple[Delivery, ...]:
    """Read the mails that employees got about an incident, oldest first."""
    wanted = deliveries.c.incident_id == incident_id, deliveries.c.update_id.is_(None)
    query = select(deliveries).where(*wanted).order_by(deliveries.c.id)
    return tuple(map(_delivery, connection.execute(query)))


def get_by_public_id(connection: Connection, public_id: str) -> Delivery | None:
    """Read one delivery."""
    query = select(deliveries).where(deliveries.c.public_id == public_id)
    row = connection.execute(query).one_or_none()
    return None if row is None else _delivery(row)


def _delivery(row: Row[Any]) -> Delivery:
    return Delivery(
        id=row.id,
        public_id=row.public_id,
        kind=DeliveryKind(row.kind),
        recipient=row.recipient,
        created_at=row.created_at,
        due_at=row.due_at,
        attempts=row.attempts,
        incident_id=row.incident_id,
        update_id=row.update_id,
        employee_id=row.employee_id,
        subscriber_id=row.subscriber_id,
        facts=row.facts,
        sent_at=row.sent_at,
        failed_at=row.failed_at,
        bounced_at=row.bounced_at,
        last_error=row.last_error,
        may_have_arrived_at=row.may_have_arrived_at,
    )
