"""Who hears of an update: queries over subscribers, their choices and what was sent to them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import BigInteger, BindParameter, Connection, and_, bindparam, exists, func, or_, select

from service.model import Channel, SubscriberState
from service.store.schema import choices, deliveries, subscribers
from service.store.statements import Statement


@dataclass(frozen=True, slots=True)
class Audience:
    """Who shall hear of an update: those who were sent another one, or those who want to hear of such things."""

    heard_update_id: int | None = None
    """Exactly those who were sent, or are about to be sent, this one; nothing else counts then."""
    components: tuple[str, ...] = ()
    """Those who chose one of these, or chose none; of what affects no component, all."""
    groups: tuple[str, ...] = ()
    """Those who are in one of these; none named: all."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """What a delivery needs of a subscriber."""

    id: int
    public_id: str
    address: str
    channel: Channel


@dataclass(frozen=True, slots=True)
class Reach:
    """How many hear of an update."""

    mails: int = 0
    webhooks: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.mails + self.webhooks

    @property
    def subscribers(self) -> str:
        """For a person: `1,204 subscribers by mail and 31 webhooks`; "" where nobody hears of it."""
        mails = f"{self.mails:,} subscriber{'' if self.mails == 1 else 's'} by mail" if self.mails else ""
        calls = f"{self.webhooks:,} webhook{'' if self.webhooks == 1 else 's'}" if self.webhooks else ""
        return " and ".join(filter(None, (mails, calls)))

    def __bool__(self) -> bool:
        """Whether anybody hears of it."""
        return self.total > 0


def count(connection: Connection, audience: Audience) -> Reach:
    """Count who would hear of it now."""
    if audience.heard_update_id is None:
        rows = _counting(audience).rows(connection)
    else:
        rows = _COUNT_HEARD.rows(connection, heard=audience.heard_update_id)
    by_channel = {row[0]: row[1] for row in rows}
    mails = by_channel.pop(Channel.EMAIL.value, 0)
    return Reach(mails, sum(by_channel.values()))


def next_to_tell(
    connection: Connection, audience: Audience, *, posted_at: datetime, after_id: int, limit: int
) -> Sequence[Recipient]:
    """Read the next few who shall hear of an update that was posted at a time, in the order of their ids."""
    wanted = subscribers
    query = select(wanted.c.id, wanted.c.public_id, wanted.c.address, wanted.c.channel)
    query = query.where(subscribers.c.id > after_id, *_hears(audience))
    if audience.heard_update_id is None:
        query = query.where(subscribers.c.confirmed_at <= posted_at)
    rows = connection.execute(query.order_by(subscribers.c.id).limit(limit))
    return tuple(Recipient(row.id, row.public_id, row.address, Channel(row.channel)) for row in rows)


_is_reached = subscribers.c.state == SubscriberState.CONFIRMED, subscribers.c.suppressed_at.is_(None)


def _hears(audience: Audience) -> list[Any]:
    conditions: list[Any] = [*_is_reached]
    if audience.heard_update_id is not None:
        return [*conditions, _heard(audience.heard_update_id)]
    if audience.components:
        conditions.append(or_(subscribers.c.all_components, _chose("component", audience.components)))
    if audience.groups:
        conditions.append(_chose("group", audience.groups))
    return conditions


def _chose(kind: str, names: Sequence[str]) -> Any:  # noqa: ANN401  SQLAlchemy's types say less than this name
    theirs = choices.c.subscriber_id == subscribers.c.id, choices.c.kind == kind, choices.c.name.in_(names)
    return exists().where(*theirs)


def _heard(update_id: int | BindParameter[int]) -> Any:  # noqa: ANN401  as above
    theirs = and_(deliveries.c.subscriber_id == subscribers.c.id, deliveries.c.update_id == update_id)
    # one that was cancelled or failed for good was never read
    return exists().where(theirs, or_(deliveries.c.sent_at.is_not(None), deliveries.c.due_at.is_not(None)))


def _count_by_channel(*conditions: Any) -> Statement:  # noqa: ANN401  as above
    query = select(subscribers.c.channel, func.count().label("number")).where(*conditions)
    return Statement(query.group_by(subscribers.c.channel))


_COUNT_HEARD = _count_by_channel(*_is_reached, _heard(bindparam("heard", type_=BigInteger)))


@lru_cache(maxsize=128)
def _counting(audience: Audience) -> Statement:
    """Put a count together once for each choice of components and groups: that takes longer than the counting."""
    return _count_by_channel(*_hears(audience))
