"""A pooler that gives a session of the server to whoever has a transaction is found; who has his own goes on."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from sqlalchemy import Engine

from service.errors import StoreUnavailable
from service.store.database import DatabaseUnfit, Store, open_store
from service.store.poolers import demand_sessions, shares_sessions
from tests.store.databases import fresh_database, needs_postgresql


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with fresh_database("postgresql", tmp_path) as url, closing(open_store(url)) as opened:
        yield opened


class Pooled:
    """A client of a pooler with two sessions: who is in a transaction keeps one, who asks gets one that is free."""

    free: list[int]

    def __init__(self, free: list[int]) -> None:
        self.free = free
        self.kept: int | None = None
        self.got = 0

    def cursor(self) -> "Pooled":
        """Give what runs its words."""
        return self

    def execute(self, words: str) -> None:
        """Run some words."""
        if words == "BEGIN":
            self.kept = self.free.pop()
        elif words == "COMMIT" and self.kept is not None:
            self.free.append(self.kept)
            self.kept = None
        else:
            self.got = self.free[-1] if self.kept is None else self.kept

    def fetchone(self) -> tuple[int]:
        """Give the session that it asked in."""
        return (self.got,)

    def close(self) -> None:
        """End."""


def behind_a_pooler(store: Store) -> Engine:
    free = [11, 12]
    made = SimpleNamespace(dialect=store.engine.dialect, raw_connection=lambda: Pooled(free))
    return cast("Engine", made)


@needs_postgresql
def test_a_server_without_a_pooler_gives_each_connection_its_own_session(store: Store) -> None:
    assert not shares_sessions(store.engine)
    demand_sessions(store)


@needs_postgresql
def test_a_pooler_in_transaction_mode_is_refused_with_how_to_mend_it(store: Store) -> None:
    assert shares_sessions(behind_a_pooler(store))
    with pytest.raises(DatabaseUnfit, match=r"`pool_mode = session`"):
        demand_sessions(Store(behind_a_pooler(store)))


@needs_postgresql
def test_a_server_that_is_away_is_no_pooler(store: Store) -> None:
    class Away(SimpleNamespace):
        def raw_connection(self) -> None:
            raise store.engine.dialect.loaded_dbapi.OperationalError("gone")

    with pytest.raises(StoreUnavailable, match="gone"):
        demand_sessions(Store(Away(dialect=store.engine.dialect)))  # type: ignore[arg-type]  # as far as it is asked


def test_on_sqlite_there_is_none(sqlite: Store) -> None:
    demand_sessions(sqlite)
