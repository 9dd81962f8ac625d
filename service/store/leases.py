"""A part that only one of several instances may play at a time, such as deciding; it falls to another when that dies.

On PostgreSQL it is an advisory lock of a connection that is kept for it, by which its holder says something every few
seconds: of a process that stands still the kernel keeps the connection, and the others end it. On SQLite there is one
instance, which a lock file sees to.
"""

from contextlib import AbstractContextManager, nullcontext
from threading import Lock
from time import monotonic
from typing import Any, Final
from zlib import crc32

import structlog

from service.store.background import doing
from service.store.database import Store
from service.store.kept_locks import KeptLock

PARTS: Final = 0x7061_7274  # "part"
"""The first number of the advisory locks that are parts; the second is made of its name."""
LOOK_AGAIN: Final = 1.0
"""Seconds for which a part that was held just now is believed to be, and between two attempts to take one."""

BEAT: Final = 5.0
"""Seconds after which a holder says something, whatever else it does."""
SILENT_FOR: Final = 60.0
"""Seconds for which a holder said nothing until it is taken for one that stands still: no pause of a living one is so
long."""
SILENT_LOOKS: Final = 20
"""So many looks of another instance at it meanwhile: while the server or that instance stood still there were none."""
_HOLDER: Final = (
    "SELECT pid, state_change FROM pg_locks JOIN pg_stat_activity USING (pid)"
    " WHERE locktype = 'advisory' AND granted AND objsubid = 2 AND classid = %s AND objid = %s"
    " AND datname = current_database() AND datid = database AND state_change IS NOT NULL"
)
_END: Final = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = %s AND state_change = %s"

_log = structlog.get_logger()


class Lease:
    """A part and whether we hold it; for any thread. It is to be closed."""

    def __init__(self, store: Store, name: str) -> None:
        self._number = crc32(name.encode()) & 0x7FFF_FFFF
        self._lock = KeptLock(store, PARTS)
        self._looked_at = float("-inf")
        self.is_sure = store.engine.dialect.name != "postgresql"
        """Whether nobody else can hold it, so that nothing need be asked."""
        self._guard = Lock()
        self._holder: Any = None
        self._silent_since = 0.0
        self._silent_looks = 0

    def is_held(self) -> bool:
        """Tell whether we hold it, and take it where nobody does; in a database that is away nobody holds any."""
        if self.is_sure:
            return True
        with self._guard:
            if monotonic() - self._looked_at >= LOOK_AGAIN:
                if self._lock.ask("SELECT 1") is None:
                    self._lock.take(self._number, otherwise=self._look_at_holder)
                self._looked_at = monotonic()
            return self._lock.is_held

    def beat(self) -> None:
        """Show the others that we are alive, where we hold it."""
        with self._guard:
            if self._lock.is_held:
                self._lock.ask("SELECT 1")

    def _look_at_holder(self, cursor: Any) -> None:  # noqa: ANN401  the driver's own
        """End the connection of a holder that stands still, so that its part falls to the next who asks.

        What it was about to commit was rolled back by the server meanwhile, or is refused as done by somebody else.
        """
        cursor.execute(_HOLDER, (PARTS, self._number))
        holder = cursor.fetchone()
        if holder is None or holder != self._holder:
            self._holder, self._silent_since, self._silent_looks = holder, monotonic(), 0
            return
        self._silent_looks += 1
        if self._silent_looks >= SILENT_LOOKS and monotonic() - self._silent_since >= SILENT_FOR:
            cursor.execute(_END, holder)
            self._holder = None
            _log.warning(
                "the instance that decided stands still: its part is taken from it", seconds=SILENT_FOR
            )

    def close(self) -> None:
        """Give it back."""
        with self._guard:
            self._lock.let_go()


def beating(lease: Lease) -> AbstractContextManager[None]:
    """Let the others see that we are alive, beside everything else: a turn of the decider may take minutes."""
    return nullcontext() if lease.is_sure else doing("beating", lease.beat, each=BEAT)
