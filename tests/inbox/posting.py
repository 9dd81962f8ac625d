"""Posts, an intake for them, and what became of them on disk."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import event

from service.inbox.posts import PostIntake
from service.store import inbox_rows
from service.store.database import Store
from service.store.inbox_rows import Arrival, Door

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
Lock = Callable[[], AbstractContextManager[None]]


def a_post(text: str = "{}", at: datetime = NOW) -> Arrival:
    """Give a post of VictorOps."""
    return Arrival(Door.WEBHOOK, at, text.encode(), provider="victorops")


def an_intake(store: Store) -> PostIntake:
    """Give an intake after which nothing is decided."""
    return PostIntake(store, stored=lambda: None)


def count(store: Store) -> int:
    """Tell how many posts wait to be decided about."""
    with store.reading() as connection:
        return inbox_rows.count_pending(connection)


def commits_of(store: Store) -> list[str]:
    """Give a list that grows with every commit."""
    commits: list[str] = []
    event.listen(store.engine, "commit", lambda _: commits.append("commit"))
    return commits


def on_disk(folder: Path) -> list[str]:
    """Read, as another program would, the bodies that are committed."""
    with closing(sqlite3.connect(folder / "replycast.db")) as other:
        return [raw.decode() for (raw,) in other.execute("SELECT raw FROM inbox ORDER BY id")]


async def receive_all(intake: PostIntake, posts: list[Arrival]) -> list[int | BaseException]:
    """Take several in at once; gives what came of each."""
    return await asyncio.gather(*map(intake.receive, posts), return_exceptions=True)
