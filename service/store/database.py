"""Opening the database, its transactions, and bringing its schema up to date at start."""

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from enum import StrEnum
from functools import cached_property
from importlib import import_module
from pathlib import Path
from sqlite3 import Connection as SqliteConnection
from threading import Lock

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url
from sqlalchemy.exc import DatabaseError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from service.errors import OutcomeUnknown, PermanentFault, ReplycastError, StoreUnavailable, what_ran_out
from service.store import json_text, postgresql, tidings
from service.store.handing_over import hand_over, make_folder
from service.store.patience import Haste, MayBeDone
from service.store.statements import tell
from service.store.turns import Turns

BUSY_MILLISECONDS = 5_000
LOG_PAGES = 16_000
"""Pages of 4 KiB in SQLite's log after which a commit copies them itself, where nobody calls `checkpoint`."""
LONGEST_LOG = 64 * 1024 * 1024
"""Bytes of SQLite's log beyond which `checkpoint` cuts it, though writers wait for that."""
CUTTING_MILLISECONDS = 100
"""How long cutting waits for readers, and writers for it."""
NEWEST = "0005"
"""The last migration of this version."""
_MODE = "replycast_mode"
_BESIDE = "replycast_beside"
_IMPATIENT = "replycast_impatient"
_SYNCHRONOUS = "replycast_synchronous"


class _Mode(StrEnum):
    READING = "reading"
    PASSING = "passing"
    """Writing, without waiting for the disk."""
    OUTSIDE = "outside"
    """Of any transaction."""


class SchemaUnknown(PermanentFault):
    """A newer version of this service wrote the database: ours does not know what its tables mean."""


class SchemaOlder(PermanentFault):
    """An older version of this service wrote the database, and whoever asks is not to bring it up to date."""


class DatabaseUnfit(PermanentFault):
    """The database is set up so that it cannot keep what we would give it; the text says how to mend that."""


class Store:
    """The one database: hands out transactions. It never retries and never decides."""

    def __init__(self, engine: Engine, haste: Haste | None = None) -> None:
        self.engine = engine
        self.haste = haste or Haste()
        self._checkpointed_at = 0
        self.commits = 0
        """Counts what this process committed or heard of: while it stays the same, nothing here changed."""
        self.voice = secrets.token_hex(8)
        """What other instances hear us by."""
        self._counting = Lock()
        self.queued: Callable[[tidings.ToSend], None] = lambda _what: None
        """Called once there is something new to send, in the thread that committed it."""
        is_sqlite = engine.dialect.name == "sqlite"
        self._turns = Turns(BUSY_MILLISECONDS / 1_000) if is_sqlite else None

    @cached_property
    def _reading(self) -> Engine:
        return self.engine.execution_options(**{_MODE: _Mode.READING})

    @cached_property
    def _passing(self) -> Engine:
        return self.engine.execution_options(**{_MODE: _Mode.PASSING})

    @cached_property
    def _beside(self) -> Engine:
        return self.engine.execution_options(**{_BESIDE: True})

    @cached_property
    def _passing_beside(self) -> Engine:
        return self.engine.execution_options(**{_MODE: _Mode.PASSING, _BESIDE: True})

    @cached_property
    def _impatient(self) -> Engine:
        return self.engine.execution_options(**{_IMPATIENT: True})

    @cached_property
    def _outside(self) -> Engine:
        return self.engine.execution_options(**{_MODE: _Mode.OUTSIDE})

    @contextmanager
    def transaction(
        self, *, durable: bool = True, alone: bool = True, impatient: bool = False
    ) -> Iterator[Connection]:
        """Give a connection whose changes are committed together at the end, or not at all.

        Alone, it waits for all others that are: what it reads stays as it is until it commits. That is dear on
        PostgreSQL, where those beside it, each of whose statements must be right by itself, go on meanwhile; SQLite
        has one writer in any case.
        With `durable` false the commit does not wait for the disk: its changes survive the end of this process,
        `kill -9` too, but a power cut before the next durable commit may take them back. Raises StoreUnavailable
        where the database cannot take or keep them (locked, full, gone), OutcomeUnknown where it may have kept them.
        One that is `impatient` is alone and durable in any case; on PostgreSQL it soon gives up waiting for a lock.
        """
        if impatient:
            engine = self._impatient
        elif alone:
            engine = self.engine if durable else self._passing
        else:
            engine = self._beside if durable else self._passing_beside
        with (
            self._turns.turn() if self._turns else nullcontext(),
            _named_faults(),
            engine.begin() as connection,
        ):
            yield connection
            tidings.tell(connection, self.voice)
            queued = tidings.to_send(connection)
        self.count_commit()
        for what in queued:
            self.queued(what)

    def count_commit(self) -> None:
        """Let everybody here look at the database anew: something was committed, by us or by another instance."""
        with self._counting:
            self.commits += 1

    @property
    def is_wanted(self) -> bool:
        """Whether another thread waits to write: whoever does several things in one transaction may end it early."""
        return self._turns is not None and self._turns.is_wanted

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection that sees one state of the database and hinders no writer."""
        with _named_faults(), self._reading.connect() as connection:
            yield connection

    def checkpoint(self) -> bool:
        """Copy SQLite's log into the database file, so that no commit has to; False where nothing was written.

        Writers go on meanwhile, except where the log grew beyond LONGEST_LOG: under writers who never pause it is
        never copied to its end, and would grow for ever. Who closes the last connection copies what is left.
        Raises StoreUnavailable.
        """
        log = _stat_of_log(self.engine)
        if log is None or log.st_mtime_ns == self._checkpointed_at:
            return False
        with _named_faults(), self._outside.connect() as connection:
            is_done = _copy_log(connection, "PASSIVE")
            if log.st_size > LONGEST_LOG:
                is_done = _cut_log(connection)
        self._checkpointed_at = log.st_mtime_ns if is_done else 0
        return True

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()


@contextmanager
def _named_faults() -> Iterator[None]:
    try:
        yield
    except (DatabaseError, InterfaceError, PoolTimeout) as error:
        if isinstance(error, DatabaseError) and not _is_of_the_database(error):
            raise
        said = f"the database cannot be used just now: {_cause(error)}"
        is_uncertain = isinstance(error, DBAPIError) and isinstance(error.orig, MayBeDone)
        raise (OutcomeUnknown if is_uncertain else StoreUnavailable)(said) from error


def _is_of_the_database(error: DatabaseError) -> bool:
    # of its subclasses only this one blames the database; the class itself is a file that is none or is damaged
    is_its_own = isinstance(error, OperationalError) or type(error) is DatabaseError
    return is_its_own or postgresql.is_refusal(error.orig)


def _cause(error: Exception) -> str:
    said = " ".join(str(error.orig if isinstance(error, DBAPIError) else error).split())
    lacking = what_ran_out(error) or _lack_of_descriptors()
    return f"{said} ({lacking})" if lacking else said


def _lack_of_descriptors() -> str:
    """Say whether nothing can be opened any more: neither SQLite nor libpq says so of what they could not open."""
    try:
        os.close(os.open(os.curdir, os.O_RDONLY))
    except OSError as error:
        return what_ran_out(error)
    return ""


def open_store(url: str, *, upgrades: bool = True) -> Store:
    """Open (and where needed create) the database and bring its schema up to date.

    What does not upgrade, since the older version may still run, makes the tables of a new database alone. Raises
    StoreUnavailable where it cannot be reached or is not ours to write, DatabaseUnfit, SchemaUnknown and SchemaOlder.
    """
    parsed, haste = make_url(url), Haste()
    is_postgresql = parsed.get_backend_name() == "postgresql"
    engine = _postgresql_engine(parsed, haste) if is_postgresql else _sqlite_engine(parsed)
    store = Store(engine, haste)
    event.listen(store.engine, "begin", _begin_postgresql if is_postgresql else _begin_sqlite)
    try:
        migrate(store, upgrades=upgrades)
    except ReplycastError:
        store.close()
        raise
    return store


def _postgresql_engine(url: URL, haste: Haste) -> Engine:
    from service.store.postgresql_engine import make_engine  # noqa: PLC0415  it says why

    return make_engine(url, haste)


def _sqlite_engine(url: URL) -> Engine:
    if url.database not in {None, "", ":memory:"}:
        file = Path(str(url.database))
        try:
            make_folder(file.parent, mode=0o700)
        except OSError as error:
            why = f"{error.filename}: {error.strerror}"
            raise StoreUnavailable(f"the folder of the database cannot be made: {why}") from error
        if "uri" not in url.query:
            # SQLite gives its log the same mode; why a file cannot be made, what opens it next says better
            with suppress(OSError):
                file.touch(0o600, exist_ok=False)
                hand_over(file, file.parent)
    # what stands in a row (addresses, tokens in mails) is for no log
    engine = create_engine(
        url,
        hide_parameters=True,
        pool_use_lifo=True,
        json_serializer=json_text.write,
        json_deserializer=json_text.read,
    )
    event.listen(engine, "connect", _prepare_sqlite)
    return engine


def _prepare_sqlite(connection: SqliteConnection, _record: object) -> None:
    # the driver's own transaction control would begin too late and commit behind our back
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        "journal_mode = WAL",
        "synchronous = FULL",
        f"busy_timeout = {BUSY_MILLISECONDS}",
        f"wal_autocheckpoint = {LOG_PAGES}",
        "foreign_keys = ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    mode = connection.get_execution_options().get(_MODE)
    if mode is _Mode.OUTSIDE:
        return
    if mode is _Mode.READING:
        tell(connection, "BEGIN")
        return
    tidings.forget(connection)
    synchronous = "NORMAL" if mode is _Mode.PASSING else "FULL"
    if connection.info.get(_SYNCHRONOUS, "FULL") != synchronous:
        tell(connection, f"PRAGMA synchronous = {synchronous}")
        connection.info[_SYNCHRONOUS] = synchronous
    # a deferred BEGIN that reads first and writes later loses its update to a faster writer
    tell(connection, "BEGIN IMMEDIATE")


def _begin_postgresql(connection: Connection) -> None:
    options = connection.get_execution_options()
    mode = options.get(_MODE)
    if mode is _Mode.READING:
        postgresql.begin_reading(connection)
    elif mode is not _Mode.OUTSIDE:
        tidings.forget(connection)
        postgresql.begin(
            connection,
            is_durable=mode is not _Mode.PASSING,
            is_alone=not options.get(_BESIDE),
            is_impatient=options.get(_IMPATIENT, False),
        )


def _stat_of_log(engine: Engine) -> os.stat_result | None:
    """Tell how long SQLite's log is and when it was last written to, by whichever process; None: there is none."""
    if engine.dialect.name != "sqlite":
        return None
    with suppress(OSError):
        return Path(f"{engine.url.database}-wal").stat()
    return None


def _copy_log(connection: Connection, how: str) -> bool:
    is_busy, frames, copied = connection.exec_driver_sql(f"PRAGMA wal_checkpoint({how})").one()
    return not is_busy and frames == copied


def _cut_log(connection: Connection) -> bool:
    connection.exec_driver_sql(f"PRAGMA busy_timeout = {CUTTING_MILLISECONDS}")
    try:
        return _copy_log(connection, "TRUNCATE")
    finally:
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {BUSY_MILLISECONDS}")


def migrate(store: Store, *, upgrades: bool = True) -> None:
    """Run every migration that this database has not seen, on SQLite once a copy of it is kept.

    Where it is not to be upgraded, only in a new database. Raises StoreUnavailable, DatabaseUnfit, SchemaUnknown and
    SchemaOlder.
    """
    with store.transaction(alone=False) as connection:
        if connection.dialect.name == "postgresql":
            unfit = postgresql.unfit(connection)
            if unfit is not None:
                raise DatabaseUnfit(f"the database cannot be used: {unfit}")
        # what is as it should be needs none of the machinery, and every command of ours opens the database
        if is_migrated(connection):
            return
        migrating = import_module("service.store.migrating")
        if not upgrades:
            migrating.refuse_older(connection)
    migrating.bring_up_to_date(store)


def demand_writable(connection: Connection) -> None:
    """Raise StoreUnavailable where the database only reads, as a standby does; also in a transaction that reads."""
    if connection.dialect.name == "postgresql":
        why = postgresql.only_reads(connection)
        if why is not None:
            raise StoreUnavailable(f"the database cannot be used just now: {why}")


def is_empty(connection: Connection) -> bool:
    """Whether the database is as an admin created it: nobody made a table in it yet."""
    return not inspect(connection).get_table_names()


def is_migrated(connection: Connection) -> bool:
    """Whether the database has every migration of this version, and none of a newer one."""
    if not inspect(connection).has_table("alembic_version"):
        return False
    return list(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalars()) == [NEWEST]
