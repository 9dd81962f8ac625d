"""An advisory lock of PostgreSQL on a connection that is kept for it alone.

The server gives it back when the connection ends, however that came about: whoever holds one is alive.
"""

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy.exc import SQLAlchemyError

from service.errors import StoreUnavailable
from service.store.database import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import PoolProxiedConnection

OF_ITS_OWN: Final = (
    # it may idle for ever; PostgreSQL 13 does not know the setting
    "SELECT set_config(name, '0', false) FROM pg_settings WHERE name = 'idle_session_timeout'",
)
"""What a connection is told that one instance keeps for itself, and for as long as it lives."""


class KeptLock:
    """A lock and whether we hold it; for one thread at a time. It is to be let go."""

    def __init__(self, store: Store, kind: int) -> None:
        """`kind` is the first of its two numbers, which tells what it is for."""
        self._store = store
        self._kind = kind
        self._connection: PoolProxiedConnection | None = None
        self._faults = (SQLAlchemyError, StoreUnavailable, store.engine.dialect.loaded_dbapi.Error)

    @property
    def is_held(self) -> bool:
        """Whether we held it when we last looked."""
        return self._connection is not None

    def take(self, number: int, *, otherwise: "Callable[[Any], None] | None" = None) -> bool:
        """Take the lock of a number unless somebody has it; False too where the database is away, or only reads.

        Where somebody has it, `otherwise` gets a cursor to look at who that is.
        """
        try:
            kept = self._store.engine.raw_connection()
            # its lock is its own: it never goes back to where others take theirs from
            kept.detach()
            self._connection = kept
            cursor = kept.cursor()
            cursor.execute("; ".join(OF_ITS_OWN))
            # a standby has locks too, which are none to anybody who writes
            cursor.execute(
                f"SELECT pg_try_advisory_lock({self._kind}, {number}) WHERE NOT pg_is_in_recovery()"
            )
            (is_ours,) = cursor.fetchone() or (False,)
            if not is_ours and otherwise is not None:
                otherwise(cursor)
        except self._faults:
            is_ours = False
        if not is_ours:
            self.let_go()
        return self.is_held

    def ask(self, query: str) -> "Sequence[Any] | None":
        """Ask the database something on the lock's own connection; None: we do not hold it any more."""
        if self._connection is None:
            return None
        try:
            cursor = self._connection.cursor()
            cursor.execute(query)
            return cursor.fetchall()
        except self._faults:
            self.let_go()
            return None

    def let_go(self) -> None:
        """Give it back."""
        kept, self._connection = self._connection, None
        if kept is not None:
            with suppress(*self._faults):
                # the server may take its time to notice the end of the connection
                kept.cursor().execute("SELECT pg_advisory_unlock_all()")
            with suppress(*self._faults):
                kept.close()
