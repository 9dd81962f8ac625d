"""Notes which mails the relay took, few or thousands a second."""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Protocol

from sqlalchemy import bindparam, literal_column, null, update
from sqlalchemy.exc import SQLAlchemyError

from service.errors import StoreUnavailable
from service.model import Delivery
from service.store.database import Store
from service.store.deliveries import mark_sent
from service.store.prepared import Prepared, drivers_own
from service.store.schema import deliveries, updates

_SENT = (
    update(deliveries)
    .where(deliveries.c.id == bindparam("delivery"), deliveries.c.due_at.is_not(None))
    .values(
        due_at=null(), sent_at=bindparam("at"), last_error=literal_column("''"), may_have_arrived_at=null()
    )
)
_COUNTED = (
    update(updates)
    .where(updates.c.id == bindparam("number"))
    .values(sent=updates.c.sent + bindparam("more"), last_sent_at=bindparam("at"))
)


class Marks(Protocol):
    """Where it is noted. None waits for the disk.

    What was noted outlives a kill of the process, and is safe from a power cut with the next durable commit.
    """

    def mark(self, sent: Sequence[Delivery], now: datetime) -> None:
        """Remember of some mails that the relay took them. Raises StoreUnavailable."""


class SeenMarks:
    """Notes where somebody looks on: each is a commit of which who shows deliveries hears."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def mark(self, sent: Sequence[Delivery], now: datetime) -> None:
        """Remember of some mails that the relay took them. Raises StoreUnavailable."""
        with self._store.transaction(durable=False, alone=False) as connection:
            for one in sent:
                mark_sent(connection, one.id, now)


class SentMarks:
    """Notes on a connection that is kept for it; for one thread. It is to be closed. Raises StoreUnavailable.

    It is no commit that `Store.commits` counts, for the public reads nothing of it.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        dialect = store.engine.dialect
        self._is_sqlite = dialect.name == "sqlite"
        self._sent, self._counted = Prepared(_SENT, dialect), Prepared(_COUNTED, dialect)
        self._time = drivers_own(deliveries.c.sent_at.type, dialect)
        self._faults = dialect.loaded_dbapi.Error
        try:
            self._connection = store.engine.raw_connection()
            # its setting is its own: it never goes back to where others take theirs from
            self._connection.detach()
            self._cursor = self._connection.cursor()
            self._cursor.execute(
                "PRAGMA synchronous = NORMAL" if self._is_sqlite else "SET synchronous_commit = off"
            )
        except (SQLAlchemyError, self._faults) as fault:  # too few connections are no fault of the driver's
            raise StoreUnavailable(f"the database cannot be used just now: {fault}") from fault

    def mark(self, sent: Sequence[Delivery], now: datetime) -> None:
        """Remember of some mails that the relay took them, as `deliveries.mark_sent` does of one."""
        try:
            cancelled = self._mark(sent, self._time(now))
        except self._faults as fault:
            with suppress(self._faults):  # a connection that is lost takes no word any more
                self._connection.rollback()
            raise StoreUnavailable(f"the database cannot be used just now: {fault}") from fault
        if cancelled:
            with self._store.transaction(durable=False) as connection:
                for one in cancelled:
                    mark_sent(connection, one.id, now)

    def _mark(self, sent: Sequence[Delivery], at: object) -> list[Delivery]:
        """Mark what waits; gives what did not wait any more."""
        cursor, cancelled, number = self._cursor, [], Counter[int | None]()
        cursor.execute("BEGIN IMMEDIATE" if self._is_sqlite else "BEGIN")
        for one in sent:
            cursor.execute(self._sent.text, self._sent.given(delivery=one.id, at=at))
            if cursor.rowcount:
                number[one.update_id] += 1
            else:
                cancelled.append(one)
        # in one order, lest two who send side by side wait for each other
        for update_id, more in sorted(number.items(), key=lambda one: one[0] or 0):
            cursor.execute(self._counted.text, self._counted.given(number=update_id, more=more, at=at))
        cursor.execute("COMMIT")
        return cancelled

    def close(self) -> None:
        """End the connection."""
        self._connection.close()
