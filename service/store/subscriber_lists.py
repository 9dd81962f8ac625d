"""Rows of many subscribers at once: importing, exporting, searching. One by one they are in `subscribers`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Connection, Select, bindparam, delete, func, insert, select, update

from service.model import Channel, Subscriber, SubscriberState
from service.store.schema import choices, subscribers
from service.store.subscribers import key_of, read_many

AT_ONCE = 500
"""Rows in one statement: SQLite takes a bounded number of parameters."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Wish:
    """What an import says of one address."""

    public_id: str
    unsubscribe_hash: str
    channel: Channel
    address: str
    components: tuple[str, ...] | None
    groups: tuple[str, ...]
    phone: str
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """How an address stands that is known already."""

    id: int
    state: SubscriberState
    is_suppressed: bool


def standings(connection: Connection, addresses: Sequence[str]) -> Mapping[str, Standing]:
    """Find which of many addresses are known, by their key."""
    table, found = subscribers.c, {}
    query = select(table.id, table.address_key, table.state, table.suppressed_at)
    for some in _chunks([key_of(one) for one in addresses]):
        for row in connection.execute(query.where(table.address_key.in_(some))):
            standing = Standing(row.id, SubscriberState(row.state), row.suppressed_at is not None)
            found[row.address_key] = standing
    return found


def _chunks(many: Sequence[_T]) -> Iterator[Sequence[_T]]:
    return (many[at : at + AT_ONCE] for at in range(0, len(many), AT_ONCE))


def add_all(
    connection: Connection, wishes: Sequence[Wish], now: datetime, *, state: SubscriberState
) -> Mapping[str, int]:
    """Write new subscribers, all in one state; gives their ids by the key of their address."""
    confirmed_at = now if state is SubscriberState.CONFIRMED else None
    added: dict[str, int] = {}
    for some in _chunks(wishes):
        rows = [
            {
                "public_id": one.public_id,
                "channel": one.channel,
                "address": one.address,
                "address_key": key_of(one.address),
                "state": state,
                "created_at": now,
                "confirmed_at": confirmed_at,
                "unsubscribe_hash": one.unsubscribe_hash,
            }
            for one in some
        ]
        wanted = subscribers.c.id, subscribers.c.address_key
        for row in connection.execute(insert(subscribers).returning(*wanted), rows):
            added[row.address_key] = row.id
    return added


def choose_all(connection: Connection, wishes: Mapping[int, Wish]) -> None:
    """Write what many subscribers, by their ids, want to hear of, in place of what they wanted before."""
    for some in _chunks(list(wishes.items())):
        connection.execute(delete(choices).where(choices.c.subscriber_id.in_([one for one, _ in some])))
        connection.execute(
            update(subscribers)
            .where(subscribers.c.id == bindparam("subscriber"))
            .values(
                all_components=bindparam("everything"), phone=bindparam("number"), tags=bindparam("labels")
            ),
            [
                {
                    "subscriber": one,
                    "everything": wish.components is None,
                    "number": wish.phone,
                    "labels": list(wish.tags),
                }
                for one, wish in some
            ],
        )
        chosen = [
            {"subscriber_id": one, "kind": kind, "name": name}
            for one, wish in some
            for kind, names in (("component", wish.components or ()), ("group", wish.groups))
            for name in names
        ]
        if chosen:
            connection.execute(insert(choices), chosen)


def every_one(connection: Connection) -> Iterator[Subscriber]:
    """Read all who have confirmed, some at a time, in the order in which they came."""
    last_id = 0
    while True:
        query = select(subscribers).where(
            subscribers.c.id > last_id, subscribers.c.state == SubscriberState.CONFIRMED
        )
        some = read_many(connection, query.order_by(subscribers.c.id).limit(AT_ONCE))
        yield from some
        if len(some) < AT_ONCE:
            return
        last_id = some[-1].id


def search(
    connection: Connection, *, text: str = "", state: str = "", before_id: int | None = None, limit: int
) -> tuple[Subscriber, ...]:
    """Read subscribers, newest first: those whose address holds a text, and who are in a state.

    `state` is one of SubscriberState, `suppressed`, or nothing.
    """
    query = _in_state(select(subscribers), state)
    if text:
        query = query.where(subscribers.c.address_key.contains(text.casefold(), autoescape=True))
    if before_id is not None:
        query = query.where(subscribers.c.id < before_id)
    return read_many(connection, query.order_by(subscribers.c.id.desc()).limit(limit))


def _in_state(query: Select[Any], state: str) -> Select[Any]:
    if state == "suppressed":
        return query.where(subscribers.c.suppressed_at.is_not(None))
    if state:
        return query.where(subscribers.c.state == state, subscribers.c.suppressed_at.is_(None))
    return query


@dataclass(frozen=True, slots=True)
class Tally:
    """How many subscribers there are, by how they stand."""

    confirmed: int = 0
    pending: int = 0
    unsubscribed: int = 0
    suppressed: int = 0


def tally(connection: Connection) -> Tally:
    """Count all subscribers."""
    suppressed = subscribers.c.suppressed_at.is_not(None)
    query = select(subscribers.c.state, suppressed, func.count()).group_by(subscribers.c.state, suppressed)
    counts: dict[str, int] = {}
    for state, is_suppressed, number in connection.execute(query):
        name = "suppressed" if is_suppressed else str(state)
        counts[name] = counts.get(name, 0) + number
    return Tally(**counts)
