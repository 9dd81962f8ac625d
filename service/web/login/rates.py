"""How often log-ins may fail before no more are looked at. It keeps counts in memory only."""

from typing import Final

from service.web.windows import HOUR, Allowance, Windows

REFUSALS_AN_HOUR: Final = 20
BEGINNINGS_AN_HOUR: Final = 60
"""Ways to the provider; several people may come from one address."""
NOTED_AN_HOUR: Final = 200
"""Refusals of all together that are written down: strangers must not fill the disk."""
_ALL: Final = "all"


class LogIns:
    """Counts log-ins by who tries, in windows that move.

    Who tries is a client's address, or a browser in which an employee logged in before: whatever strangers use up,
    even those behind one address, such a browser has an allowance of its own.
    """

    def __init__(self) -> None:
        self._windows = Windows()
        self._refusals = Allowance(REFUSALS_AN_HOUR, HOUR, "refusals")
        self._beginnings = Allowance(BEGINNINGS_AN_HOUR, HOUR, "beginnings")
        self._noted = Allowance(NOTED_AN_HOUR, HOUR, "noted")

    def are_too_many(self, who: str) -> bool:
        """Count one more that begins, and tell whether it is one too many."""
        return not self._windows.count(self._beginnings, who)

    def were_refused_too_often(self, who: str) -> bool:
        """Tell whether no more are looked at, counting nothing."""
        return not self._windows.is_one_left(self._refusals, who)

    def is_refusal_noted(self, who: str) -> bool:
        """Count a refusal, and tell whether it is to be written down."""
        return self._windows.count(self._refusals, who) and self._windows.count(self._noted, _ALL)
