"""A store over each database that the service runs on, and one over SQLite for what is SQLite's own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from service.store.database import Store, open_store
from tests.store.databases import databases, fresh_database, migrated_sqlite


@pytest.fixture(params=databases())
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Give the URL of a database without a row."""
    with fresh_database(request.param, tmp_path) as made:
        yield made


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """Give a store over a fresh database."""
    opened = open_store(url)
    yield opened
    opened.close()


@pytest.fixture
def sqlite_file(tmp_path: Path) -> Path:
    """Name a file of SQLite that is not there yet."""
    return tmp_path / "replycast.db"


@pytest.fixture
def sqlite(sqlite_file: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """Give a store over SQLite that does not wait long for a lock."""
    monkeypatch.setattr("service.store.database.BUSY_MILLISECONDS", 10)
    sqlite_file.write_bytes(migrated_sqlite())
    opened = open_store(f"sqlite:///{sqlite_file}")
    yield opened
    opened.close()
