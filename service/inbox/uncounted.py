"""Attempts that were nobody's fault and could not be taken back, as while the database was away.

Kept in memory, and taken back before anything is tried again: only what a process had in hand that died stays counted.
"""

from collections.abc import Sequence
from threading import Lock
from typing import Final
from weakref import WeakKeyDictionary

from service.store import inbox_rows
from service.store.database import Store
from service.store.inbox_rows import InboxRow


class Uncounted:
    """Arrivals, each as it was before an attempt that does not count; for any thread."""

    def __init__(self) -> None:
        self._rows: list[InboxRow] = []
        self._settling = Lock()

    def __len__(self) -> int:
        """Tell how many attempts are to be taken back."""
        return len(self._rows)

    def keep(self, rows: Sequence[InboxRow]) -> None:
        """Remember some whose attempts are to be taken back; where they were not counted after all, nothing is."""
        self._rows.extend(rows)

    def settle(self, store: Store) -> None:
        """Take back all that is remembered. Raises StoreUnavailable, and then it still is."""
        if not self:
            return
        with self._settling:
            rows = self._rows[:]
            with store.transaction(durable=False) as connection:
                inbox_rows.take_back_attempts(connection, rows)
            del self._rows[: len(rows)]


_OF: Final[WeakKeyDictionary[Store, Uncounted]] = WeakKeyDictionary()


def uncounted_of(store: Store) -> Uncounted:
    """Give what is remembered of a store, under whichever configuration."""
    return _OF.setdefault(store, Uncounted())
