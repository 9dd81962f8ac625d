"""Deliveries as the dashboard lists them, page by page, and how many stand how. It only reads.

However many deliveries there are, no more than LOOKED_THROUGH rows are looked at for a page, and MOST_COUNTED for a
figure.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from heapq import merge
from itertools import islice
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, and_, func, or_, select

from service.model import DeliveryKind
from service.store.looking_through import look_through
from service.store.schema import deliveries, is_called_update, is_lost, is_mailed_update, updates

LOOKED_THROUGH: Final = 10_000
MOST_COUNTED: Final = 1_000
MOST_OF_ONE: Final = 1_000
"""Deliveries to one subscriber among which is searched; nobody gets as many in years."""
_COLUMNS: Final = (
    *(deliveries.c[name] for name in ("id", "kind", "recipient", "created_at", "due_at", "attempts")),
    *(deliveries.c[name] for name in ("incident_id", "update_id", "employee_id", "subscriber_id")),
    *(deliveries.c[name] for name in ("sent_at", "failed_at", "bounced_at", "last_error")),
)


class Stands(StrEnum):
    """How a delivery stands."""

    DUE = "due"
    LATER = "later"
    """On its way at this moment, or tried again later."""
    LOST = "lost"
    """It failed for good, or came back."""
    SENT = "sent"
    CANCELLED = "cancelled"


class Audience(StrEnum):
    """To whom a delivery is; each has an index of what waits."""

    PERSON = "person"
    """To employees, and to whoever asked for a link."""
    SUBSCRIBERS = "subscribers"
    WEBHOOKS = "webhooks"


_TO: Final = {
    Audience.PERSON: deliveries.c.update_id.is_(None),
    Audience.SUBSCRIBERS: is_mailed_update,
    Audience.WEBHOOKS: is_called_update,
}


@dataclass(frozen=True, slots=True)
class ListedDelivery:
    """A delivery without what its mail says."""

    id: int
    kind: DeliveryKind
    recipient: str
    created_at: datetime
    due_at: datetime | None
    attempts: int
    incident_id: int | None
    update_id: int | None
    employee_id: str | None
    subscriber_id: int | None
    sent_at: datetime | None
    failed_at: datetime | None
    bounced_at: datetime | None
    last_error: str

    def stands(self, now: datetime) -> Stands:
        """Tell how it stands."""
        if self.failed_at or self.bounced_at:
            return Stands.LOST
        if self.sent_at:
            return Stands.SENT
        if self.due_at is None:
            return Stands.CANCELLED
        return Stands.DUE if self.due_at <= now else Stands.LATER


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for; what is left empty does not matter."""

    stands: Stands | None = None
    to: Audience | None = None
    kind: DeliveryKind | None = None
    incident_id: int | None = None
    subscriber_id: int | None = None
    recipient: str = ""
    """A whole address, of somebody who is no subscriber."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a page ends; `due_at` is given where what waits is listed, the longest waiting first."""

    id: int
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A page of deliveries."""

    deliveries: Sequence[ListedDelivery] = field(default=())
    next: Mark | None = None
    """Where the next page begins; there may be none on it where little is found among many."""


def listed(connection: Connection, search: Search, now: datetime, *, after: Mark | None, limit: int) -> Found:
    """Read a page: what waits by the time at which it is due, all else newest first."""
    is_of_one = search.subscriber_id is not None or search.incident_id is not None or bool(search.recipient)
    if search.stands in {Stands.DUE, Stands.LATER} and not is_of_one:
        return _waiting(connection, search, now, after, limit)
    return _newest_first(connection, search, now, after.id if after else None, limit)


def _waiting(connection: Connection, search: Search, now: datetime, after: Mark | None, limit: int) -> Found:
    wanted = [_stand(search.stands, now), *_kind(search)]
    if after is not None and after.due_at is not None:
        column, at = deliveries.c.due_at, after.due_at
        wanted.append(or_(column > at, and_(column == at, deliveries.c.id > after.id)))
        wanted.append(column >= at)
    of_each = [
        [_delivery(row) for row in connection.execute(_page_of(wanted, to, limit + 1))]
        for to in (Audience if search.to is None else (search.to,))
    ]
    found = list(islice(merge(*of_each, key=lambda one: (one.due_at, one.id)), limit + 1))
    last = found[:limit][-1] if len(found) > limit else None
    return Found(found[:limit], Mark(last.id, last.due_at) if last else None)


def _page_of(wanted: Sequence[ColumnElement[bool]], to: Audience, limit: int) -> Any:  # noqa: ANN401  a Select of many types
    query = select(*_COLUMNS).where(deliveries.c.due_at.is_not(None), _TO[to], *wanted)
    return query.order_by(deliveries.c.due_at, deliveries.c.id).limit(limit)


def _newest_first(
    connection: Connection, search: Search, now: datetime, before: int | None, limit: int
) -> Found:
    filters = [*_kind(search)]
    if search.stands is not None:
        filters.append(_stand(search.stands, now))
    if search.to is not None:
        filters.append(_TO[search.to])
    if search.recipient:
        filters.append(deliveries.c.recipient == search.recipient)
    sources = _sources(connection, search)
    found = look_through(
        connection, _COLUMNS, sources, filters, before=before, most=LOOKED_THROUGH, limit=limit
    )
    following = None if found.next_before is None else Mark(found.next_before)
    return Found(tuple(map(_delivery, found.rows)), following)


def _sources(connection: Connection, search: Search) -> Iterator[tuple[ColumnElement[bool], ...]]:
    """Give the parts of the table to look through, each of which an index gives in the order of the ids."""
    if search.subscriber_id is not None:
        theirs = select(deliveries.c.id).where(deliveries.c.subscriber_id == search.subscriber_id)
        ids = connection.execute(theirs.limit(MOST_OF_ONE)).scalars().all()
        about = () if search.incident_id is None else (deliveries.c.incident_id == search.incident_id,)
        yield (deliveries.c.id.in_(ids), *about)
    elif search.incident_id is not None:
        of_it = deliveries.c.incident_id == search.incident_id
        yield of_it, deliveries.c.update_id.is_(None)
        about_it = select(updates.c.id).where(updates.c.incident_id == search.incident_id)
        for update_id in connection.execute(about_it).scalars().all():
            yield of_it, deliveries.c.update_id == update_id
    elif search.stands is Stands.LOST:
        yield (is_lost,)
    else:
        yield ()


def _kind(search: Search) -> list[ColumnElement[bool]]:
    return [] if search.kind is None else [deliveries.c.kind == search.kind]


def _stand(stands: Stands | None, now: datetime) -> ColumnElement[bool]:
    match stands:
        case Stands.DUE:
            return deliveries.c.due_at <= now
        case Stands.LATER:
            return deliveries.c.due_at > now
        case Stands.SENT:
            return and_(deliveries.c.sent_at.is_not(None), deliveries.c.bounced_at.is_(None))
        case Stands.LOST:
            return is_lost
        case _:
            ended = deliveries.c.sent_at.is_not(None), deliveries.c.failed_at.is_not(None)
            return and_(deliveries.c.due_at.is_(None), ~or_(*ended))


@dataclass(frozen=True, slots=True)
class Figures:
    """How many deliveries wait, and since when; MOST_COUNTED + 1 stands for more than MOST_COUNTED."""

    due: int
    later: int
    lost: int
    oldest_due_at: datetime | None


def figures(connection: Connection, now: datetime) -> Figures:
    """Count what waits and what was lost, up to a bound."""
    due = [deliveries.c.due_at <= now, deliveries.c.due_at.is_not(None)]
    later = [deliveries.c.due_at > now, deliveries.c.due_at.is_not(None)]
    firsts = [
        connection.execute(select(func.min(deliveries.c.due_at)).where(*due, to)).scalar_one()
        for to in _TO.values()
    ]
    return Figures(
        due=_most(sum(_count(connection, *due, to) for to in _TO.values())),
        later=_most(sum(_count(connection, *later, to) for to in _TO.values())),
        lost=_count(connection, is_lost, deliveries.c.id > 0),
        oldest_due_at=min((at for at in firsts if at is not None), default=None),
    )


def _most(number: int) -> int:
    return min(number, MOST_COUNTED + 1)


def _count(connection: Connection, *wanted: ColumnElement[bool]) -> int:
    some = select(deliveries.c.id).where(*wanted).limit(MOST_COUNTED + 1).subquery()
    return int(connection.execute(select(func.count()).select_from(some)).scalar_one())


def get(connection: Connection, delivery_id: int) -> ListedDelivery | None:
    """Read one delivery."""
    row = connection.execute(select(*_COLUMNS).where(deliveries.c.id == delivery_id)).one_or_none()
    return None if row is None else _delivery(row)


def _delivery(row: Row[Any]) -> ListedDelivery:
    kind = DeliveryKind(row.kind)
    return ListedDelivery(**{**row._mapping, "kind": kind})  # noqa: SLF001  SQLAlchemy's public name for it
