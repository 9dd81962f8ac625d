"""The databases that tests run against: a further one is one entry more.

Who makes a house or a world in a test asks `new_database`; a fixture chooses which kind that is.
"""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType

import pytest
from _pytest.mark import ParameterSet

from service.store.database import open_store
from tests.store import postgres
from tests.thoroughness import IN_CI


@cache
def migrated_sqlite() -> bytes:
    """Give a fresh database file of SQLite: making its tables takes longer than most tests."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "replycast.db"
        open_store(f"sqlite:///{file}").close()
        return file.read_bytes()


@contextmanager
def _sqlite(folder: Path) -> Iterator[str]:
    file = folder / "replycast.db"
    file.write_bytes(migrated_sqlite())
    yield f"sqlite:///{file}"


@contextmanager
def _postgresql(folder: Path) -> Iterator[str]:
    del folder
    with postgres.server().database() as url:
        yield url


@contextmanager
def write_locked(file: Path) -> Iterator[None]:
    """Hold the write lock of a database of SQLite, as another program may: nothing can be written meanwhile."""
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


Opener = Callable[[Path], AbstractContextManager[str]]
_OPENERS: Mapping[str, Opener] = MappingProxyType({"sqlite": _sqlite, "postgresql": _postgresql})
needs_postgresql = pytest.mark.skipif(
    # in CI it must be there, and whoever asks for the server says that it is not
    postgres.binaries() is None and not IN_CI,
    reason="PostgreSQL is not installed: `make servers` does it",
)


def databases() -> tuple[ParameterSet, ...]:
    """Name every database that the service runs on, each as a parameter of tests."""
    return (pytest.param("sqlite"), pytest.param("postgresql", marks=needs_postgresql))


def fresh_database(name: str, folder: Path) -> AbstractContextManager[str]:
    """Make a database without a row for one test; gives its URL."""
    return _OPENERS[name](folder)


@dataclass(slots=True)
class _Chosen:
    """Which kind is made for the test that runs, and what is to be taken down after it."""

    name: str = "sqlite"
    made: ExitStack = field(default_factory=ExitStack)


_chosen = _Chosen()


def new_database(folder: Path) -> str:
    """Make a database without a row, of the kind that was chosen for this test; gives its URL."""
    return _chosen.made.enter_context(fresh_database(_chosen.name, folder))


@contextmanager
def choosing(name: str) -> Iterator[str]:
    """Let every new database be of a kind meanwhile; at the end they are taken down."""
    before = _chosen.name, _chosen.made
    _chosen.name, _chosen.made = name, ExitStack()
    try:
        yield name
    finally:
        _chosen.made.close()
        _chosen.name, _chosen.made = before
