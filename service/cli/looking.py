"""The database as commands see it that only look: it is neither made nor migrated, and nothing can be written."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DatabaseError

from service.app.own_files import database_file
from service.config import Config
from service.errors import StoreUnavailable
from service.store import postgresql
from service.store.database import Store
from service.store.postgresql_engine import make_engine


@contextmanager
def looking(config: Config) -> Iterator[Connection | None]:
    """Give a connection that reads one state of the database; None where there is no file of SQLite yet.

    Raises StoreUnavailable where it cannot be read, also because another version of this service wrote it.
    """
    file = database_file(config)
    if file is not None and not file.exists():
        yield None
        return
    store = Store(_postgresql(config) if file is None else _sqlite(file))
    try:
        with store.reading() as connection:
            yield connection
    except DatabaseError as error:
        said = " ".join(str(error.orig).split())
        raise StoreUnavailable(f"another version of this service wrote the database: {said}") from error
    finally:
        store.close()


def _sqlite(file: Path) -> Engine:
    def connect() -> sqlite3.Connection:
        return sqlite3.connect(f"file:{quote(str(file))}?mode=ro", uri=True)

    return create_engine("sqlite://", creator=connect, hide_parameters=True)


def _postgresql(config: Config) -> Engine:
    engine = make_engine(make_url(config.database))
    event.listen(engine, "begin", postgresql.begin_reading)
    return engine
