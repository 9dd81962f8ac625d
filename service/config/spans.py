"""Spans of time as an admin writes them (`90s`, `5m`, `1h30m`, `2d`, `0`) ↔ timedelta.

A number without a unit is refused, save 0: nobody can tell whether `5` means seconds or minutes.
"""

import re
from datetime import timedelta

LONGEST = timedelta(days=31)
"""Anything longer is taken for a slip of the pen."""
LONGEST_KEPT = timedelta(days=3650)
"""The same of how long something is kept."""

_SPAN = re.compile(r"(?:(\d{1,9})d)?(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9})s)?", re.ASCII)
_NUMBER = re.compile(r"[+-]?[\d_.]+", re.ASCII)


def parse_span(text: str, *, longest: timedelta = LONGEST) -> timedelta:
    """Read a span such as `1h30m`; units in falling order, each at most once.

    Raises ValueError, its text a predicate ("is not …") that says what to write instead.
    """
    written = text.strip().lower()
    if written == "0":
        return timedelta(0)
    if written.startswith("-"):
        raise ValueError("is negative: write 0 or a span such as 90s, 5m or 1h30m")
    if _NUMBER.fullmatch(written):
        raise ValueError("has no unit (s, m, h or d): write for example 5m or 300s")
    found = _SPAN.fullmatch(written)
    if not written or found is None:
        raise ValueError("is not a span of time: write for example 90s, 5m, 1h30m or 2d, or 0")
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    total = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    if total > longest.total_seconds():
        raise ValueError(f"is too long: {format_span(longest)} is the most")
    return timedelta(seconds=total)


def format_span(span: timedelta) -> str:
    """Write a span of whole seconds, not negative, in the form that `parse_span` reads."""
    minutes, seconds = divmod(int(span.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = ((days, "d"), (hours, "h"), (minutes, "m"), (seconds, "s"))
    return "".join(f"{count}{unit}" for count, unit in parts if count) or "0"


def read_span(value: object, *, longest: timedelta = LONGEST) -> timedelta:
    """Read a span as YAML gives it: a text, or a number, which only 0 may be. Raises as `parse_span` does."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return parse_span(str(value), longest=longest)
    if isinstance(value, str):
        return parse_span(value, longest=longest)
    raise ValueError("is not a span of time: write for example 90s, 5m, 1h30m or 2d, or 0")
