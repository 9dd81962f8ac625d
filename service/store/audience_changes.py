"""A number for who hears of incidents: it grows with each change of that, so that nobody has to count to notice one.

Each change adds a row and overwrites none: nobody who changes subscribers waits for another who does.
"""

from sqlalchemy import Connection, delete, func, insert, select

from service.store.watch_schema import audience_changes


def note(connection: Connection) -> None:
    """Note within the transaction that changes it that another number of subscribers may hear of an incident."""
    connection.execute(insert(audience_changes))


def sweep(connection: Connection) -> None:
    """Forget all changes but the newest, whose number is never given again."""
    newest = select(func.max(audience_changes.c.id)).scalar_subquery()
    connection.execute(delete(audience_changes).where(audience_changes.c.id < newest))
