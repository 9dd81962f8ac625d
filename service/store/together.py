"""What several decisions in one transaction need not read or write one by one: to ask takes longer than to answer.

Only for a transaction that is alone, of which no part is taken back without the rest. What is read once stays as it is
but for our own changes; what is written is handed over many rows at a time, before anything that names its table is
asked, and at the end.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar, cast

from sqlalchemy import Connection, event

from service.errors import IncidentChangedMeanwhile
from service.model import Incident, JoinedAlert
from service.store.statements import Statement

MOST_OPEN: Final = 100
"""Open incidents of a monitor that are kept: each alert looks at all of them."""
_KEY: Final = "replycast_together"
_T = TypeVar("_T")


@dataclass(slots=True)
class _Run:
    """Rows that one statement writes."""

    statement: Statement
    rows: list[dict[str, Any]] = field(default_factory=list)
    unless: list[str] = field(default_factory=list)
    """What is wrong if one of the rows is not there; empty: it need not be."""
    are_distinct: bool = True
    """Whether no row is written twice by it, by what tells them apart."""


@dataclass(slots=True)
class _ToWrite:
    """What is to be written to one table: of each row in its order, of different rows in any."""

    runs: list[_Run] = field(default_factory=list)
    last_of_statement: dict[Statement, int] = field(default_factory=dict)
    last_of_row: dict[object, tuple[int, int]] = field(default_factory=dict)
    """The run, and the place in it."""

    def add(self, statement: Statement, row: object, values: dict[str, Any], unless: str) -> None:
        number = self.last_of_statement.get(statement, -1)
        if number < self.last_of_row.get(row, (0, 0))[0]:
            number = self.last_of_statement[statement] = len(self.runs)
            self.runs.append(_Run(statement))
        run = self.runs[number]
        if row is None or self.last_of_row.get(row, (-1, 0))[0] == number:
            run.are_distinct = False
        if row is not None:
            self.last_of_row[row] = number, len(run.rows)
        run.rows.append(values)
        run.unless.append(unless)

    def merge(self, statement: Statement, row: object, values: dict[str, Any], first: str) -> bool:
        """Write the row's last values alone, where the same statement was to write it before; False: it was not."""
        number, place = self.last_of_row.get(row, (-1, 0))
        if number < 0 or self.runs[number].statement is not statement:
            return False
        before = self.runs[number].rows[place]
        self.runs[number].rows[place] = {**values, first: before[first]}
        return True


@dataclass(slots=True)
class Together:
    """What is known and what is to be written within one transaction."""

    alerts: dict[tuple[int, int], tuple[JoinedAlert, ...]] = field(default_factory=dict)
    """Of an incident's version."""
    open: dict[str, dict[int, Incident] | None] = field(default_factory=dict)
    """By monitor: its open incidents as they are by now, oldest first; None: they are too many to be kept."""
    saved: dict[int, Incident] = field(default_factory=dict)
    """The incidents that were saved, as they are by now."""
    touched: dict[str | None, set[int]] = field(default_factory=dict)
    """By entity id: the incidents of which an alert with it was saved."""
    expected: frozenset[str] = frozenset()
    """The entity ids that will be asked about: what fires of them is read at once."""
    firing: dict[str, tuple[Incident, ...]] = field(default_factory=dict)
    """By entity id: the open incidents in which it fired when they were read, of all monitors."""
    last_number: int = 0
    """That of the newest incident; 0: not known yet."""
    once: dict[object, object] = field(default_factory=dict)
    later: dict[str, _ToWrite] = field(default_factory=dict)
    """By table: what is to be written."""
    names: "re.Pattern[str] | None" = None
    """Finds which of these tables a statement names."""
    is_writing: bool = False
    """It stays so where writing failed: whose row it was is not known then."""
    root: str = ""
    """The table whose rows those of others name: it is written before any of these."""
    finish: Callable[[Connection], object] = lambda _connection: None
    """What is to be done once all is written."""


def found(connection: Connection) -> Together | None:
    """Give what is shared within this transaction, if anything is."""
    return connection.info.get(_KEY)


@contextmanager
def together(connection: Connection) -> Iterator[Together]:
    """Share reading and writing among the decisions of a block.

    Raises what SQLAlchemy does, and IncidentChangedMeanwhile where a row is not there any more that was to be changed.
    """
    # held on to: a connection that is lost meanwhile cannot be asked for it, and would hide why
    info = connection.info
    shared = info[_KEY] = Together()

    def look(_connection: object, _cursor: object, text: str, *_given: object) -> None:
        # what only adds a row asks for none, but may name one
        adds_only = text.startswith("INSERT") and " SELECT " not in text
        named = [shared.root] if adds_only or shared.names is None else shared.names.findall(text)
        for table in dict.fromkeys(named):
            _write(connection, shared, table)

    event.listen(connection, "before_cursor_execute", look)
    try:
        yield shared
        while shared.later:
            _write(connection, shared, next(iter(shared.later)))
        shared.finish(connection)
    finally:
        event.remove(connection, "before_cursor_execute", look)
        info.pop(_KEY, None)


def read_once(connection: Connection, what: object, read: Callable[[], _T]) -> _T:
    """Read what no decision changes: once, where several are made together."""
    shared = found(connection)
    if shared is None:
        return read()
    if what not in shared.once:
        shared.once[what] = read()
    return cast("_T", shared.once[what])


def write(
    connection: Connection,
    statement: Statement,
    table: str,
    *,
    row: object = None,
    unless: str = "",
    first: str = "",
    **values: Any,  # noqa: ANN401  of its columns
) -> None:
    """Write a row, at once or, where several decisions are made together, with others of its table.

    `row` tells it from others, where one may be written more than once. `unless` says what is wrong if there is no such
    row: then IncidentChangedMeanwhile is raised, by then or later. `first` names the value by which the row is found as
    it was: of a row that the same statement writes several times only the last values are written then, by the first
    of these.
    """
    shared = found(connection)
    if shared is None:
        if statement.run(connection, **values) != 1 and unless:
            raise IncidentChangedMeanwhile(unless)
        return
    if table not in shared.later:
        shared.later[table] = _ToWrite()
        shared.names = re.compile(rf"\b(?:{'|'.join(shared.later)})\b")
    to_write = shared.later[table]
    if not (first and to_write.merge(statement, row, values, first)):
        to_write.add(statement, row, values, unless)


def _write(connection: Connection, shared: Together, table: str) -> None:
    if shared.root in shared.later and table != shared.root:
        _write(connection, shared, shared.root)
    to_write = shared.later.pop(table, _ToWrite())
    for run in to_write.runs:
        shared.is_writing = True
        changed = run.statement.run_rows(connection, run.rows, are_distinct=run.are_distinct)
        if changed != len(run.rows) and any(run.unless):
            raise IncidentChangedMeanwhile(" or ".join(dict.fromkeys(filter(None, run.unless))))
        shared.is_writing = False
