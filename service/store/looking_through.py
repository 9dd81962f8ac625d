"""Looking for rows, newest first, among a bounded number: however much there is, a look costs no more.

What it did not come to, the next look goes on with.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from sqlalchemy import ColumnElement, Connection, Row, select

T = TypeVar("T")
_NEWEST: Final = 2**62


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """What one look found."""

    rows: Sequence[T] = ()
    """Newest first."""
    next_before: int | None = None
    """Before which number the next look begins; None: there is nothing older."""
    is_cut: bool = False
    """Whether it ended because enough was looked through, and not because enough was found."""


def look_through(
    connection: Connection,
    columns: Sequence[ColumnElement[Any]],
    sources: Iterable[Sequence[ColumnElement[bool]]],
    filters: Sequence[ColumnElement[bool]],
    *,
    before: int | None,
    most: int,
    limit: int,
) -> Found[Row[Any]]:
    """Read the newest rows below a number that the filters let through.

    The first of the columns is the number. The sources are parts of a table, no two of which share a row; each must
    be one that an index gives in the order of the numbers. At most `most` rows of each are looked at, unless there
    are no filters, since then the limit is bound enough.
    """
    number = columns[0]
    below = number < (_NEWEST if before is None else before)
    parts = [(*source, below) for source in sources]
    floors = [
        floor for part in parts if filters and (floor := _floor(connection, number, part, most)) is not None
    ]
    # below the highest floor not all of them would be looked through
    floor = max(floors, default=None)
    above = () if floor is None else (number > floor,)
    found = [
        row
        for part in parts
        for row in connection.execute(
            select(*columns).where(*part, *filters, *above).order_by(number.desc()).limit(limit + 1)
        )
    ]
    found.sort(key=lambda row: -row[0])
    if len(found) > limit:
        return Found(found[:limit], found[limit - 1][0])
    return Found(found) if floor is None else Found(found, floor + 1, is_cut=True)


def _floor(
    connection: Connection, number: ColumnElement[Any], part: Sequence[ColumnElement[bool]], most: int
) -> int | None:
    past = select(number).where(*part).order_by(number.desc()).offset(most).limit(1)
    return connection.execute(past).scalar()
