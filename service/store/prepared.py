"""Statements that are given to the driver as they are: for what is done for each of many thousand mails.

SQLAlchemy's own way from a statement to the driver takes longer than the database does.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import ClauseElement, Dialect
from sqlalchemy.types import TypeEngine

Given = tuple[Any, ...] | dict[str, Any]


class Prepared:
    """A statement in a database's own words, all of whose values are named parameters."""

    def __init__(self, statement: ClauseElement, dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        self.text = str(compiled)
        self._order: list[str] | None = getattr(compiled, "positiontup", None)

    def given(self, **values: object) -> Given:
        """Put values, in the driver's own types, in the form that the driver takes."""
        return values if self._order is None else tuple([values[name] for name in self._order])


def drivers_own(column_type: TypeEngine[Any], dialect: Dialect) -> Callable[[Any], Any]:
    """Give what turns a value of a column into the driver's own type."""
    own = column_type.dialect_impl(dialect).bind_processor(dialect)
    return own or (lambda value: value)
