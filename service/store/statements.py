"""Statements made once and handed to the driver as they are: for what is asked for each reply and alert.

SQLAlchemy's own way from a statement to the driver takes longer than the database does. Types are those of
the schema, faults come out as SQLAlchemy's, and whoever listens for `before_cursor_execute` hears of it. It opens no
transaction.
"""

import re
from collections import namedtuple
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from sqlalchemy import ClauseElement, Connection, Dialect
from sqlalchemy.exc import DBAPIError, StatementError

if TYPE_CHECKING:
    from sqlalchemy.sql.compiler import SQLCompiler

_Convert = Callable[[Any], Any]
Given = tuple[Any, ...] | dict[str, Any]
"""Values as the driver takes them."""
_PORTIONS: Final = (64, 48, 32, 28, 24, 20, 16, 12, 8, 4, 3, 2, 1)
"""Rows that one statement may take: few different ones, so that the driver keeps nearly all of them prepared."""
_VALUES = re.compile(r"VALUES (\([?, ]+\))")


class _Answer(NamedTuple):
    found: list[tuple[Any, ...]]
    changed: int
    last_id: int
    """Of the row that was inserted last, on SQLite."""


class Statement:
    """A statement that always takes values of the same names; those of INSERT and UPDATE are columns too.

    It is given as such, or as what makes it for a dialect. Where it has words that are written out, as those of
    partial indexes are, each of its `bindparam`s needs some value of its own.
    """

    def __init__(self, statement: ClauseElement | Callable[[Dialect], ClauseElement]) -> None:
        self._statement = statement
        self._by_dialect: dict[str, _Compiled] = {}

    def rows(self, connection: Connection, **values: object) -> list[Any]:
        """Run it and give what it returns, as named tuples. Raises what SQLAlchemy does."""
        compiled = self._for(connection.dialect, values)
        answer = _execute(connection, compiled.text, compiled.given(values), is_answered=True)
        return [compiled.row(one) for one in answer.found]

    def run(self, connection: Connection, **values: object) -> int:
        """Run it and give how many rows it changed. Raises what SQLAlchemy does."""
        compiled = self._for(connection.dialect, values)
        return _execute(connection, compiled.text, compiled.given(values)).changed

    def run_rows(
        self, connection: Connection, rows: Sequence[Mapping[str, object]], *, are_distinct: bool
    ) -> int:
        """Run it for several rows and give how many it changed. Raises what SQLAlchemy does.

        On SQLite an INSERT, and an UPDATE of `are_distinct` rows, takes up to 64 of them with each statement: each one
        by itself would hand Python to another thread and wait to have it back.
        """
        compiled = self._for(connection.dialect, rows[0])
        if connection.dialect.name == "sqlite" and (are_distinct or compiled.text.startswith("INSERT")):
            return sum(answer.changed for answer, _ in self._in_portions(connection, compiled, rows))
        return _execute_many(connection, compiled.text, [compiled.given(one) for one in rows])

    def insert_one(self, connection: Connection, **values: object) -> int:
        """Insert a row and give its id; for PostgreSQL the statement returns it. Raises what SQLAlchemy does."""
        if connection.dialect.name == "sqlite":
            return self.insert_many(connection, [values])[0]
        return int(self.rows(connection, **values)[0].id)

    def insert_many(self, connection: Connection, rows: Sequence[Mapping[str, object]]) -> list[int]:
        """Insert rows on SQLite, up to 64 with each statement, and give their ids in the same order.

        For a table whose ids always grow (AUTOINCREMENT): those of one statement follow each other. RETURNING would
        take as long again as the row itself, and each statement by itself hands Python to another thread and waits to
        have it back. Raises what SQLAlchemy does.
        """
        if not rows:
            return []
        ids: list[int] = []
        compiled = self._for(connection.dialect, rows[0])
        for answer, count in self._in_portions(connection, compiled, rows):
            ids += range(answer.last_id - count + 1, answer.last_id + 1)
        return ids

    @staticmethod
    def _in_portions(
        connection: Connection, compiled: "_Compiled", rows: Sequence[Mapping[str, object]]
    ) -> Iterator[tuple[_Answer, int]]:
        """Run it for some rows after the other; gives what came of it and how many they were."""
        done = 0
        while done < len(rows):
            count = next(count for count in _PORTIONS if count <= len(rows) - done)
            given = tuple([value for one in rows[done : done + count] for value in compiled.given(one)])
            text = compiled.text if count == 1 else _for_rows(compiled.text, count)
            yield _execute(connection, text, given), count
            done += count

    def _for(self, dialect: Dialect, values: Mapping[str, object]) -> "_Compiled":
        compiled = self._by_dialect.get(dialect.name)
        if compiled is None:
            given = self._statement
            statement = given if isinstance(given, ClauseElement) else given(dialect)
            compiled = self._by_dialect[dialect.name] = _compile(statement, dialect, list(values))
        return compiled


@dataclass(frozen=True, slots=True)
class _Compiled:
    text: str
    order: tuple[tuple[str, _Convert | None], ...] | None
    """The parameters where they have no names, each with what turns its value into the driver's."""
    constants: Mapping[str, object]
    to_driver: Mapping[str, _Convert]
    from_driver: tuple[tuple[int, _Convert], ...]
    make_row: _Convert

    def given(self, values: Mapping[str, object]) -> Given:
        every = {**self.constants, **values} if self.constants else values
        try:
            if self.order is None:
                return {**every, **{name: convert(every[name]) for name, convert in self.to_driver.items()}}
            return tuple(
                [every[name] if convert is None else convert(every[name]) for name, convert in self.order]
            )
        except (TypeError, ValueError) as error:
            raise StatementError(str(error), self.text, None, error, hide_parameters=True) from error

    def row(self, found: tuple[Any, ...]) -> Any:  # noqa: ANN401  its columns are those of the statement
        values = list(found)
        for place, convert in self.from_driver:
            values[place] = convert(values[place])
        return self.make_row(values)


def _compile(statement: ClauseElement, dialect: Dialect, names: list[str]) -> _Compiled:
    options = {"render_postcompile": True}
    compiled = cast(
        "SQLCompiler", statement.compile(dialect=dialect, column_keys=names, compile_kwargs=options)
    )
    to_driver = {
        name: convert
        for name, bound in compiled.binds.items()
        if (convert := bound.type.dialect_impl(dialect).bind_processor(dialect)) is not None
    }
    names_in_order = compiled.positiontup
    order = (
        None if names_in_order is None else tuple([(name, to_driver.get(name)) for name in names_in_order])
    )
    columns = list(getattr(statement, "exported_columns", ()))
    from_driver = [
        (place, convert)
        for place, column in enumerate(columns)
        if (convert := column.type.dialect_impl(dialect).result_processor(dialect, None)) is not None
    ]
    row = namedtuple("Row", [str(column.key) for column in columns], rename=True)  # type: ignore[misc]  # noqa: PYI024  its names come with the statement
    return _Compiled(
        text=str(compiled),
        order=order,
        constants={name: value for name, value in compiled.params.items() if name not in names},
        to_driver=to_driver,
        from_driver=tuple(from_driver),
        make_row=row._make,
    )


@lru_cache(maxsize=256)
def _for_rows(text: str, count: int) -> str:
    """Give the text of an INSERT or UPDATE of SQLite's that takes the values of several rows, one after the other."""
    if text.startswith("INSERT"):
        return _VALUES.sub(lambda found: f"VALUES {', '.join([found[1]] * count)}", text, count=1)
    places = text.count("?")
    numbers = iter(range(1, places + 1))
    changes, _, which = re.sub(r"\?", lambda _: f"given.column{next(numbers)}", text).partition(" WHERE ")
    values = f"({', '.join('?' * places)})"
    return f"{changes} FROM (VALUES {', '.join([values] * count)}) AS given WHERE {which}"


def tell(connection: Connection, text: str) -> None:
    """Run a few words that take and give nothing, such as BEGIN."""
    _execute(connection, text, ())


def _execute_many(connection: Connection, text: str, rows: Sequence[Given]) -> int:
    """Run a statement for several rows and give how many it changed. Raises what SQLAlchemy does."""
    with _faults_of(connection, text) as cursor:
        for listen in connection.dispatch.before_cursor_execute:
            listen(connection, cursor, text, rows, None, True)  # noqa: FBT003  as SQLAlchemy calls it
        if len(rows) == 1:
            cursor.execute(text, rows[0])
        else:
            cursor.executemany(text, rows)
        return int(cursor.rowcount)


def _execute(connection: Connection, text: str, given: Given, *, is_answered: bool = False) -> _Answer:
    with _faults_of(connection, text) as cursor:
        is_many = False
        for listen in connection.dispatch.before_cursor_execute:
            listen(connection, cursor, text, given, None, is_many)
        cursor.execute(text, given)
        found = list(cursor.fetchall()) if is_answered else []
        # PostgreSQL's driver knows of no last id
        return _Answer(found, cursor.rowcount, getattr(cursor, "lastrowid", None) or 0)


@contextmanager
def _faults_of(connection: Connection, text: str) -> Iterator[Any]:
    """Give a cursor, whose faults come out as SQLAlchemy's."""
    dialect, driver = connection.dialect, connection.connection
    cursor = driver.cursor()
    try:
        yield cursor
    except dialect.loaded_dbapi.Error as error:
        if dialect.is_disconnect(error, driver.dbapi_connection, cursor):
            connection.invalidate(error)
        raise DBAPIError.instance(
            text, None, error, dialect.loaded_dbapi.Error, hide_parameters=True, dialect=dialect
        ) from error
    finally:
        cursor.close()
