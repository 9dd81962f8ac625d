"""Rows of an update on its way to many subscribers: queued, sent and cancelled by the hundred."""

from collections import Counter
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, exists, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from service.model import Delivery, DeliveryKind, Update, UpdateStatus
from service.store import progress
from service.store.deliveries import NewDelivery
from service.store.prepared import Prepared, drivers_own
from service.store.schema import deliveries, is_called_update, is_mailed_update, updates

_is_waiting = deliveries.c.due_at.is_not(None)
_COLUMNS = ("public_id", "occasion", "kind", "recipient", "created_at", "due_at", "attempts", "incident_id",
            "update_id", "subscriber_id", "facts")  # fmt: skip


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

    What was claimed and of which nothing is known may have arrived: it stays.
    """
    earlier = select(updates.c.id).where(
        updates.c.incident_id == said.incident_id, updates.c.id < said.id, updates.c.corrects_id.is_(None)
    )
    # a sum is looked up in no index: of these few that wait, and not of all that were ever sent
    unsent = (
        (deliveries.c.update_id + 0).in_(earlier),
        or_(deliveries.c.attempts == 0, deliveries.c.last_error != ""),
    )
    number = 0
    for of_the_kind in (is_mailed_update, is_called_update):
        some = select(deliveries.c.id).where(_is_waiting, of_the_kind, *unsent)
        some = some.order_by(deliveries.c.due_at, deliveries.c.id).limit(limit)
        cancelled = update(deliveries).where(deliveries.c.id.in_(some)).values(due_at=None, last_error=why)
        update_ids = connection.execute(cancelled.returning(deliveries.c.update_id)).scalars()
        for update_id, count in Counter(update_ids).items():
            progress.count(connection, update_id, cancelled=count)
            number += count
    return number


def cancel_unheard(connection: Connection, failed: Delivery) -> None:
    """Cancel what a subscriber was to hear of something of which nothing reached it: nobody hears an end alone."""
    own, other = updates.alias("own"), updates.alias("other")
    same = or_(own.c.incident_id == other.c.incident_id, own.c.maintenance_id == other.c.maintenance_id)
    about_it = select(other.c.id).where(own.c.id == failed.update_id, same)
    theirs = deliveries.c.subscriber_id == failed.subscriber_id, deliveries.c.update_id.in_(about_it)
    reached = select(exists().where(*theirs, deliveries.c.sent_at.is_not(None)))
    earlier = select(exists().where(*theirs, deliveries.c.id < failed.id, _is_waiting))
    if connection.execute(reached).scalar_one() or connection.execute(earlier).scalar_one():
        return
    later = update(deliveries).where(*theirs, deliveries.c.id > failed.id, _is_waiting)
    cancelled = later.values(due_at=None, last_error="the first mail about it failed")
    for update_id in connection.execute(cancelled.returning(deliveries.c.update_id)).scalars():
        progress.count(connection, update_id, cancelled=1)


def queue(
    connection: Connection,
    said: Update,
    new: Sequence[NewDelivery],
    now: datetime,
    *,
    lease: timedelta | None,
) -> Chunk:
    """Queue deliveries of an update, of the subscribers' ids in ascending order.

    With a lease the mails among them are claimed at once, as `claim_due` does, save those that have to wait for
    an earlier mail about the same incident.
    """
    if not new:
        return Chunk()
    waits = _waiting_for_earlier(connection, said, new)
    leased = {
        one.public_id
        for one in new
        if lease and one.kind is not DeliveryKind.WEBHOOK_CALL and one.subscriber_id not in waits
    }
    last_id = connection.execute(select(func.max(deliveries.c.id))).scalar_one() or 0
    _insert(connection, new, leased, now, now + lease if lease else now)
    added = select(deliveries.c.id, deliveries.c.public_id).where(
        deliveries.c.id > last_id, (deliveries.c.update_id + 0) == said.id
    )
    ids = {row.public_id: row.id for row in connection.execute(added)}
    progress.count(connection, said.id, queued=len(ids))
    return Chunk(
        tuple(
            Delivery(
                id=ids[one.public_id],
                public_id=one.public_id,
                kind=one.kind,
                recipient=one.recipient,
                created_at=now,
                due_at=now + lease,
                attempts=1,
                incident_id=one.incident_id,
                update_id=one.update_id,
                subscriber_id=one.subscriber_id,
                facts=one.facts,
            )
            for one in new
            if lease and one.public_id in leased and one.public_id in ids
        )
    )


def _waiting_for_earlier(connection: Connection, said: Update, new: Sequence[NewDelivery]) -> frozenset[int]:
    """Find the subscribers among these who have not got an earlier mail about the same thing yet."""
    of_the_same_work = select(updates.c.id).where(updates.c.maintenance_id == said.maintenance_id)
    # sums are looked up in no index, as above
    theirs = (
        (deliveries.c.incident_id + 0) == said.incident_id
        if said.maintenance_id is None
        else (deliveries.c.update_id + 0).in_(of_the_same_work),
        (deliveries.c.subscriber_id + 0).between(new[0].subscriber_id, new[-1].subscriber_id),
    )
    query = select(deliveries.c.subscriber_id).where(_is_waiting, is_mailed_update, *theirs)
    return frozenset(connection.execute(query).scalars())


def _insert(
    connection: Connection,
    new: Sequence[NewDelivery],
    leased: AbstractSet[str],
    now: datetime,
    lease_ends: datetime,
) -> None:
    dialect = connection.dialect
    inserts = postgresql if dialect.name == "postgresql" else sqlite
    statement = inserts.insert(deliveries).values({name: bindparam(name) for name in _COLUMNS})
    prepared = Prepared(statement.on_conflict_do_nothing(index_elements=["occasion"]), dialect)
    time, facts = (drivers_own(deliveries.c[name].type, dialect) for name in ("due_at", "facts"))
    created_at, due = time(now), {True: time(lease_ends), False: time(now)}
    rows = [
        prepared.given(
            public_id=one.public_id,
            occasion=one.occasion,
            kind=one.kind.value,
            recipient=one.recipient,
            created_at=created_at,
            due_at=due[one.public_id in leased],
            attempts=int(one.public_id in leased),
            incident_id=one.incident_id,
            update_id=one.update_id,
            subscriber_id=one.subscriber_id,
            facts=facts(one.facts),
        )
        for one in new
    ]
    connection.exec_driver_sql(prepared.text, rows)
