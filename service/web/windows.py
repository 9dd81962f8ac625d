"""Counts who did what how often, in windows that move, in memory only.

The library that counts is imported at the first count: it costs three megabytes of memory, and many installations never
have anything to count.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from limits import RateLimitItem
    from limits.strategies import MovingWindowRateLimiter

MINUTE: Final = 60
HOUR: Final = 3600


@dataclass(frozen=True, slots=True)
class Allowance:
    """How often somebody may do a thing."""

    most: int
    seconds: int
    """The length of the window."""
    what: str = ""
    """What it is that is counted, where the same windows count several things."""

    def as_limit(self) -> "RateLimitItem":
        """Say it in the library's words."""
        from limits import RateLimitItemPerSecond  # noqa: PLC0415  see above

        return RateLimitItemPerSecond(self.most, self.seconds, namespace=self.what)


class Windows:
    """The counts. Each who does a thing has his own."""

    @cached_property
    def _limiter(self) -> "MovingWindowRateLimiter":
        from limits.storage import MemoryStorage  # noqa: PLC0415  see above
        from limits.strategies import MovingWindowRateLimiter  # noqa: PLC0415

        return MovingWindowRateLimiter(MemoryStorage())

    def count(self, allowance: Allowance, who: str) -> bool:
        """Count one more, if it is allowed; tell whether it is."""
        return self._limiter.hit(allowance.as_limit(), who)

    def is_one_left(self, allowance: Allowance, who: str) -> bool:
        """Tell whether one more is allowed, counting nothing."""
        return self._limiter.test(allowance.as_limit(), who)

    def free_at(self, allowance: Allowance, who: str) -> float:
        """Give when the next one is allowed again, in seconds since 1970."""
        return self._limiter.get_window_stats(allowance.as_limit(), who).reset_time
