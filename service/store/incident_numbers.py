"""The numbers of incidents, counted by whoever opens several of them in one transaction that is alone.

To ask for each by itself is a way to PostgreSQL and back. It gives numbers out beside all transactions: what is counted
here is told to it in the end, and where the transaction is taken back then, they are left out, as its own would be.
"""

from sqlalchemy import Connection, bindparam, column, func, select, table

from service.store.schema import incidents
from service.store.statements import Statement

_OF_SQLITE = Statement(
    select(column("seq")).select_from(table("sqlite_sequence")).where(column("name") == incidents.name)
)
_OF_POSTGRESQL = Statement(
    select(column("last_value"), column("is_called")).select_from(table("incidents_id_seq"))
)
_TELL_POSTGRESQL = Statement(select(func.setval("incidents_id_seq", bindparam("last"))))


def last(connection: Connection) -> int:
    """Give the number that was given out last; 0: none was."""
    if connection.dialect.name == "sqlite":
        return next((int(row.seq) for row in _OF_SQLITE.rows(connection, of_table=incidents.name)), 0)
    [row] = _OF_POSTGRESQL.rows(connection)
    return int(row.last_value) if row.is_called else 0


def go_on_after(connection: Connection, number: int) -> None:
    """Let the next number be the one after this; SQLite sees it from the rows."""
    if connection.dialect.name != "sqlite":
        _TELL_POSTGRESQL.rows(connection, last=number)
