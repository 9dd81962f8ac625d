"""Lets the threads of this process write one after the other, in the order in which they ask.

SQLite's own way is to look again after ever longer pauses, so that a thread which writes again and again keeps all
others out: a flood of alerts being decided about would hold up those that arrive.
"""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from service.errors import StoreUnavailable


class Turns:
    """Whose turn it is; `patience` in seconds is how long anybody waits for his."""

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._guard = Lock()
        self._is_taken = False
        self._waiting: deque[Lock] = deque()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for one's turn and have it during the block; raises StoreUnavailable where it never comes."""
        self._take()
        try:
            yield
        finally:
            self._pass_on()

    @property
    def is_wanted(self) -> bool:
        """Whether anybody waits for it."""
        return bool(self._waiting)

    def _take(self) -> None:
        with self._guard:
            if not self._is_taken:
                self._is_taken = True
                return
            mine = Lock()
            mine.acquire()
            self._waiting.append(mine)
        if mine.acquire(timeout=self._patience):
            return
        with self._guard:
            if mine in self._waiting:
                self._waiting.remove(mine)
                raise StoreUnavailable("the database is locked: somebody writes for too long")
        # it came at the last moment

    def _pass_on(self) -> None:
        """Hand the turn over to whoever waits longest, so that nobody gets in between."""
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._is_taken = False
