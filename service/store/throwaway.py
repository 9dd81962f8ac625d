"""A database that lives as long as a block of code and nowhere but in memory: for what must not be kept.

It has every table of the schema and no migration behind it. It is for one thread, and for one transaction at a time.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from sqlite3 import Connection as SqliteConnection

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.pool import StaticPool

from service.store import access_schema, schema, watch_schema  # noqa: F401  their tables are those of `metadata`
from service.store.columns import metadata
from service.store.database import Store
from service.store.statements import tell


@contextmanager
def throwaway_store() -> Iterator[Store]:
    """Give an empty database, which is forgotten at the end."""
    engine = create_engine("sqlite://", poolclass=StaticPool, hide_parameters=True)
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    try:
        metadata.create_all(engine)
        yield Store(engine)
    finally:
        engine.dispose()


def _prepare(connection: SqliteConnection, _record: object) -> None:
    # as for the real one: the driver's own transaction control would begin too late
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys = ON")


def _begin(connection: Connection) -> None:
    tell(connection, "BEGIN")
