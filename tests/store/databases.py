"""The databases that every test of the store runs against: a further one is one entry more."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType

from service.store.database import open_store


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


_OPENERS: Mapping[str, Callable[[Path], AbstractContextManager[str]]] = MappingProxyType({"sqlite": _sqlite})


def databases() -> tuple[str, ...]:
    """Name every database that the service runs on."""
    return tuple(_OPENERS)


def fresh_database(name: str, folder: Path) -> AbstractContextManager[str]:
    """Make a database without a row for one test; gives its URL."""
    return _OPENERS[name](folder)
