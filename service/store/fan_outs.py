"""Rows of an update on its way to many subscribers: queued, sent and cancelled by the hundred."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Dialect,
    Integer,
    Text,
    and_,
    case,
    cast,
    exists,
    func,
    literal,
    or_,
    select,
    update,
)

from service.model import Channel, Delivery, DeliveryKind, Update, UpdateStatus
from service.store import in_doubt, progress
from service.store.audience import Span
from service.store.columns import UtcDateTime
from service.store.deliveries import ALONE
from service.store.inserting import insert_into
from service.store.schema import deliveries, is_called_update, is_mailed_update, updates

_is_waiting = deliveries.c.due_at.is_not(None)


@dataclass(frozen=True, slots=True)
class Chunk:
    """A step of a fan-out; `claimed` are the mails that it claimed for whoever took the step."""

    claimed: tuple[Delivery, ...] = ()


def begin(connection: Connection, update_id: int, recipients: int, now: datetime) -> None:
    """Remember how many shall hear of an update, and since when they do."""
    unbegun = update(updates).where(updates.c.id == update_id, updates.c.fan_out_began_at.is_(None))
    connection.execute(unbegun.values(recipients=recipients, fan_out_began_at=now))


def is_outdated(connection: Connection, said: Update) -> bool:
    """Whether its incident was declared over since, so that who did not hear of it yet shall not any more."""
    end_id = _end_of(connection, said)
    return end_id is not None and end_id > said.id


def is_end(connection: Connection, said: Update) -> bool:
    """Whether it is the one that declares its incident over; what follows that puts an end to nothing."""
    return _end_of(connection, said) == said.id


def _end_of(connection: Connection, said: Update) -> int | None:
    if said.incident_id is None or said.corrects_id is not None:
        return None  # whoever read what was wrong is told so, also when it is over
    resolved = (
        updates.c.incident_id == said.incident_id,
        updates.c.status == UpdateStatus.RESOLVED,
        updates.c.corrects_id.is_(None),
    )
    first: int | None = connection.execute(select(func.min(updates.c.id)).where(*resolved)).scalar_one()
    return first


def cancel_unsent(connection: Connection, said: Update, why: str, *, limit: int) -> int:
    """Cancel some deliveries of an incident's earlier updates that have not left; gives how many.

    What may have arrived stays, and what somebody has in hand. All that a reader was to hear goes at once: a later one
    would go out where nothing waits before it any more. So do corrections of what does not reach him.
    """
    before = updates.c.incident_id == said.incident_id, updates.c.id < said.id
    told = select(updates.c.id).where(*before, updates.c.corrects_id.is_(None))
    corrections = select(updates.c.id).where(*before, updates.c.corrects_id.is_not(None))
    number = 0
    for of_the_kind in (is_mailed_update, is_called_update):
        # a sum is looked up in no index: of these few that wait, and not of all that were ever sent
        unsent = _is_waiting, of_the_kind, (deliveries.c.update_id + 0).in_(told), in_doubt.has_not_left
        some = (
            select(deliveries.c.id).where(*unsent).order_by(deliveries.c.due_at, deliveries.c.id).limit(limit)
        )
        # said once more, for on PostgreSQL by this alone one is looked at again that somebody claimed beside us
        still = deliveries.c.id.in_(some), _is_waiting, in_doubt.has_not_left
        if not (readers := _cancel(connection, still, why)):
            continue
        theirs = deliveries.c.subscriber_id.in_(set(readers) - {None}), _is_waiting
        readers += _cancel(
            connection, (*theirs, deliveries.c.update_id.in_(told), in_doubt.has_not_left), why
        )
        number += len(readers)
        number += _cancel_corrections(connection, (*theirs, deliveries.c.update_id.in_(corrections)), why)
    return number


def _cancel(connection: Connection, which: Sequence[ColumnElement[bool]], why: str) -> list[int | None]:
    """Cancel and count; gives whose deliveries they were."""
    cancelled = update(deliveries).where(*which).values(due_at=None, last_error=why)
    rows = connection.execute(cancelled.returning(deliveries.c.update_id, deliveries.c.subscriber_id)).all()
    for update_id, number in Counter(row.update_id for row in rows).items():
        progress.count(connection, update_id, cancelled=number)
    return [row.subscriber_id for row in rows]


def _cancel_corrections(connection: Connection, among: Sequence[ColumnElement[bool]], why: str) -> int:
    """Cancel those corrections of what does not reach their readers, and corrections of them; gives how many."""
    original, correction = deliveries.alias("original"), updates.alias("correction")
    of_it = correction.c.id == deliveries.c.update_id, correction.c.corrects_id == original.c.update_id
    same_reader = original.c.subscriber_id == deliveries.c.subscriber_id
    is_unheard = ~exists().where(*of_it, same_reader, in_doubt.reaches(original))
    number = 0
    while cancelled := _cancel(connection, (*among, is_unheard), why):
        number += len(cancelled)
    return number


def cancel_unheard(connection: Connection, failed: Delivery) -> None:
    """Cancel what a subscriber was to hear after something that did not reach it.

    Those are corrections of that; and where nothing of the same thing reached it, all: nobody hears an end alone.
    """
    own, other = updates.alias("own"), updates.alias("other")
    same = or_(own.c.incident_id == other.c.incident_id, own.c.maintenance_id == other.c.maintenance_id)
    about_it = select(other.c.id).where(own.c.id == failed.update_id, same)
    theirs = deliveries.c.subscriber_id == failed.subscriber_id, deliveries.c.update_id.in_(about_it)
    later = *theirs, deliveries.c.id > failed.id, _is_waiting
    corrections = deliveries.c.update_id.in_(about_it.where(other.c.corrects_id.is_not(None)))
    _cancel_corrections(connection, (*later, corrections), "what it corrects failed")
    arrived = or_(deliveries.c.sent_at.is_not(None), deliveries.c.may_have_arrived_at.is_not(None))
    reached = select(exists().where(*theirs, arrived))
    earlier = select(exists().where(*theirs, deliveries.c.id < failed.id, _is_waiting))
    if not (connection.execute(reached).scalar_one() or connection.execute(earlier).scalar_one()):
        _cancel(connection, later, "the first mail about it failed")


def queue(
    connection: Connection,
    said: Update,
    kind: DeliveryKind,
    span: Span,
    now: datetime,
    *,
    lease: timedelta | None,
    claimed_by: int = ALONE,
) -> Chunk:
    """Queue the deliveries of an update for some subscribers, mails of a kind and calls.

    With a lease the mails among them are claimed at once, as `claim_due` does, save those that have to wait for
    an earlier mail about the same incident.
    """
    hearing, lease_ends = span.hearing.subquery(), now + (lease or timedelta(0))
    is_claimed = and_(
        literal(lease is not None),
        hearing.c.channel == Channel.EMAIL.value,
        hearing.c.id.not_in(_waiting_for_earlier(connection, said, span)),
    )
    # nothing is done for each of them here: the database does that in a third of the time
    values: dict[str, Any] = {
        "public_id": _public_id(connection.dialect),
        "occasion": literal(f"update:{said.id}:") + cast(hearing.c.id, Text),
        "kind": case(
            (hearing.c.channel == Channel.EMAIL.value, kind.value), else_=DeliveryKind.WEBHOOK_CALL.value
        ),
        "recipient": hearing.c.address,
        "created_at": literal(now, UtcDateTime),
        "due_at": case((is_claimed, literal(lease_ends, UtcDateTime)),
                       else_=literal(now, UtcDateTime)),
        "attempts": cast(is_claimed, Integer),
        "claimed_by": case((is_claimed, literal(claimed_by, Integer))),
        "incident_id": literal(said.incident_id, BigInteger),
        "update_id": literal(said.id, BigInteger),
        "subscriber_id": hearing.c.id,
        "facts": _facts(connection.dialect, hearing.c.public_id),
    }  # fmt: skip
    rows = select(*values.values()).order_by(hearing.c.id)
    added = (
        insert_into(deliveries, connection.dialect)
        .from_select(list(values), rows)
        .on_conflict_do_nothing(index_elements=["occasion"])
        .returning(*_RETURNED)
    )
    queued = connection.execute(added).all()
    progress.count(connection, said.id, queued=len(queued))
    claimed = [
        Delivery(
            id=number,
            public_id=public_id,
            kind=kind,
            recipient=recipient,
            created_at=now,
            due_at=lease_ends,
            attempts=1,
            incident_id=said.incident_id,
            update_id=said.id,
            subscriber_id=subscriber_id,
            facts={_THEIR_ID: theirs},
        )
        for number, public_id, recipient, attempts, subscriber_id, theirs in queued
        if attempts
    ]
    return Chunk(tuple(sorted(claimed, key=lambda one: one.id)))


_THEIR_ID = "subscriber_public_id"
_RETURNED = [deliveries.c[name] for name in ("id", "public_id", "recipient", "attempts", "subscriber_id")]
_RETURNED.append(
    deliveries.c.facts[_THEIR_ID].as_string()
)  # to read the whole of it takes as long as the rest


def _public_id(dialect: Dialect) -> ColumnElement[str]:
    """Draw 32 hex digits from the database's generator of random numbers, which the system seeds."""
    if dialect.name == "postgresql":
        return func.replace(cast(func.gen_random_uuid(), Text), "-", "")
    return func.lower(func.hex(func.randomblob(16)))


def _facts(dialect: Dialect, public_id: ColumnElement[str]) -> ColumnElement[Any]:
    make = func.json_build_object if dialect.name == "postgresql" else func.json_object
    return make(_THEIR_ID, public_id)


def _waiting_for_earlier(connection: Connection, said: Update, span: Span) -> Sequence[int]:
    """Find the subscribers among these who have not got an earlier mail about the same thing yet."""
    of_the_same_work = select(updates.c.id).where(updates.c.maintenance_id == said.maintenance_id)
    # sums are looked up in no index, as above
    theirs = (
        (deliveries.c.incident_id + 0) == said.incident_id
        if said.maintenance_id is None
        else (deliveries.c.update_id + 0).in_(of_the_same_work),
        (deliveries.c.subscriber_id + 0).between(span.first_id, span.last_id),
    )
    query = select(deliveries.c.subscriber_id).where(_is_waiting, is_mailed_update, *theirs)
    return sorted(set(connection.execute(query).scalars()))
