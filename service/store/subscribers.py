"""Rows of subscribers, and what each of them chose to hear of."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, func, insert, select, update

from service.model import Channel, Subscriber, SubscriberState
from service.store import audience_changes
from service.store.schema import choices, subscribers

SOFT_BOUNCES_FORGOTTEN_AFTER = timedelta(days=7)


def find_by_address(connection: Connection, address: str) -> Subscriber | None:
    """Find an e-mail address, compared without case, or a URL."""
    return _one(connection, select(subscribers).where(subscribers.c.address_key == key_of(address)))


def find_by_unsubscribe_hash(connection: Connection, token_hash: str) -> Subscriber | None:
    """Find whom an unsubscribe link is for."""
    return _one(connection, select(subscribers).where(subscribers.c.unsubscribe_hash == token_hash))


def get(connection: Connection, subscriber_id: int) -> Subscriber | None:
    """Read one subscriber."""
    return _one(connection, select(subscribers).where(subscribers.c.id == subscriber_id))


def add(
    connection: Connection,
    *,
    public_id: str,
    address: str,
    unsubscribe_hash: str,
    now: datetime,
    channel: Channel = Channel.EMAIL,
) -> Subscriber:
    """Note that an address asked for our mails; it gets none before it confirms."""
    row = connection.execute(
        insert(subscribers)
        .values(
            public_id=public_id,
            channel=channel,
            address=address,
            address_key=key_of(address),
            state=SubscriberState.PENDING,
            created_at=now,
            unsubscribe_hash=unsubscribe_hash,
        )
        .returning(subscribers)
    ).one()
    return _subscriber(row, (), ())


def set_state(
    connection: Connection, subscriber_id: int, state: SubscriberState, *, confirmed_at: datetime | None
) -> None:
    """Confirm, unsubscribe, or begin anew; who confirms can be reached, whatever bounced before."""
    fresh = (
        {"soft_bounces": 0, "failing_since": None, "suppressed_at": None, "suppressed_because": ""}
        if state is SubscriberState.CONFIRMED
        else {}
    )
    statement = update(subscribers).where(subscribers.c.id == subscriber_id)
    connection.execute(statement.values(state=state, confirmed_at=confirmed_at, **fresh))
    audience_changes.note(connection)


def suppress(connection: Connection, subscriber_id: int, now: datetime, because: str = "") -> None:
    """Send nothing more to where nothing arrives."""
    statement = update(subscribers).where(subscribers.c.id == subscriber_id)
    connection.execute(statement.values(suppressed_at=now, suppressed_because=because))
    audience_changes.note(connection)


def remove(connection: Connection, subscriber_id: int) -> None:
    """Forget a subscriber and its choices."""
    connection.execute(delete(subscribers).where(subscribers.c.id == subscriber_id))
    audience_changes.note(connection)


def count_soft_bounce(connection: Connection, subscriber_id: int, now: datetime) -> int:
    """Count a day (in UTC) on which a mail could not be delivered for now; returns how many days there were.

    Many mails that come back on one day are one full mailbox, and after a week without one it is forgotten.
    """
    found = select(subscribers.c.soft_bounces, subscribers.c.soft_bounced_at)
    days, last_at = connection.execute(found.where(subscribers.c.id == subscriber_id)).one()
    if days and last_at is not None and last_at.date() == now.date():
        return int(days)
    days = 1 if last_at is None or now - last_at >= SOFT_BOUNCES_FORGOTTEN_AFTER else days + 1
    statement = update(subscribers).where(subscribers.c.id == subscriber_id)
    connection.execute(statement.values(soft_bounces=days, soft_bounced_at=now))
    return int(days)


def note_call(
    connection: Connection, subscriber_id: int, now: datetime, *, is_taken: bool
) -> datetime | None:
    """Note that a call of a webhook was taken or failed; gives since when all have failed, or None."""
    here = subscribers.c.id == subscriber_id
    since = None if is_taken else func.coalesce(subscribers.c.failing_since, now)
    statement = update(subscribers).where(here).values(failing_since=since)
    row = connection.execute(statement.returning(subscribers.c.failing_since)).one_or_none()
    return None if row is None else row.failing_since


def failing(connection: Connection, subscriber_ids: Sequence[int]) -> frozenset[int]:
    """Tell of which of these webhooks the last call failed."""
    query = select(subscribers.c.id).where(
        subscribers.c.id.in_(subscriber_ids), subscribers.c.failing_since.is_not(None)
    )
    return frozenset(connection.execute(query).scalars())


def listed(connection: Connection, *, limit: int) -> tuple[Subscriber, ...]:
    """Read subscribers, newest first."""
    return read_many(connection, select(subscribers).order_by(subscribers.c.id.desc()).limit(limit))


def key_of(address: str) -> str:
    """Give what tells two addresses apart: the path of a URL is not to be folded, a mail address is."""
    return address if "://" in address else address.casefold()


def choose(
    connection: Connection, subscriber_id: int, *, components: Sequence[str] | None, groups: Sequence[str]
) -> None:
    """Note what a subscriber wants to hear of (None: of all components), and the groups that it is in."""
    statement = update(subscribers).where(subscribers.c.id == subscriber_id)
    connection.execute(statement.values(all_components=components is None))
    connection.execute(delete(choices).where(choices.c.subscriber_id == subscriber_id))
    chosen = [("component", name) for name in components or ()] + [("group", name) for name in groups]
    if chosen:
        rows = [
            {"subscriber_id": subscriber_id, "kind": kind, "name": name}
            for kind, name in dict.fromkeys(chosen)
        ]
        connection.execute(insert(choices), rows)
    audience_changes.note(connection)


def _one(connection: Connection, query: Select[Any]) -> Subscriber | None:
    found = read_many(connection, query)
    return found[0] if found else None


def read_many(connection: Connection, query: Select[Any]) -> tuple[Subscriber, ...]:
    """Read the subscribers of a query over their table, each with its choices."""
    rows = connection.execute(query).all()
    chosen: dict[tuple[int, str], list[str]] = {}
    if rows:
        theirs = choices.c.subscriber_id.in_([row.id for row in rows])
        for one in connection.execute(select(choices).where(theirs).order_by(choices.c.name)):
            chosen.setdefault((one.subscriber_id, one.kind), []).append(one.name)
    return tuple(
        _subscriber(row, chosen.get((row.id, "component"), []), chosen.get((row.id, "group"), []))
        for row in rows
    )


def _subscriber(row: Row[Any], components: Sequence[str], groups: Sequence[str]) -> Subscriber:
    return Subscriber(
        id=row.id,
        public_id=row.public_id,
        address=row.address,
        state=SubscriberState(row.state),
        created_at=row.created_at,
        confirmed_at=row.confirmed_at,
        suppressed_at=row.suppressed_at,
        soft_bounces=row.soft_bounces,
        channel=Channel(row.channel),
        components=None if row.all_components else tuple(components),
        groups=tuple(groups),
        phone=row.phone,
        tags=tuple(row.tags),
        failing_since=row.failing_since,
        suppressed_because=row.suppressed_because,
    )
