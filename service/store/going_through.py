"""Goes through a table once, in the order of its numbers, to remove what was kept long enough.

How far it came stands in `instance`, so that an hour's sweep costs the same after ten years, and what is to stay does
not stop it. It removes nothing itself.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, select

from service.store import credentials


@dataclass(frozen=True, slots=True)
class Turn:
    """The next rows whose time has come."""

    name: str
    rows: Sequence[Row[Any]]

    def end(self, connection: Connection) -> int:
        """Remember that they had their turn; gives how many they were."""
        if self.rows:
            credentials.put_instance_value(connection, self.name, str(self.rows[-1].id))
        return len(self.rows)


def next_turn(
    connection: Connection,
    name: str,
    columns: Sequence[ColumnElement[Any]],
    is_over: Callable[[Row[Any]], bool],
    *,
    limit: int,
) -> Turn:
    """Read the next rows, so many at most, up to the first whose time has not come.

    `columns` begin with the number; `name` is what `instance` calls how far it came.
    """
    number = columns[0]
    seen = int(credentials.instance_value(connection, name, "0"))
    rows = connection.execute(select(*columns).where(number > seen).order_by(number).limit(limit))
    return Turn(name, [*takewhile(is_over, rows)])
