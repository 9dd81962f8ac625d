"""Writes iCalendar (RFC 5545): the few things that a calendar of maintenances is made of. It reads none.

By hand, for the library that could do so costs three megabytes of memory in each process; the tests read with it.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

LONGEST_LINE: Final = 75
"""Bytes of a line without its end (section 3.1)."""
_END: Final = b"\r\n"
_FIRST_BITS, _CONTINUES = 0xC0, 0x80
"""Of each byte of UTF-8 but the first of a letter."""
_ESCAPED: Final = str.maketrans({"\\": r"\\", ";": r"\;", ",": r"\,", "\n": r"\n"})


def text(value: str) -> str:
    """Give a text as a value (section 3.3.11). It holds no control characters but tabs and line feeds."""
    return value.translate(_ESCAPED)


def texts(values: Iterable[str]) -> str:
    """Give a list of texts as a value."""
    return ",".join(text(value) for value in values)


def moment(at: datetime) -> str:
    """Give a time as a value, in UTC (section 3.3.5)."""
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def component(name: str, properties: Iterable[tuple[str, str]], inner: bytes = b"") -> bytes:
    """Write a component: its properties, each a name with its parameters and a value, then those within it."""
    lines = b"".join(_folded(f"{one}:{value}") for one, value in properties)
    return _folded(f"BEGIN:{name}") + lines + inner + _folded(f"END:{name}")


def _folded(line: str) -> bytes:
    """Write a line, on several where it is too long; what follows begins with a space, and no letter is cut in two."""
    left = line.encode("utf-8", "replace")
    pieces: list[bytes] = []
    most = LONGEST_LINE
    while len(left) > most:
        end = most
        while _is_within_a_letter(left[end]):
            end -= 1
        pieces.append(left[:end])
        left, most = left[end:], LONGEST_LINE - 1
    return (_END + b" ").join([*pieces, left]) + _END


def _is_within_a_letter(byte: int) -> bool:
    return byte & _FIRST_BITS == _CONTINUES
