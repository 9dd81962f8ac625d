"""Spans and texts as people write them in mails: `1h30m`, lines that a client wrapped. Never reads a clock."""

import re
from collections.abc import Sequence
from datetime import timedelta
from itertools import groupby
from typing import Final

from service.mail.banners import LONG_ENOUGH_TO_WRAP, TOO_LONG_TO_WRAP
from service.mail.lines import columns, is_wide

LONGEST_HOLD: Final = timedelta(hours=24)
MOST_TEXT: Final = 10_000
MOST_SUBJECT: Final = 200
"""Characters."""

_HOURS: Final = (
    r"hours?|hrs?|h|stunden?|std|heures?|horas?|or[ae]|uur|uren|u|godz(?:in[ayę]?)?|g|timm(?:e|ar)|tim(?:er?)?|t"
    r"|tunti(?:a)?|ч(?:ас(?:а|ов)?)?|時間|小时|小時"  # noqa: RUF001  Russian is written in Cyrillic
)
_MINUTES: Final = (
    r"minutes?|mins?|m|minuten?|minut[oai]s?|minut[ayę]?|minut(?:er|ter)|minuuttia?"
    r"|мин(?:ут[аыу]?)?|м|分(?:间|間|钟|鐘)?"
)
_DAYS: Final = r"days?|d|tag|jour|j|día|dia|giorno|dag|dzień|dygn|døgn|päivä|день|日|天"
_AND: Final = r"(?:and|und|et|y|e|en|i|och|og|ja|и)"
_BEFORE: Final = r"(?:for|für|um|pendant|por|durante|per|voor|na|på|i|на)"
_NUMBER: Final = r"[0-9]{1,4}"
_SPAN: Final = re.compile(
    rf"(?:{_BEFORE} )?(?:(?P<days>{_NUMBER}) ?(?:{_DAYS})\.?"
    rf"|(?P<hours>{_NUMBER}) ?(?:{_HOURS})\.?(?: ?(?:{_AND} )?(?P<more>{_NUMBER}) ?(?:{_MINUTES})?\.?)?"
    rf"|(?P<minutes>{_NUMBER}) ?(?:{_MINUTES})\.?)",
    re.IGNORECASE,
)
_ITEM: Final = re.compile(r"[-*\u2022#]|[0-9]{1,3}[.)] ")
_NARROWEST: Final = 65
"""Columns: no client wraps at less."""


def read_span(text: str) -> timedelta | None:
    """Read how long to hold (`30m`, `1h30m`, `2 Stunden`), up to 24 hours; a bare number is no span."""
    found = _SPAN.fullmatch(text)
    if found is None:
        return None
    days, hours, minutes, more = (int(found[name] or 0) for name in ("days", "hours", "minutes", "more"))
    span = timedelta(days=days, hours=hours, minutes=minutes + more)
    return span if timedelta(0) < span <= LONGEST_HOLD else None


def join_wrapped(lines: Sequence[str], before: int = 0) -> str:
    """Join the lines of a text; a break stays where the writer made it, not where a client wrapped at 72 to 78.

    `before` is how many columns stood before the text on its first line. Blank lines part paragraphs. East Asian
    text is joined without a space.
    """
    joined, last = "", " " * before
    for is_text, group in groupby(lines, bool):
        if not is_text:
            last = ""
            continue
        for line in group:
            if joined:
                joined += _joint(last, line) if last else "\n\n"
            last = last + line if last.isspace() else line
            joined += line
    return joined


def _joint(line: str, following: str) -> str:
    """Give what stands between two lines: a break, unless the following one begins with what did not fit."""
    first = following[0]
    word = first if is_wide(first) else following.split(" ", 1)[0]
    width = columns(line)
    may_wrap = LONG_ENOUGH_TO_WRAP <= width <= TOO_LONG_TO_WRAP and not _ITEM.match(following)
    if not (may_wrap and width + columns(word) > _NARROWEST):
        return "\n"
    return "" if is_wide(line[-1]) and is_wide(first) else " "
