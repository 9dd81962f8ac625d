"""Statements made once and handed to the driver as they are: for what is asked for each reply and alert.

SQLAlchemy's own way from a statement to the driver takes longer than the database does. Types are those of
the schema, faults come out as SQLAlchemy's, and whoever listens for `before_cursor_execute` hears of it. It opens no
transaction.
"""

from collections import namedtuple
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from sqlalchemy import ClauseElement, Connection, Dialect
from sqlalchemy.exc import DBAPIError, StatementError

if TYPE_CHECKING:
    from sqlalchemy.sql.compiler import SQLCompiler

_Convert = Callable[[Any], Any]
Given = tuple[Any, ...] | dict[str, Any]
"""Values as the driver takes them."""
_MOST_AT_ONCE = 64


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

    def prepared(self, connection: Connection, **values: object) -> tuple[str, Given]:
        """Give it and its values as the driver takes them, for `execute_many`."""
        compiled = self._for(connection.dialect, values)
        return compiled.text, compiled.given(values)

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
        ids: list[int] = []
        while len(ids) < len(rows):
            left = rows[len(ids) :]
            # powers of two: so there are but a few statements, and the driver keeps all of them prepared
            portion = left[: min(1 << len(left).bit_length() - 1, _MOST_AT_ONCE)]
            compiled = self._for(connection.dialect, rows[0])
            given = tuple([value for one in portion for value in compiled.given(one)])
            last = _execute(connection, compiled.for_rows(len(portion)), given).last_id
            ids += range(last - len(portion) + 1, last + 1)
        return ids

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
    order: tuple[str, ...] | None
    """Of the parameters, where they have no names."""
    constants: Mapping[str, object]
    to_driver: tuple[tuple[str, _Convert], ...]
    from_driver: tuple[tuple[int, _Convert], ...]
    make_row: _Convert

    def given(self, values: Mapping[str, object]) -> Given:
        every = {**self.constants, **values}
        try:
            for name, convert in self.to_driver:
                every[name] = convert(every[name])
        except (TypeError, ValueError) as error:
            raise StatementError(str(error), self.text, None, error, hide_parameters=True) from error
        return every if self.order is None else tuple([every[name] for name in self.order])

    def for_rows(self, count: int) -> str:
        """Give the text of an INSERT that takes the values of several rows, one after the other."""
        head, _, values = self.text.rpartition(" VALUES ")
        return f"{head} VALUES {', '.join([values] * count)}"

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
    order = None if compiled.positiontup is None else tuple(compiled.positiontup)
    to_driver = [
        (name, convert)
        for name, bound in compiled.binds.items()
        if (order is None or name in order)
        and (convert := bound.type.dialect_impl(dialect).bind_processor(dialect)) is not None
    ]
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
        to_driver=tuple(to_driver),
        from_driver=tuple(from_driver),
        make_row=row._make,
    )


def tell(connection: Connection, text: str) -> None:
    """Run a few words that take and give nothing, such as BEGIN."""
    _execute(connection, text, ())


def execute_many(connection: Connection, text: str, rows: Sequence[Given]) -> int:
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
