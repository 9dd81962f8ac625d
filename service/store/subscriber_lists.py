"""Rows of many subscribers at once: importing, exporting, searching. One by one they are in `subscribers`."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, CursorResult, Select, Table, delete, func, select, update

from service.model import Channel, Subscriber, SubscriberState
from service.store import audience_changes
from service.store.prepared import drivers_own
from service.store.schema import choices, is_aside, is_reached, is_suppressed, subscribers
from service.store.subscribers import key_of, read_many

AT_ONCE: Final = 500
"""Rows in one statement: SQLite takes a bounded number of parameters."""
EVERYTHING: Final = frozenset({"components", "groups", "phone", "tags"})
"""What an import may say of an address, by the names of Wish."""

_KINDS: Final = {"component": "components", "group": "groups"}
_ADDED: Final = ("public_id", "channel", "address", "address_key", "state", "created_at", "unsubscribe_hash",
                 "all_components", "phone", "tags")  # fmt: skip

_T = TypeVar("_T")
Choice = tuple[int, str, str]
"""Of whom, of which kind, and what."""


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
class Changes:
    """What is to be written about subscribers who are known."""

    added: tuple[Choice, ...] = ()
    removed: tuple[Choice, ...] = ()
    changed: tuple[tuple[int, bool, str, tuple[str, ...]], ...] = ()
    """Of whom, whether it hears of all components, its telephone number and its tags."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How an address stands that is known already."""

    id: int
    state: SubscriberState
    is_suppressed: bool


def standings(connection: Connection, addresses: Sequence[str]) -> dict[str, Standing]:
    """Find which of many addresses are known, by their key."""
    found: dict[str, Standing] = {}
    for some in chunks([key_of(one) for one in addresses]):
        wanted = f"address_key IN ({_places(connection, len(some))})"
        text = f"SELECT id, address_key, state, suppressed_at IS NOT NULL FROM subscribers WHERE {wanted}"  # noqa: S608  places for values alone
        for number, key, state, is_kept_out in connection.exec_driver_sql(text, tuple(some)).all():
            found[key] = Standing(number, SubscriberState(state), bool(is_kept_out))
    return found


def chunks(many: Sequence[_T]) -> Iterator[Sequence[_T]]:
    """Part what is to be written into what one statement takes."""
    return (many[at : at + AT_ONCE] for at in range(0, len(many), AT_ONCE))


def _places(connection: Connection, number: int) -> str:
    return ", ".join(["?" if connection.dialect.paramstyle == "qmark" else "%s"] * number)


def _write(
    connection: Connection, table: Table, names: Sequence[str], rows: Sequence[Sequence[Any]], also: str
) -> CursorResult[Any]:
    """Write many rows by one statement: by SQLAlchemy's own way others would have to wait for too long."""
    one = f"({_places(connection, len(names))})"
    text = f"INSERT INTO {table.name} ({', '.join(names)}) VALUES {', '.join([one] * len(rows))} {also}"  # noqa: S608  names of the schema alone
    return connection.exec_driver_sql(text, tuple(chain.from_iterable(rows)))


def add_pending(connection: Connection, wishes: Sequence[Wish], now: datetime) -> dict[str, int]:
    """Write new subscribers with what they chose, none of whom hears of anything before it is confirmed.

    Gives the ids of those that were not known, by the key of their address; at most AT_ONCE are taken.
    """
    time, labels = (
        drivers_own(subscribers.c[name].type, connection.dialect) for name in ("created_at", "tags")
    )
    created_at = time(now)
    rows = [
        (
            one.public_id,
            one.channel.value,
            one.address,
            key_of(one.address),
            SubscriberState.PENDING.value,
            created_at,
            one.unsubscribe_hash,
            one.components is None,
            one.phone,
            labels(list(one.tags)),
        )
        for one in wishes
    ]
    also = "ON CONFLICT (address_key) DO NOTHING RETURNING id, address_key"
    added = {row.address_key: row.id for row in _write(connection, subscribers, _ADDED, rows, also)}
    of_new = {added[key]: one for one in wishes if (key := key_of(one.address)) in added}
    _add_choices(connection, [choice for number, one in of_new.items() for choice in _chosen(number, one)])
    return added


def _chosen(subscriber_id: int, wish: Wish, said: AbstractSet[str] = EVERYTHING) -> Iterator[Choice]:
    for kind, of in _KINDS.items():
        if of in said:
            yield from ((subscriber_id, kind, name) for name in getattr(wish, of) or ())


def _add_choices(connection: Connection, chosen: Sequence[Choice]) -> None:
    for some in chunks(chosen):
        _write(connection, choices, ("subscriber_id", "kind", "name"), some, "ON CONFLICT DO NOTHING")


def changes_for(connection: Connection, wishes: Mapping[int, Wish], said: AbstractSet[str]) -> Changes:
    """Find what is to be written so that known subscribers, by their ids, have what is wished for.

    `said` is what the wishes speak of, of EVERYTHING; the rest stays as it is.
    """
    added: list[Choice] = []
    removed: list[Choice] = []
    changed: list[tuple[int, bool, str, tuple[str, ...]]] = []
    for some in chunks(list(wishes)):
        for one in read_many(connection, select(subscribers).where(subscribers.c.id.in_(some))):
            wish = wishes[one.id]
            before = Wish("", "", one.channel, "", one.components, one.groups, one.phone, one.tags)
            after = replace(before, **{name: getattr(wish, name) for name in said})
            had, has = (set(_chosen(one.id, each)) for each in (before, after))
            added += sorted(has - had)
            removed += sorted(had - has)
            own = after.components is None, after.phone, after.tags
            if own != (before.components is None, before.phone, before.tags):
                changed.append((one.id, *own))
    return Changes(tuple(added), tuple(removed), tuple(changed))


def change(connection: Connection, changes: Changes) -> None:
    """Write what many subscribers chose."""
    for some in chunks(changes.removed):
        three = ", ".join([f"({_places(connection, 3)})"] * len(some))
        text = f"DELETE FROM choices WHERE (subscriber_id, kind, name) IN (VALUES {three})"  # noqa: S608  places for values alone
        connection.exec_driver_sql(text, tuple(chain.from_iterable(some)))
    _add_choices(connection, changes.added)
    if changes.changed:
        labels, place = drivers_own(subscribers.c.tags.type, connection.dialect), _places(connection, 1)
        text = f"UPDATE subscribers SET all_components = {place}, phone = {place}, tags = {place} WHERE id = {place}"  # noqa: S608  places for values alone
        rows = [(is_all, phone, labels(list(tags)), one) for one, is_all, phone, tags in changes.changed]
        connection.exec_driver_sql(text, rows)
    if changes != Changes():
        audience_changes.note(connection)


def confirm_all(connection: Connection, subscriber_ids: Sequence[int], now: datetime) -> None:
    """Let those of many hear who have not confirmed yet; who left or is not reached stays out."""
    for some in chunks(subscriber_ids):
        pending = subscribers.c.id.in_(some), subscribers.c.state == SubscriberState.PENDING
        confirmed = {"state": SubscriberState.CONFIRMED, "confirmed_at": now}
        connection.execute(update(subscribers).where(*pending).values(confirmed))
    if subscriber_ids:
        audience_changes.note(connection)


def remove_pending(connection: Connection, subscriber_ids: Sequence[int]) -> None:
    """Forget those of many who have not confirmed."""
    pending = subscribers.c.id.in_(subscriber_ids), subscribers.c.state == SubscriberState.PENDING
    connection.execute(delete(subscribers).where(*pending))


def renew_unsubscribe_hashes(connection: Connection, hash_of: Callable[[str], str]) -> int:
    """Let all leave by other links from now on; gives how many they are. `hash_of` is given a public id."""
    place, last, count = _places(connection, 1), 0, 0
    text = f"UPDATE subscribers SET unsubscribe_hash = {place} WHERE id = {place}"  # noqa: S608  places for values alone
    query = select(subscribers.c.id, subscribers.c.public_id).order_by(subscribers.c.id).limit(AT_ONCE)
    while rows := connection.execute(query.where(subscribers.c.id > last)).all():
        connection.exec_driver_sql(text, [(hash_of(row.public_id), row.id) for row in rows])
        last, count = rows[-1].id, count + len(rows)
    return count


def next_confirmed(connection: Connection, *, after_id: int) -> tuple[Subscriber, ...]:
    """Read the next few of all who have confirmed, in the order in which they came; none: there are no more."""
    query = select(subscribers).where(
        subscribers.c.id > after_id, subscribers.c.state == SubscriberState.CONFIRMED
    )
    return read_many(connection, query.order_by(subscribers.c.id).limit(AT_ONCE))


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
        return query.where(is_suppressed)
    if state == SubscriberState.CONFIRMED:
        return query.where(is_reached)
    if state:
        return query.where(subscribers.c.state == state, is_aside)
    return query


@dataclass(frozen=True, slots=True)
class Tally:
    """How many subscribers there are, by how they stand."""

    confirmed: int = 0
    pending: int = 0
    unsubscribed: int = 0
    suppressed: int = 0


def tally(connection: Connection) -> Tally:
    """Count all subscribers, by indexes that hold nothing else."""
    count = select(func.count()).select_from(subscribers)
    aside = select(subscribers.c.state, func.count()).where(is_aside).group_by(subscribers.c.state)
    return Tally(
        confirmed=connection.execute(count.where(is_reached)).scalar_one(),
        suppressed=connection.execute(count.where(is_suppressed)).scalar_one(),
        **{str(state): number for state, number in connection.execute(aside)},
    )
