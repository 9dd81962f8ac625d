"""Moments as an admin writes them (`2026-12-01 22:00`, in the site's time zone unless an offset stands there)."""

import re
from datetime import UTC, datetime
from typing import Literal
from zoneinfo import ZoneInfo

_FORM = re.compile(
    r"2\d{3}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d)?(?: ?(?:Z|[+-]\d\d:?\d\d))?", re.ASCII | re.IGNORECASE
)


def parse_moment(text: str, zone: ZoneInfo, *, fold: Literal[0, 1] | None = None) -> datetime:
    """Read a moment, in UTC; seconds and an offset such as `+01:00` or `Z` may follow (RFC 3339, section 5.6).

    Raises ValueError, its text a predicate ("is not …") that says what to write instead: also for the hour that is
    left out when clocks go forward, and, without an offset, for the one that comes twice when they go back, unless
    `fold` says which of the two is meant where no offset can be written: 0 the first, 1 the second.
    """
    written = " ".join(text.split())
    if not _FORM.fullmatch(written):
        raise ValueError("is not a date and time: write for example 2026-12-01 22:00")
    try:
        at = datetime.fromisoformat(
            written.upper().replace("T", " ", 1).replace(" +", "+").replace(" -", "-")
        )
        moment = (at if at.tzinfo else at.replace(tzinfo=zone, fold=fold or 0)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError("is no day or time that exists: write for example 2026-12-01 22:00") from error
    if at.tzinfo is None:
        if moment.astimezone(zone).replace(tzinfo=None) != at:
            raise ValueError(f"does not exist in {zone}: clocks are put forward over it")
        if fold is None and at.replace(tzinfo=zone, fold=1).astimezone(UTC) != moment:
            raise ValueError(
                f"comes twice in {zone}, as clocks are put back: write its offset, such as +01:00"
            )
    return moment
