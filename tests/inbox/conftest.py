"""A store, and what other programs may do to its file."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from service.store.database import Store, open_store
from tests.store.databases import migrated_sqlite, write_locked


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """Give a store over a fresh database, which does not wait long for a lock."""
    monkeypatch.setattr("service.store.database.BUSY_MILLISECONDS", 10)
    (tmp_path / "replycast.db").write_bytes(migrated_sqlite())
    opened = open_store(f"sqlite:///{tmp_path / 'replycast.db'}")
    yield opened
    opened.close()


@pytest.fixture
def locked(tmp_path: Path) -> Callable[[], AbstractContextManager[None]]:
    """Give a lock that another program holds, so that the store is unavailable."""
    return lambda: write_locked(tmp_path / "replycast.db")
