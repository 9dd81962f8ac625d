"""A part that only one of several instances may play at a time, such as deciding; it falls to another when that dies.

On PostgreSQL it is an advisory lock of a connection that is kept for it. On SQLite there is one instance, which a lock
file sees to.
"""

from threading import Lock
from time import monotonic
from typing import Final
from zlib import crc32

from service.store.database import Store
from service.store.kept_locks import KeptLock

PARTS: Final = 0x7061_7274  # "part"
"""The first number of the advisory locks that are parts; the second is made of its name."""
LOOK_AGAIN: Final = 1.0
"""Seconds for which a part that was held just now is believed to be, and between two attempts to take one."""


class Lease:
    """A part and whether we hold it; for any thread. It is to be closed."""

    def __init__(self, store: Store, name: str) -> None:
        self._number = crc32(name.encode()) & 0x7FFF_FFFF
        self._lock = KeptLock(store, PARTS)
        self._looked_at = float("-inf")
        self.is_sure = store.engine.dialect.name != "postgresql"
        """Whether nobody else can hold it, so that nothing need be asked."""
        self._guard = Lock()

    def is_held(self) -> bool:
        """Tell whether we hold it, and take it where nobody does; in a database that is away nobody holds any."""
        if self.is_sure:
            return True
        with self._guard:
            if monotonic() - self._looked_at >= LOOK_AGAIN:
                if self._lock.ask("SELECT 1") is None:
                    self._lock.take(self._number)
                self._looked_at = monotonic()
            return self._lock.is_held

    def close(self) -> None:
        """Give it back."""
        with self._guard:
            self._lock.let_go()
