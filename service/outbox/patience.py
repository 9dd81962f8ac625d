"""What went wrong with a session of a run, and when another one is tried after it. It decides, and opens none."""

from typing import Final

from service.errors import RelayUnavailable
from service.mail.smtp_answers import RelayLoginRefused
from service.outbox.hands import Hand

FIRST_WAIT: Final = 1.0
LONGEST_WAIT: Final = 30.0
"""Seconds after a fault until another session is tried for what waits behind a slow mail: doubling up to that."""


class Patience:
    """The last fault of a run, a login that was refused before all; by the loop's clock."""

    def __init__(self) -> None:
        self.fault: RelayUnavailable | None = None
        self._faulty_at = float("-inf")
        self._wait = 0.0
        self._until = float("-inf")

    def note(self, fault: RelayUnavailable, now: float) -> None:
        """Note that a session broke, or was refused: several at once are one fault."""
        if not isinstance(self.fault, RelayLoginRefused):
            self.fault = fault
        self._faulty_at = now
        if now >= self._until:
            self.tries(now)

    def may_try(self, now: float) -> bool:
        """Tell whether another session may be tried; never one after a login that was refused."""
        return now >= self._until and not isinstance(self.fault, RelayLoginRefused)

    def tries(self, now: float) -> None:
        """Note that one is tried: the next one only after twice the time."""
        self._wait = min(max(self._wait * 2, FIRST_WAIT), LONGEST_WAIT)
        self._until = now + self._wait

    def sent(self, hand: Hand) -> None:
        """Forget the fault where a mail went out through a session that was had since: one of before tells nothing."""
        if hand.began_at >= self._faulty_at and not isinstance(self.fault, RelayLoginRefused):
            self.fault, self._wait, self._until = None, 0.0, float("-inf")
