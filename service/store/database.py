"""Opening the database, its transactions, and bringing its schema up to date at start."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from sqlite3 import Connection as SqliteConnection

from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DatabaseError, DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from service.errors import PermanentFault, ReplycastError, StoreUnavailable

BUSY_MILLISECONDS = 5_000
_READING = "replycast_reading"


class SchemaUnknown(PermanentFault):
    """A newer version of this service wrote the database: ours does not know what its tables mean."""


class Store:
    """The one database: hands out transactions. It never retries and never decides."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Give a connection whose changes are committed together at the end, or not at all.

        Raises StoreUnavailable where the database cannot take or keep them (locked, full, gone).
        """
        with _named_faults(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection that sees one state of the database and hinders no writer."""
        with _named_faults(), self.engine.connect().execution_options(**{_READING: True}) as connection:
            yield connection

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()


@contextmanager
def _named_faults() -> Iterator[None]:
    try:
        yield
    except (DatabaseError, PoolTimeout) as error:
        if isinstance(error, DatabaseError) and not _is_of_the_database(error):
            raise
        raise StoreUnavailable(f"the database cannot be used just now: {_cause(error)}") from error


def _is_of_the_database(error: DatabaseError) -> bool:
    # of its subclasses only this one blames the database; the class itself is a file that is none or is damaged
    return isinstance(error, OperationalError) or type(error) is DatabaseError


def _cause(error: Exception) -> str:
    return str(error.orig) if isinstance(error, DBAPIError) else str(error)


def open_store(url: str) -> Store:
    """Open (and where needed create) the database and bring its schema up to date.

    Raises StoreUnavailable where it cannot be reached or is not ours to write, and SchemaUnknown.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite" and parsed.database not in {None, "", ":memory:"}:
        try:
            Path(str(parsed.database)).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise StoreUnavailable(f"the folder of the database cannot be made: {error}") from error
    # what stands in a row (addresses, tokens in mails) is for no log
    engine = create_engine(parsed, hide_parameters=True)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    store = Store(engine)
    try:
        migrate(store)
    except ReplycastError:
        store.close()
        raise
    return store


def _prepare_sqlite(connection: SqliteConnection, _record: object) -> None:
    # the driver's own transaction control would begin too late and commit behind our back
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        "journal_mode = WAL",
        "synchronous = FULL",
        f"busy_timeout = {BUSY_MILLISECONDS}",
        "foreign_keys = ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # a deferred BEGIN that reads first and writes later loses its update to a faster writer
    reading = connection.get_execution_options().get(_READING)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def migrate(store: Store) -> None:
    """Run every migration that this database has not seen. Raises StoreUnavailable and SchemaUnknown."""
    with store.transaction() as connection:
        try:
            command.upgrade(alembic_config(connection), "head")
        except CommandError as error:
            said = "the database was written by a newer version of this service: start that one"
            raise SchemaUnknown(f"{said} ({error})") from error


def alembic_config(connection: Connection) -> AlembicConfig:
    """Make what Alembic needs, without a file of its own."""
    config = AlembicConfig()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config
