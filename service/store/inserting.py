"""INSERT that leaves out what is there already: each kind of database has its own way to say so.

Only the one that is used is imported: the other's costs three megabytes of memory.
"""

from typing import TYPE_CHECKING

from sqlalchemy import Dialect, Table

if TYPE_CHECKING:
    from sqlalchemy.dialects.postgresql import Insert as PostgresqlInsert
    from sqlalchemy.dialects.sqlite import Insert as SqliteInsert


def insert_into(table: Table, dialect: Dialect) -> "PostgresqlInsert | SqliteInsert":
    """Begin an INSERT that knows `on_conflict_do_nothing`."""
    if dialect.name == "postgresql":
        from sqlalchemy.dialects import postgresql  # noqa: PLC0415  see above

        return postgresql.insert(table)
    from sqlalchemy.dialects import sqlite  # noqa: PLC0415  see above

    return sqlite.insert(table)
