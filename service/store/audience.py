"""Who hears of an update: queries over subscribers, their choices and what was sent to them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    Connection,
    Select,
    and_,
    bindparam,
    exists,
    func,
    not_,
    or_,
    select,
)

from service.model import Channel
from service.store import chosen_components, in_doubt, progress
from service.store.schema import choices, deliveries, is_reached, subscribers
from service.store.statements import Statement

MANY = 20_000
"""To count so many anew takes so long that others would have to wait for it."""


@dataclass(frozen=True, slots=True)
class Audience:
    """Who shall hear of an update: those who were sent another one, or those who want to hear of such things."""

    heard_update_id: int | None = None
    """Exactly those who were sent, or are about to be sent, this one; nothing else counts then."""
    components: tuple[str, ...] = ()
    """Those who chose one of these, or chose none; of what affects no component, all."""
    known: tuple[str, ...] = ()
    """The components that there are: whoever chose none of them hears of what affects any. Left out: not asked."""
    groups: tuple[str, ...] = ()
    """Those who are in one of these; none named: all."""


@dataclass(frozen=True, slots=True)
class Span:
    """Some who shall hear of an update: all of them from one id to another."""

    first_id: int
    last_id: int
    number: int
    hearing: Select[tuple[int, str, str, str]]
    """Reads their `id`, `public_id`, `address` and `channel`, in the order of their ids."""


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
    """Count who would hear of it now.

    Of an update that MANY heard, what was counted as it went out is told: who left since then counts too. Once it is
    forgotten who heard an update, nobody hears what is said to those.
    """
    if audience.heard_update_id is None:
        return _reach(_counting(audience, _lost(connection, audience)).rows(connection))
    heard = audience.heard_update_id
    told = progress.of_update(connection, heard)
    if told is None or not told.queued or told.removed_at is not None:
        return Reach()
    if max(told.queued, told.recipients) < MANY:
        return _reach(_COUNT_HEARD.rows(connection, heard=heard))
    webhooks = _reach(_COUNT_CALLS_HEARD.rows(connection, heard=heard)).webhooks
    return Reach(max(told.queued - told.failed - told.cancelled - webhooks, 0), webhooks)


def _reach(rows: Sequence[tuple[str, int]]) -> Reach:
    by_channel = dict(rows)
    mails = by_channel.pop(Channel.EMAIL.value, 0)
    return Reach(mails, sum(by_channel.values()))


def next_to_tell(
    connection: Connection, audience: Audience, *, posted_at: datetime, after_id: int, limit: int
) -> Span | None:
    """Find the next few who shall hear of an update that was posted at a time; None where there are no more."""
    lost = _lost(connection, audience)
    all_left = hearing(audience, posted_at=posted_at, after_id=after_id, lost=lost)
    some = all_left.with_only_columns(subscribers.c.id).limit(limit).subquery()
    ends = select(func.min(some.c.id), func.max(some.c.id), func.count()).select_from(some)
    first_id, last_id, number = connection.execute(ends).one()
    if not number:
        return None
    return Span(first_id, last_id, number, all_left.where(subscribers.c.id <= last_id))


def hearing(
    audience: Audience, *, posted_at: datetime, after_id: int, lost: tuple[str, ...] = ()
) -> Select[tuple[int, str, str, str]]:
    """Select those behind an id who shall hear of an update that was posted at a time.

    `lost` are names that were chosen and are no components.
    """
    wanted = subscribers.c
    query = select(wanted.id, wanted.public_id, wanted.address, wanted.channel)
    query = query.where(wanted.id > after_id, *_hears(audience, lost)).order_by(wanted.id)
    if audience.heard_update_id is None:
        query = query.where(wanted.confirmed_at <= posted_at)
    return query


def _lost(connection: Connection, audience: Audience) -> tuple[str, ...]:
    """Name what was chosen and is no component: mostly there is none, and nobody's choices need be looked at twice."""
    if audience.heard_update_id is not None or not (audience.components and audience.known):
        return ()
    return chosen_components.names_besides(connection, audience.known)


def _hears(audience: Audience, lost: tuple[str, ...]) -> list[Any]:
    conditions: list[Any] = [is_reached]
    if audience.heard_update_id is not None:
        return [*conditions, _heard(audience.heard_update_id)]
    if audience.components:
        wants = [subscribers.c.all_components, _chose("component", audience.components)]
        if lost:
            wants.append(and_(_chose("component", lost), not_(_chose("component", audience.known))))
        conditions.append(or_(*wants))
    if audience.groups:
        conditions.append(_chose("group", audience.groups))
    return conditions


def _chose(kind: str, names: Sequence[str]) -> Any:  # noqa: ANN401  SQLAlchemy's types say less than this name
    theirs = choices.c.subscriber_id == subscribers.c.id, choices.c.kind == kind, choices.c.name.in_(names)
    return exists().where(*theirs)


def _heard(update_id: int | BindParameter[int]) -> Any:  # noqa: ANN401  as above
    theirs = and_(deliveries.c.subscriber_id == subscribers.c.id, deliveries.c.update_id == update_id)
    return exists().where(theirs, in_doubt.reaches(deliveries))


def _count_by_channel(*conditions: Any) -> Statement:  # noqa: ANN401  as above
    query = select(subscribers.c.channel, func.count().label("number")).where(*conditions)
    return Statement(query.group_by(subscribers.c.channel))


_COUNT_HEARD, _COUNT_CALLS_HEARD = (
    _count_by_channel(is_reached, *channels, _heard(bindparam("heard", 0, type_=BigInteger)))
    for channels in ([], [subscribers.c.channel.in_([one for one in Channel if one is not Channel.EMAIL])])
)


@lru_cache(maxsize=128)
def _counting(audience: Audience, lost: tuple[str, ...]) -> Statement:
    """Put a count together once for each choice of components and groups: that takes longer than the counting."""
    return _count_by_channel(*_hears(audience, lost))
