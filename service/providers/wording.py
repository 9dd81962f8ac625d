"""Makes what a stranger wrote fit to be shown: one visible line for a name, several for a message, a time in UTC."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from service.errors import PostUnreadable

MAX_NAME_LENGTH: Final = 500
"""Characters; a longer name of a monitor is a payload gone wrong."""
MAX_ENTITY_LENGTH: Final = 500
"""Characters; the rest is cut, since an index of PostgreSQL takes 2,700 bytes. No product's id comes near it."""
MAX_MESSAGE_LENGTH: Final = 20_000
LONGEST_SHOWN: Final = 100
"""Characters shown of what a stranger wrote, where a sentence quotes it."""

_SHOWN: Final[Mapping[int, str | None]] = (
    {code: " " if chr(code).isspace() else None for code in (*range(0x20), *range(0x7F, 0xA0))}
    | dict.fromkeys((0x2028, 0x2029), " ")
    | dict.fromkeys((0x200B, 0xFEFF, *range(0x202A, 0x202F), *range(0x2066, 0x206A)), None)
)
"""Control characters, line and paragraph separators, zero-width spaces and bidirectional overrides."""
_SHOWN_WITH_BREAKS: Final = {code: shown for code, shown in _SHOWN.items() if code != ord("\n")}

_SECONDS_END: Final = 10**11
"""Epoch numbers from here on are milliseconds: as seconds they would lie beyond the year 5138."""
_EPOCH_DIGITS: Final = 9
"""Shorter digits are a date such as 20261114."""


def one_line(text: str) -> str:
    """Turn breaks and tabs into spaces and drop what is invisible, so that no mail's subject breaks on it."""
    return _storable(text).replace("\r\n", "\n").translate(_SHOWN).strip()


def lines(text: str) -> str:
    """Do the same, but keep the lines."""
    return _storable(text).replace("\r\n", "\n").translate(_SHOWN_WITH_BREAKS).strip()


def shown(text: str) -> str:
    """Give it on one line, without what would move a terminal's cursor, and not too long: to be quoted."""
    line = " ".join("".join(one if one.isprintable() else " " for one in text).split())
    return line if len(line) <= LONGEST_SHOWN else f"{line[: LONGEST_SHOWN - 1]}…"


def name_of_monitor(text: str, label: str) -> str:
    """Give a monitor's name; raises PostUnreadable where there is none or it is too long. `label` is its property."""
    name = one_line(text)
    if not name:
        raise PostUnreadable(f"{label} is missing")
    if len(name) > MAX_NAME_LENGTH:
        raise PostUnreadable(f"{label} has {len(name)} characters: at most {MAX_NAME_LENGTH} are allowed")
    return name


def instant(text: str) -> datetime | None:
    """Read ISO 8601 (without an offset: UTC), epoch seconds or milliseconds; None if it is none of these."""
    text = text.strip()
    if not text:
        return None
    try:
        digits = text.partition(".")[0]
        if digits.isdecimal() and len(digits) >= _EPOCH_DIGITS:
            epoch = float(text)
            return datetime.fromtimestamp(epoch if epoch < _SECONDS_END else epoch / 1000, tz=UTC)
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _storable(text: str) -> str:
    """Drop halves of a character, which JSON can spell and no database stores."""
    return text if text.isascii() else text.encode("utf-8", "ignore").decode()
