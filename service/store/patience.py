"""How long whoever asks us waits for a PostgreSQL that says nothing, as a machine does that is paused or cut off.

The server's own limits of statements and locks are of no help there, for it is the server that would keep them. Who has
no patience of his own, as what decides and sends, waits until the server goes on.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

PATIENCE: Final = 5.0
"""Seconds to wait for a word of the server, a lock, or a connection of the pool: as long as a post waits."""
_patience: ContextVar[float | None] = ContextVar("patience", default=None)


class Haste:
    """Whether this process is to end, so that nobody has more than PATIENCE any more; of one store."""

    is_on = False

    def begin(self) -> None:
        """Let everybody give up whatever the server is silent about for that long, also who waits already."""
        self.is_on = True

    @property
    def patience(self) -> float | None:
        """How many seconds those wait at most who have no patience of their own; None: until the server goes on."""
        return PATIENCE if self.is_on else None


class MayBeDone(Exception):
    """Marks a driver's fault: the connection ended while the server was to commit, and whether it did is not known."""


def patience_of_asker() -> float | None:
    """Give how many seconds whoever asks at the moment waits at most; None: until the server goes on."""
    return _patience.get()


@contextmanager
def waiting_at_most(seconds: float = PATIENCE) -> Iterator[None]:
    """Give up, in the block and the threads that it starts, whatever the server is silent about for so long."""
    token = _patience.set(seconds)
    try:
        yield
    finally:
        _patience.reset(token)
