"""Posts as they were recorded in the inbox, of a span of time. It reads and never writes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from service.store.inbox_rows import Door
from service.store.schema import inbox


@dataclass(frozen=True, slots=True)
class RecordedPost:
    """A post as it came."""

    received_at: datetime
    provider: str
    raw: bytes
    about: Mapping[str, Any]


def count_posts(connection: Connection, since: datetime, until: datetime) -> int:
    """Count the posts that were received from a time until before another."""
    query = select(func.count()).select_from(inbox).where(*_within(since, until))
    return connection.execute(query).scalar_one()


def posts(
    connection: Connection, since: datetime, until: datetime, *, limit: int
) -> tuple[RecordedPost, ...]:
    """Read the first posts that were received from a time until before another, in their order."""
    query = select(inbox.c.received_at, inbox.c.provider, inbox.c.raw, inbox.c.about)
    query = query.where(*_within(since, until)).order_by(inbox.c.received_at, inbox.c.id).limit(limit)
    return tuple(RecordedPost(*row) for row in connection.execute(query))


def _within(since: datetime, until: datetime) -> tuple[Any, ...]:
    # one without a body says nothing, or was kept long enough
    has_body = func.length(inbox.c.raw) > 0
    return inbox.c.door == Door.WEBHOOK, inbox.c.received_at >= since, inbox.c.received_at < until, has_body
