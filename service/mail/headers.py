"""Header fields of our own mails, ready folded and in 7 bits, whatever text they are made of.

The standard library folds long Message-IDs into encoded words, decodes what only looks like one and takes
longer than all the rest of a mail, so the folding is done here. No control character and no line break of a
text ever gets into a header.
"""

import re
import unicodedata
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from email_validator import EmailNotValidError, validate_email

from service.errors import AddressInvalid

LINE_LENGTH: Final = 76
"""Characters of a line with encoded words (RFC 2047 section 2); others keep to it where they can."""
NAME_LIMIT: Final = 80
"""Characters of a display name."""
SUBJECT_LIMIT: Final = 200
"""Characters of a subject: no client shows more, and an unbroken word stays far from 998 (RFC 5322)."""

_WORD_LENGTH: Final = 75
_PLAIN_IN_Q: Final = re.compile(r"[A-Za-z0-9!*+/-]")
"""What may stand as it is in an encoded word wherever that stands (RFC 2047 section 5, rule 3)."""
_ADDRESS: Final = re.compile(r"[!#-'*+./0-9=?A-Z^-~-]{1,64}@(?:[A-Za-z0-9.-]{1,253}|\[[0-9A-Za-z:.]{3,45}\])")
"""What needs no second look: email-validator refuses the domains of internal mail (mail.local)."""
_REORDERING: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Bidirectional embeddings and overrides: they make a line read as something else."""


def one_line(text: str, limit: int) -> str:
    """Make one line of any text: no control characters, single spaces, at most `limit` characters."""
    kept = text if text.isascii() and text.isprintable() else "".join(map(_kept, text))
    line = " ".join(kept.split())
    return line if len(line) <= limit else f"{line[: limit - 1].rstrip()}…"


def text_header(name: str, text: str) -> str:
    """Write a field of any text, without its last CRLF; in encoded words (RFC 2047) unless it is plain ASCII."""
    line = one_line(text, SUBJECT_LIMIT)
    first = LINE_LENGTH - len(name) - 2
    return _folded(name, _fill(line.split(" "), first) if _is_plain(line) else _encoded(line, first))


def words_header(name: str, words: Iterable[str]) -> str:
    """Write a field of ASCII words that may be parted but never broken, such as Message-IDs."""
    return _folded(name, _fill(words, LINE_LENGTH - len(name) - 2))


def address_header(name: str, display_name: str, address: str) -> str:
    """Write a field of one checked address (RFC 5322 section 3.4) with a display name, which may be empty.

    A List-Id (RFC 2919) is written in the same way.
    """
    shown = one_line(display_name, NAME_LIMIT)
    if not shown:
        return _folded(name, [address])
    room = LINE_LENGTH - len(name) - 2
    if _is_plain(shown):
        escaped = shown.replace("\\", r"\\").replace('"', r"\"")
        return _folded(name, _fill((f'"{escaped}"', f"<{address}>"), room))
    return _folded(name, (*_encoded(shown, room), f"<{address}>"))


def checked_address(address: str) -> str:
    """Give an address in the form that goes into ASCII headers, its domain in IDNA; raises AddressInvalid."""
    if _ADDRESS.fullmatch(address):
        return address
    try:
        checked = validate_email(address, check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError as fault:
        raise AddressInvalid(f"not an e-mail address that can be written to: {address[:80]!r}") from fault
    return checked.ascii_email or checked.normalized


def _folded(name: str, lines: Iterable[str]) -> str:
    return f"{name}: " + "\r\n ".join(lines)


def _kept(char: str) -> str:
    category = unicodedata.category(char)
    if category in {"Zl", "Zp"} or char.isspace():
        return " "
    return "" if category in {"Cc", "Cs"} or char in _REORDERING else char


def _is_plain(line: str) -> bool:
    """Whether it may stand unencoded; what looks like an encoded word may not, or it would be decoded."""
    return line.isascii() and "=?" not in line


def _fill(words: Iterable[str], first: int) -> Iterator[str]:
    """Put words on lines; `first` is what the first line has room for."""
    line, room = "", first
    for word in words:
        if line and len(line) + 1 + len(word) > room:
            yield line
            line, room = word, LINE_LENGTH - 1
        else:
            line = f"{line} {word}" if line else word
    yield line


def _encoded(line: str, first: int) -> Iterator[str]:
    """Give encoded words, one a line, that never part a character; Q or B, whichever is shorter."""
    in_q = sum(map(len, map(_q, line)))
    in_b = len(line.encode()) * 4 / 3
    letter, encode = ("q", _encode_q) if in_q <= in_b else ("b", _encode_b)
    return _encoded_words(line, first, letter, encode)


def _encoded_words(line: str, first: int, letter: str, encode: Callable[[str], str]) -> Iterator[str]:
    frame = len(f"=?utf-8?{letter}??=")
    room, piece = min(first, _WORD_LENGTH) - frame, ""
    for char in line:
        if piece and len(encode(piece + char)) > room:
            yield f"=?utf-8?{letter}?{encode(piece)}?="
            room, piece = _WORD_LENGTH - frame, ""
        piece += char
    yield f"=?utf-8?{letter}?{encode(piece)}?="


def _encode_q(piece: str) -> str:
    return "".join(map(_q, piece))


def _encode_b(piece: str) -> str:
    return b64encode(piece.encode()).decode("ascii")


def _q(char: str) -> str:
    if char == " ":
        return "_"
    return char if _PLAIN_IN_Q.match(char) else "".join(f"={byte:02X}" for byte in char.encode())
