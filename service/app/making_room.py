"""How the decider makes room for whom somebody waits: posts that are taken in, pages that are shown.

Two threads of a process hand Python to one another. While the decider computes, the loop that takes posts in gets
little of it. So a rush of posts is decided about with a pause after each turn, the longer the busier the loop is, and
in short turns where it is very busy. What is not taken in may be lost; what is decided about later is only late. The
thread that composes mails takes turns with the decider.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

FEW: Final = 8
"""Arrivals of a turn beside a busy loop: a few milliseconds."""
BUSY: Final = 0.2
"""The share of its time from which on the loop counts as busy. Below it turns are long, to keep up with the rush."""
LONGEST_PAUSE: Final = 1.0
"""Seconds."""
COURTESY: Final = 0.1
"""Seconds that a thread waits for another one to have computed, which a database may hold up for long."""
_SHYNESS: Final = 4
"""How many times as much of the time as would be fair the decider leaves to the loop."""


def arrivals_in_a_turn(usual: int, busy: float) -> int:
    """Give about how many arrivals a turn may decide in a rush."""
    return FEW if busy >= BUSY else usual


def pause_after(turn: float, busy: float) -> float:
    """Give how long to pause after a turn, in its seconds, while the loop computes for this share of the time.

    Not at all while the loop is idle; at a tenth of the time half a turn, at half of it eight turns, and hundreds where
    the loop hardly gets to the end.
    """
    if busy >= 1:
        return LONGEST_PAUSE
    return min(_SHYNESS * turn * max(busy, 0) / (1 - busy) ** 2, LONGEST_PAUSE)


class Busyness:
    """How busy a thread is; asked in that thread alone. Its clocks count seconds."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, used: Callable[[], float] = time.thread_time
    ) -> None:
        self._clock = clock
        self._used = used
        self._looked_at, self._used_then = clock(), used()

    def share(self) -> float:
        """Give for which share of the time it computed since this was asked last."""
        now, used = self._clock(), self._used()
        span, spent = now - self._looked_at, used - self._used_then
        self._looked_at, self._used_then = now, used
        return min(max(spent / span, 0.0), 1.0) if span > 0 else 0.0


class Courtesy:
    """Lets threads that compute for long do so one after another.

    Two that do so at once hand Python to one another at each way to the database, and take half as long again, both.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._turns = 0
        """How many were taken."""
        self._in_vain = -1
        """The last one of which somebody did not wait for the end."""

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for whoever has the turn, once and no longer than COURTESY, and have it during the block."""
        awaited = self._turns
        has_it = self._lock.acquire(timeout=0 if awaited == self._in_vain else COURTESY)
        if has_it:
            self._turns += 1
        else:
            self._in_vain = awaited
        try:
            yield
        finally:
            if has_it:
                self._lock.release()
