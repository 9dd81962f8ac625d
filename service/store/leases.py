"""A part that only one of several instances may play at a time, such as deciding; it falls to another when that dies.

On PostgreSQL it is an advisory lock of a connection that is kept for it: the server gives it back when the connection
ends, however the instance ended. On SQLite there is one instance, which a lock file sees to.
"""

from collections.abc import Callable
from contextlib import suppress
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Final
from zlib import crc32

from sqlalchemy.exc import SQLAlchemyError

from service.errors import StoreUnavailable
from service.store.database import Store

if TYPE_CHECKING:
    from sqlalchemy import PoolProxiedConnection

PARTS: Final = 0x7061_7274  # "part"
"""The first number of the advisory locks that are parts; the second is made of its name."""
LOOK_AGAIN: Final = 1.0
"""Seconds for which a part that was held just now is believed to be, and between two attempts to take one."""
OF_ITS_OWN: Final = (
    # within four seconds the server notices that a machine is gone, which cannot say so itself
    "SET tcp_keepalives_idle = 2",
    "SET tcp_keepalives_interval = 1",
    "SET tcp_keepalives_count = 2",
    # it may idle for ever; PostgreSQL 13 does not know the setting
    "SELECT set_config(name, '0', false) FROM pg_settings WHERE name = 'idle_session_timeout'",
)
"""What a connection is told that one instance keeps for itself, and for as long as it lives."""


class Lease:
    """A part and whether we hold it; for any thread. It is to be closed."""

    def __init__(self, store: Store, name: str, *, taken: Callable[[], None] = lambda: None) -> None:
        """`taken` is called whenever we take it: who held it before is dead. It may raise StoreUnavailable."""
        self._store = store
        self._taken = taken
        self._number = crc32(name.encode()) & 0x7FFF_FFFF
        self._connection: PoolProxiedConnection | None = None
        self._looked_at = float("-inf")
        self.is_sure = store.engine.dialect.name != "postgresql"
        """Whether nobody else can hold it, so that nothing need be asked."""
        self._was_taken = False
        self._guard = Lock()

    def is_held(self) -> bool:
        """Tell whether we hold it, and take it where nobody does; in a database that is away nobody holds any.

        Raises StoreUnavailable where nobody else can hold it, and what was left could not be taken up.
        """
        with self._guard:
            if self.is_sure:
                if not self._was_taken:
                    self._taken()
                    self._was_taken = True
                return True
            if monotonic() - self._looked_at >= LOOK_AGAIN:
                if not self._is_alive():
                    self._take()
                self._looked_at = monotonic()
            return self._connection is not None

    def close(self) -> None:
        """Give it back."""
        with self._guard:
            self._let_go()

    def _is_alive(self) -> bool:
        if self._connection is None:
            return False
        try:
            self._connection.cursor().execute("SELECT 1")
        except self._store.engine.dialect.loaded_dbapi.Error:
            self._let_go()
            return False
        return True

    def _take(self) -> None:
        try:
            kept = self._store.engine.raw_connection()
            # its lock is its own: it never goes back to where others take theirs from
            kept.detach()
            self._connection = kept
            cursor = kept.cursor()
            cursor.execute("; ".join(OF_ITS_OWN))
            cursor.execute(f"SELECT pg_try_advisory_lock({PARTS}, {self._number})")
            (is_ours,) = cursor.fetchone() or (False,)
            if is_ours:
                self._taken()
            else:
                self._let_go()
        except (SQLAlchemyError, StoreUnavailable, self._store.engine.dialect.loaded_dbapi.Error):
            self._let_go()

    def _let_go(self) -> None:
        kept, self._connection = self._connection, None
        if kept is not None:
            with suppress(SQLAlchemyError, self._store.engine.dialect.loaded_dbapi.Error):
                # the server may take its time to notice the end of the connection
                kept.cursor().execute("SELECT pg_advisory_unlock_all()")
            with suppress(SQLAlchemyError, self._store.engine.dialect.loaded_dbapi.Error):
                kept.close()
