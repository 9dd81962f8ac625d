"""Copies everything from SQLite into an empty database of PostgreSQL, all of it or nothing. It changes no source.

Nobody writes to the source meanwhile, for it holds the lock of those who write until the target has committed.
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import quote

import psycopg
from psycopg import sql
from sqlalchemy import URL, Connection, Table, create_engine, func, inspect, literal, make_url, select
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from service.errors import PermanentFault, StoreUnavailable
from service.store import access_schema, postgresql, schema, watch_schema  # noqa: F401  tables are those of `metadata`
from service.store.columns import metadata
from service.store.database import Store, is_migrated, open_store
from service.store.postgresql_engine import make_engine
from service.store.prepared import drivers_own

AT_ONCE: Final = 200
"""Rows that are read at a time: a raw mail among them may have megabytes."""
PATIENCE: Final = 5.0
"""Seconds to wait for whoever writes to the source just now."""
_NOT_OURS: Final = frozenset({"alembic_version"})


class MoveImpossible(PermanentFault):
    """The database cannot be copied: the text says what is in the way, and nothing was changed."""


@dataclass(frozen=True, slots=True)
class Copied:
    """How far a table is."""

    table: str
    done: int
    total: int


def move(source: str, target: str, told: Callable[[Copied], None]) -> dict[str, int]:
    """Copy all tables; `told` hears of each step. Gives the rows of each table, counted in both databases.

    Raises MoveImpossible, and StoreUnavailable where either database cannot be used.
    """
    with _held(make_url(source)) as reading:
        tables = _tables(reading)
        _refuse_unless_unused(target)
        store = open_store(target)
        try:
            with store.transaction(alone=False) as writing:
                postgresql.stand_in_line_to_migrate(writing)
                _refuse_unless_empty(writing, tables)
                for table in tables:
                    _copy(reading, writing, table, told)
                counts = {table.name: _compared(reading, writing, table) for table in tables}
                _go_on_counting(reading, writing, tables)
                writing.exec_driver_sql("ANALYZE")
        except (SQLAlchemyError, psycopg.Error) as error:
            raise MoveImpossible(f"PostgreSQL does not take it, and keeps nothing of it: {error}") from error
        finally:
            store.close()
    return counts


@contextmanager
def _held(url: URL) -> Iterator[Connection]:
    """Open SQLite at one state of it that stays the last one meanwhile: whoever is to write to it waits."""
    if url.get_backend_name() != "sqlite" or "uri" in url.query:
        raise MoveImpossible("only a file of SQLite can be copied: `database` in config.yaml must name one")
    file = Path(str(url.database))
    if not file.is_file():
        raise MoveImpossible(f"there is no database at {file}: nothing is to be copied")
    # only who may write can keep others from it
    address = f"file:{quote(str(file))}?mode=rw"
    engine = create_engine(
        "sqlite://",
        creator=lambda: sqlite3.connect(address, PATIENCE, uri=True),
        poolclass=NullPool,
        hide_parameters=True,
    )
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            if not is_migrated(connection):
                said = "another version of this service wrote the database: start this one on it first, and stop it"
                raise MoveImpossible(said)
            yield connection
    except (SQLAlchemyError, sqlite3.Error) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        raise StoreUnavailable(f"{file} cannot be read while nobody writes to it: {cause}") from error
    finally:
        engine.dispose()


def _tables(reading: Connection) -> list[Table]:
    """Give all tables, each behind those that it refers to; what this version does not know must not be lost."""
    known = metadata.sorted_tables
    there = set(inspect(reading).get_table_names()) - _NOT_OURS
    if strange := sorted(there - {table.name for table in known}):
        raise MoveImpossible(f"the database has tables that are not ours: {', '.join(strange)}")
    return known


def _refuse_unless_unused(target: str) -> None:
    """Raise MoveImpossible where another house lives in the target, before its tables become those of this version."""
    store = Store(make_engine(make_url(target)))
    try:
        with store.reading() as connection:
            there = set(inspect(connection).get_table_names())
            _refuse_unless_empty(connection, [one for one in metadata.sorted_tables if one.name in there])
    finally:
        store.close()


def _refuse_unless_empty(connection: Connection, tables: Sequence[Table]) -> None:
    for table in tables:
        # no column is named, for those of another version may be others
        if connection.execute(select(literal(1)).select_from(table).limit(1)).first() is not None:
            said = (
                f"the target has rows already, in `{table.name}`: name a database that nothing has used yet"
            )
            raise MoveImpossible(said)


def _copy(reading: Connection, writing: Connection, table: Table, told: Callable[[Copied], None]) -> None:
    total, done = _count(reading, table), 0
    told(Copied(table.name, done, total))
    own = [drivers_own(column.type, writing.dialect) for column in table.columns]
    into = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table.name), sql.SQL(", ").join(sql.Identifier(one.name) for one in table.columns)
    )
    in_order = select(table).order_by(*table.primary_key.columns).execution_options(yield_per=AT_ONCE)
    driver = cast("psycopg.Connection[Any]", writing.connection.driver_connection)
    with driver.cursor() as cursor, cursor.copy(into) as copy:
        for rows in reading.execute(in_order).partitions():
            for row in rows:
                copy.write_row(
                    [None if value is None else to(value) for value, to in zip(row, own, strict=True)]
                )
            done += len(rows)
            told(Copied(table.name, done, total))


def _count(connection: Connection, table: Table) -> int:
    return connection.execute(select(func.count()).select_from(table)).scalar_one()


def _compared(reading: Connection, writing: Connection, table: Table) -> int:
    """Count a table in both databases, and compare the last of its ids."""
    ends = [func.max(table.c.id)] if "id" in table.columns else []
    query = select(func.count(), *ends).select_from(table)
    before, after = (tuple(connection.execute(query).one()) for connection in (reading, writing))
    if before != after:
        raise MoveImpossible(
            f"`{table.name}` did not arrive whole: {before} of SQLite are {after} of PostgreSQL"
        )
    return int(before[0])


def _go_on_counting(reading: Connection, writing: Connection, tables: Sequence[Table]) -> None:
    """Let ids go on where SQLite was: one that was given, in a link or a mail, is never given again."""
    given: dict[str, int] = {}
    if inspect(reading).has_table("sqlite_sequence"):
        given = {
            row.name: row.seq for row in reading.exec_driver_sql("SELECT name, seq FROM sqlite_sequence")
        }
    for table in tables:
        if "id" in table.columns:
            highest = writing.execute(select(func.max(table.c.id))).scalar_one() or 0
            last = max(highest, given.get(table.name, 0))
            if last:
                sequence = func.pg_get_serial_sequence(table.name, "id")
                writing.execute(select(func.setval(sequence, last)))
