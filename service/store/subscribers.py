"""Rows of subscribers, and who of them hears of an update."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, exists, func, insert, or_, select, update

from service.model import Subscriber, SubscriberState
from service.store.schema import deliveries, subscribers


@dataclass(frozen=True, slots=True)
class Audience:
    """Who shall hear of an update: everybody, or those who heard (or are about to) of the incident's first one."""

    heard_update_id: int | None


def find_by_email(connection: Connection, email: str) -> Subscriber | None:
    """Find an address, compared without case."""
    return _one(connection, select(subscribers).where(subscribers.c.email_key == email.casefold()))


def find_by_unsubscribe_hash(connection: Connection, token_hash: str) -> Subscriber | None:
    """Find whom an unsubscribe link is for."""
    return _one(connection, select(subscribers).where(subscribers.c.unsubscribe_hash == token_hash))


def get(connection: Connection, subscriber_id: int) -> Subscriber | None:
    """Read one subscriber."""
    return _one(connection, select(subscribers).where(subscribers.c.id == subscriber_id))


def add(
    connection: Connection, *, public_id: str, email: str, unsubscribe_hash: str, now: datetime
) -> Subscriber:
    """Note that an address asked for our mails; it gets none before it confirms."""
    row = connection.execute(
        insert(subscribers)
        .values(
            public_id=public_id,
            email=email,
            email_key=email.casefold(),
            state=SubscriberState.PENDING,
            created_at=now,
            unsubscribe_hash=unsubscribe_hash,
        )
        .returning(subscribers)
    ).one()
    return _subscriber(row)


def set_state(
    connection: Connection, subscriber_id: int, state: SubscriberState, *, confirmed_at: datetime | None
) -> None:
    """Confirm, unsubscribe, or begin anew; who confirms can be reached, whatever bounced before."""
    fresh = {"soft_bounces": 0, "suppressed_at": None} if state is SubscriberState.CONFIRMED else {}
    statement = update(subscribers).where(subscribers.c.id == subscriber_id)
    connection.execute(statement.values(state=state, confirmed_at=confirmed_at, **fresh))


def suppress(connection: Connection, subscriber_id: int, now: datetime) -> None:
    """Send nothing more to an address that does not exist."""
    statement = update(subscribers).where(subscribers.c.id == subscriber_id)
    connection.execute(statement.values(suppressed_at=now))


def count_soft_bounce(connection: Connection, subscriber_id: int) -> int:
    """Count a mail that could not be delivered for now; returns how many there were."""
    statement = update(subscribers).where(subscribers.c.id == subscriber_id)
    counted = statement.values(soft_bounces=subscribers.c.soft_bounces + 1)
    return int(connection.execute(counted.returning(subscribers.c.soft_bounces)).scalar_one())


def count_confirmed(connection: Connection) -> int:
    """Count those who would hear of an incident that is published now."""
    query = select(func.count()).select_from(subscribers).where(_is_confirmed())
    return connection.execute(query).scalar_one()


def count_heard(connection: Connection, first_update_id: int) -> int:
    """Count those who would hear of a further update of an incident."""
    query = select(func.count()).select_from(subscribers)
    return connection.execute(query.where(_is_confirmed(), _heard(first_update_id))).scalar_one()


def next_to_tell(
    connection: Connection, audience: Audience, *, posted_at: datetime, after_id: int, limit: int
) -> Sequence[Subscriber]:
    """Read the next few who shall hear of an update that was posted at a time, in the order of their ids."""
    query = select(subscribers).where(subscribers.c.id > after_id, _is_confirmed())
    if audience.heard_update_id is None:
        query = query.where(subscribers.c.confirmed_at <= posted_at)
    else:
        query = query.where(_heard(audience.heard_update_id))
    rows = connection.execute(query.order_by(subscribers.c.id).limit(limit))
    return tuple(map(_subscriber, rows))


def listed(connection: Connection, *, limit: int) -> tuple[Subscriber, ...]:
    """Read subscribers, newest first."""
    rows = connection.execute(select(subscribers).order_by(subscribers.c.id.desc()).limit(limit))
    return tuple(map(_subscriber, rows))


def _is_confirmed() -> Any:  # noqa: ANN401  SQLAlchemy's expression types say less than this name
    return and_(subscribers.c.state == SubscriberState.CONFIRMED, subscribers.c.suppressed_at.is_(None))


def _heard(update_id: int) -> Any:  # noqa: ANN401  as above
    theirs = deliveries.c.subscriber_id == subscribers.c.id, deliveries.c.update_id == update_id
    # one that was cancelled or failed for good was never read
    return exists().where(*theirs, or_(deliveries.c.sent_at.is_not(None), deliveries.c.due_at.is_not(None)))


def _one(connection: Connection, query: Select[Any]) -> Subscriber | None:
    row = connection.execute(query).one_or_none()
    return None if row is None else _subscriber(row)


def _subscriber(row: Row[Any]) -> Subscriber:
    return Subscriber(
        id=row.id,
        public_id=row.public_id,
        email=row.email,
        state=SubscriberState(row.state),
        created_at=row.created_at,
        confirmed_at=row.confirmed_at,
        suppressed_at=row.suppressed_at,
        soft_bounces=row.soft_bounces,
    )
