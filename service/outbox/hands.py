"""What each session has in hand, and how many sessions there should be. It decides, and neither claims nor sends."""

from dataclasses import dataclass, field
from typing import Final

from service.outbox.supply import Mail

MAILS_A_SESSION: Final = 5
"""For so many mails that wait another session is opened."""
SLOW_AFTER: Final = 1.0
"""Seconds that the relay, or whoever is behind it, may take for a mail until what waits behind it is sent beside it."""


@dataclass(slots=True, eq=False)
class Hand:
    """What one session has in hand."""

    mail: Mail | None
    """On its way, or the next one; None where another session took it over."""
    since: float
    """By the loop's clock: when it began with it."""
    following: Mail | None = None
    is_opening: bool = True
    """Whether its session is still being opened."""
    is_at_it: bool = False
    """Whether the session is at the mail, so that no other one may take it over."""
    is_ahead: bool = False
    """Whether the relay was told of it with the mail before, of whose text the end has gone out."""
    sent: int = 0
    began_at: float = field(init=False)

    def __post_init__(self) -> None:
        """Note when it began."""
        self.began_at = self.since

    def is_slow(self, now: float) -> bool:
        """Tell whether it has been at one mail for long."""
        return now - self.since >= SLOW_AFTER

    def let_go(self) -> list[Mail]:
        """Give what others may send in its place, the one that comes first last."""
        free = [self.following, None if self.is_at_it or self.is_ahead else self.mail]
        self.following = None
        if free[1] is not None:
            self.mail = None
        return [mail for mail in free if mail is not None]


def sessions_wanted(waiting: int, slow: int, most: int) -> int:
    """Tell how many sessions there should be for so many mails that wait.

    A few are enough where the relay is quick. Beside `slow` ones each mail that waits has one of its own, which may be
    one that is being opened: those are none of the slow ones, however long the relay takes to greet.
    """
    few = 1 + waiting // MAILS_A_SESSION
    return min(most, max(few, slow + waiting) if slow else few)
