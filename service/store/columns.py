"""What the tables are made of: names of constraints, times in UTC, keys. No table is here."""

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

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class UtcDateTime(TypeDecorator[datetime]):
    """A time that is aware and in UTC on both sides; SQLite alone would give it back naive."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a naive time, which would be somebody's local time."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive datetime {value!r}: every time is in UTC")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

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
