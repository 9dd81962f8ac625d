"""What is asked of the tables to see how the service fares: how much waits, and since when.

Each question is answered by an index, and whatever may be very many is counted up to MOST_COUNTED only, so that asking
costs the same with a million rows as with a thousand.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import ColumnElement, Connection, func, select, text

from service.model import DeliveryKind, Phase, SubscriberState
from service.store import credentials, schema
from service.store.inbox_rows import Door, InboxState
from service.store.schema import deliveries, inbox, incidents, subscribers, updates

MOST_COUNTED: Final = 50_000
"""Of whatever is counted; more are told as so many."""
_WATCHED_SINCE: Final = "watched_since"


class Queue(StrEnum):
    """The deliveries that one loop sends."""

    EMPLOYEES = "employees"
    """Mails that a person waits for: all that are no updates for subscribers."""
    SUBSCRIBERS = "subscribers"
    CALLS = "calls"
    """Of subscribers' webhooks."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits in a queue."""

    count: int = 0
    """MOST_COUNTED at most."""
    oldest_at: datetime | None = None
    """Since when the oldest waits: in the inbox since it came, in the outbox since it was due."""


@dataclass(frozen=True, slots=True)
class FanOuts:
    """The updates that are on their way to subscribers."""

    updates: int = 0
    to_queue: int = 0
    """Subscribers for whom there is no delivery yet."""


_is_waiting = deliveries.c.due_at.is_not(None)
_OF_QUEUE: Final[Mapping[Queue, ColumnElement[bool]]] = {
    Queue.EMPLOYEES: deliveries.c.update_id.is_(None),
    Queue.SUBSCRIBERS: schema.is_mailed_update,
    Queue.CALLS: schema.is_called_update,
}


def _count(connection: Connection, column: ColumnElement[int], *where: ColumnElement[bool]) -> int:
    some = select(column).where(*where).limit(MOST_COUNTED).subquery()
    return int(connection.execute(select(func.count()).select_from(some)).scalar_one())


def open_incidents(connection: Connection) -> Mapping[Phase, int]:
    """Count the open incidents of each phase that has any life in it."""
    return {
        phase: _count(connection, incidents.c.id, schema.is_open, incidents.c.phase == phase)
        for phase in Phase
        if phase.is_open
    }


def pending_arrivals(connection: Connection) -> Mapping[Door, Waiting]:
    """Tell what was not worked off yet, by the door that it came in by."""
    is_pending = inbox.c.state == text(f"'{InboxState.PENDING}'")
    found = {}
    for door in Door:
        where = is_pending, inbox.c.door == door
        oldest = select(inbox.c.received_at).where(*where).order_by(inbox.c.id).limit(1)
        oldest_at = connection.execute(oldest).scalar_one_or_none()
        found[door] = Waiting(_count(connection, inbox.c.id, *where) if oldest_at else 0, oldest_at)
    return found


def arrivals_wait_since(connection: Connection) -> datetime | None:
    """Tell when the oldest arrival came that was not worked off."""
    is_pending = inbox.c.state == text(f"'{InboxState.PENDING}'")
    oldest = [
        select(inbox.c.received_at).where(is_pending, inbox.c.door == door).order_by(inbox.c.id).limit(1)
        for door in Door
    ]
    found = [connection.execute(one).scalar_one_or_none() for one in oldest]
    return min((at for at in found if at is not None), default=None)


def first_due(connection: Connection) -> Mapping[Queue, datetime]:
    """Tell when the first delivery of each queue falls or fell due, of those in which any waits."""
    found = {}
    for queue, of_queue in _OF_QUEUE.items():
        first = select(func.min(deliveries.c.due_at)).where(_is_waiting, of_queue)
        due_at = connection.execute(first).scalar_one()
        if due_at is not None:
            found[queue] = due_at
    return found


def waiting_deliveries(connection: Connection) -> Mapping[Queue, Waiting]:
    """Tell how many deliveries of each queue wait, and when the first of them falls or fell due."""
    due = first_due(connection)
    return {
        queue: Waiting(_count(connection, deliveries.c.id, _is_waiting, of_queue), due[queue])
        if queue in due
        else Waiting()
        for queue, of_queue in _OF_QUEUE.items()
    }


def employees_wait_since(connection: Connection) -> datetime | None:
    """Tell since when the oldest mail waits that a person waits for, of those that nobody refused.

    What was tried more than once waits because its own recipient is not taken, and alarms tell of this very thing.
    """
    is_stuck = schema.is_urgent, deliveries.c.attempts <= 1, deliveries.c.kind != DeliveryKind.ALARM
    since = select(deliveries.c.created_at).where(*is_stuck).order_by(deliveries.c.created_at).limit(1)
    return connection.execute(since).scalar_one_or_none()


def watched_since(connection: Connection) -> datetime | None:
    """Tell since when this installation waits for posts; None where `begin_watching` was never called."""
    query = select(schema.instance.c.value).where(schema.instance.c.name == _WATCHED_SINCE)
    found = connection.execute(query).scalar_one_or_none()
    return datetime.fromisoformat(found) if found else None


def begin_watching(connection: Connection, now: datetime) -> None:
    """Remember since when this installation waits for posts, if that is not known yet."""
    credentials.instance_value(connection, _WATCHED_SINCE, now.isoformat())


def last_posts(connection: Connection, providers: Iterable[str]) -> Mapping[str, datetime]:
    """Tell when each provider posted last, of those that ever did."""
    found = {}
    for provider in providers:
        last = select(inbox.c.received_at).where(schema.is_post, inbox.c.provider == provider)
        at = connection.execute(last.order_by(inbox.c.id.desc()).limit(1)).scalar_one_or_none()
        if at is not None:
            found[provider] = at
    return found


def subscribers_by_state(connection: Connection) -> Mapping[str, int]:
    """Count the subscribers of each state; those to whom nothing is sent any more are `suppressed`."""
    counts = {
        state.value: _count(connection, subscribers.c.id, schema.is_aside, subscribers.c.state == state)
        for state in SubscriberState
        if state is not SubscriberState.CONFIRMED
    }
    reached = _count(connection, subscribers.c.id, schema.is_reached)
    suppressed = _count(connection, subscribers.c.id, schema.is_suppressed)
    return {**counts, SubscriberState.CONFIRMED.value: reached, "suppressed": suppressed}


def open_fan_outs(connection: Connection) -> FanOuts:
    """Tell how many updates are on their way to subscribers, and how many of these have no delivery yet."""
    left = func.coalesce(func.sum(updates.c.recipients - updates.c.queued), 0)
    counted = select(func.count(), left).where(updates.c.fanned_out_at.is_(None))
    number, to_queue = connection.execute(counted).one()
    return FanOuts(number, max(int(to_queue), 0))


def database_bytes(connection: Connection) -> int:
    """Tell how large the database is."""
    if connection.dialect.name == "postgresql":
        asked = "SELECT pg_database_size(current_database())"
    else:
        asked = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
    return int(connection.execute(text(asked)).scalar_one())
