"""The one relay as we know it: until when it is left in peace, how many sessions it has room for, and when to try a
mail again. It never sends.
"""

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic
from typing import Final

from service.config.settings import Smtp
from service.errors import RelayUnavailable
from service.mail.oauth import AccessTokens
from service.mail.smtp_answers import RelayLoginRefused
from service.outbox.attempts import Noted, nobody
from service.outbox.logins_wanted import LoginsWanted

FIRST_RETRY = timedelta(seconds=30)
LONGEST_RETRY = timedelta(hours=1)
FIRST_PAUSE = timedelta(seconds=1)
LONGEST_PAUSE = timedelta(minutes=1)
LOGIN_PAUSE = timedelta(minutes=15)
"""After a refused login: trying sooner makes servers lock the account."""
ROOM_FOR: Final = 30.0
"""Seconds for which a fan-out does without a session that it gave up for mails that somebody waits for."""


@dataclass(slots=True)
class Relay:
    """What is known of the relay; shared by those who send, in whatever thread they do."""

    smtp: Smtp
    tokens: AccessTokens | None = field(init=False)
    """For a relay that wants XOAUTH2."""
    paused_until: datetime | None = None
    paused_since: datetime | None = None
    failures: int = 0
    fails_since: datetime | None = None
    """When it first could not be reached, if it was not since."""
    noted: Noted = nobody
    """Is told of each attempt."""
    held_by_updates: int = 0
    """Sessions that a fan-out has open."""
    logins_wanted: LoginsWanted = field(default_factory=LoginsWanted)
    _left_to_updates: int = 0
    _is_room_until: float = float("-inf")
    """Until then, by the monotonic clock, a fan-out has no more than are left to it."""

    def __post_init__(self) -> None:
        """Make what its login needs."""
        oauth = self.smtp.oauth
        self.tokens = AccessTokens(oauth, username=self.smtp.username) if oauth else None

    def is_paused(self, now: datetime) -> bool:
        """Whether it is to be left in peace. No pause lasts longer because the clock was set back within it."""
        has_begun = self.paused_since is None or self.paused_since <= now
        return has_begun and self.paused_until is not None and now < self.paused_until

    def pause(self, now: datetime, *, because: RelayUnavailable | None = None) -> datetime:
        """Leave it in peace for twice as long as before, after a refused login for longer; gives until when."""
        least = LOGIN_PAUSE if isinstance(because, RelayLoginRefused) else timedelta(0)
        pause = max(min(FIRST_PAUSE * 2.0**self.failures, LONGEST_PAUSE), least)
        self.failures = min(self.failures + 1, 16)
        self.paused_since, self.paused_until = now, now + pause
        self.fails_since = self.fails_since or now
        return self.paused_until

    def works(self, *, for_updates: bool = False) -> None:
        """Forget its failures; not where it works for a fan-out alone, whose sessions are all that it has room for."""
        self.logins_wanted.taken()
        if for_updates and self._is_room_asked:
            return
        self.failures, self.paused_since, self.paused_until, self.fails_since = 0, None, None, None

    def ask_for_room(self, *, because: RelayUnavailable) -> None:
        """Let a fan-out give up a session: the relay refuses one for what somebody waits for. No login is meant."""
        if self.held_by_updates and not isinstance(because, RelayLoginRefused):
            self._left_to_updates = self.held_by_updates - 1
            self._is_room_until = monotonic() + ROOM_FOR

    @property
    def most_for_updates(self) -> int:
        """How many sessions a fan-out may have."""
        allowed = self.smtp.limits.connections
        return min(allowed, self._left_to_updates) if self._is_room_asked else allowed

    @property
    def _is_room_asked(self) -> bool:
        return monotonic() < self._is_room_until


def retry_after(attempts: int) -> timedelta:
    """Give the pause after so many attempts: doubling, with jitter, so that not all come at once."""
    longest = min(FIRST_RETRY * 2.0 ** min(attempts - 1, 10), LONGEST_RETRY)
    return longest * random.uniform(0.5, 1.0)  # noqa: S311  no secret hangs on it
