"""What the tables are made of: names of constraints, times in UTC, keys. No table is here."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ColumnElement,
    DateTime,
    Dialect,
    Index,
    Integer,
    MetaData,
    Text,
)
from sqlalchemy.types import TypeDecorator

_WITHOUT_ZONE = len("2026-11-29 20:00:00.000000")

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _in_utc(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError(f"naive datetime {value!r}: every time is in UTC")
    return value.astimezone(UTC)


def _as_sqlite_text(value: datetime | None) -> str | None:
    """Write a time as SQLAlchemy does for SQLite, so that texts are in the order of the times."""
    return None if value is None else _in_utc(value).isoformat(" ", "microseconds")[:_WITHOUT_ZONE]


class UtcDateTime(TypeDecorator[datetime]):
    """A time that is aware and in UTC on both sides; SQLite alone would give it back naive."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], Any] | None:
        """Give SQLite's own form at once: by way of its type each time took three times as long."""
        return _as_sqlite_text if dialect.name == "sqlite" else super().bind_processor(dialect)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a naive time, which would be somebody's local time."""
        del dialect
        return None if value is None else _in_utc(value)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give it back aware."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


# compared byte by byte, so that a range of them is what begins with the same letters, whatever the locale
Key = Text().with_variant(Text(collation="C"), "postgresql")
# SQLite gives a rowid only to INTEGER keys
BigId = BigInteger().with_variant(Integer, "sqlite")


def one_of(column: str, words: list[str]) -> CheckConstraint:
    """Let a column hold one of some words: a text and a rule, since native enums are hard to extend."""
    listed = ", ".join(f"'{word}'" for word in words)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


def own_id() -> Column[Any]:
    """Give a table its own number."""
    return Column("id", BigId, primary_key=True, autoincrement=True)


def partial_index(
    name: str, *columns: ColumnElement[Any], where: ColumnElement[bool], unique: bool = False
) -> Index:
    """Make an index of some rows alone.

    It is told to SQLite only: PostgreSQL's tables come by the migrations alone, and to name it would import all that
    SQLAlchemy has for it, three megabytes of memory.
    """
    return Index(name, *columns, unique=unique, sqlite_where=where)
