"""Reads the machine's part of a delivery report (RFC 3464, RFC 6533) within fixed bounds.

Looks for it by its Content-Type, so that a report whose MIME structure was damaged on its way is read all the
same. Never looks into the mail that is returned, and raises nothing.
"""

import re
from base64 import b64decode
from collections.abc import Iterator, Mapping
from quopri import decodestring
from typing import Final

from service.mail.charsets import decode_bytes
from service.mail.parsing import MOST_BYTES, MOST_FIELD_CHARACTERS, decode_words

MOST_BLOCKS: Final = 50
"""Of recipients; a mail of ours has one."""

_MOST_STATUS_BYTES: Final = 32 * 1024
_PART: Final = re.compile(
    rb"^Content-Type:\s{0,4}message/(?:global-)?delivery-status\b", re.IGNORECASE | re.MULTILINE
)
_ENCODING: Final = re.compile(
    rb"^Content-Transfer-Encoding:\s{0,4}(base64|quoted-printable)\b", re.IGNORECASE | re.MULTILINE
)
_BOUNDARY: Final = re.compile(rb"^--\S", re.MULTILINE)
_RETURNED: Final = re.compile(
    rb"^Content-Type:\s{0,4}(?:message/(?:rfc822|global)\b(?!-)|text/rfc822-headers)",
    re.IGNORECASE | re.MULTILINE,
)
_BETWEEN_BLOCKS: Final = re.compile(r"\n(?:[ \t]*\n)+")
_FOLD: Final = re.compile(r"\n[ \t]+")
_OF_RECIPIENT: Final = frozenset({"action", "status", "final-recipient", "original-recipient"})


def read_delivery_status(raw: bytes) -> tuple[Mapping[str, str], ...]:
    """Give the fields of each recipient by their lower-case names, each cut to 2 KiB; () where there is none."""
    text = raw[:MOST_BYTES].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    part = _PART.search(text)
    if part is None or _RETURNED.search(text, 0, part.start()):
        return ()
    begin = text.find(b"\n\n", part.start())
    if begin < 0:
        return ()
    header = text[text.rfind(b"\n--", 0, part.start()) + 1 : begin]
    content = text[begin + 2 : begin + 2 + _MOST_STATUS_BYTES]
    if end := _BOUNDARY.search(content):
        content = content[: end.start()]
    blocks = _BETWEEN_BLOCKS.split(decode_bytes(_decoded(header, content), "utf-8"))
    return tuple(
        fields for block in blocks[: MOST_BLOCKS + 1] if (fields := _fields(block)).keys() & _OF_RECIPIENT
    )


def _decoded(header: bytes, content: bytes) -> bytes:
    """RFC 6533 lets a report be encoded, and gateways encode the older form too."""
    encoding = _ENCODING.search(header)
    if encoding is None:
        return content
    if encoding[1].lower() == b"quoted-printable":
        return decodestring(content)
    try:
        return b64decode(content).replace(b"\r\n", b"\n")
    except ValueError:
        return b""


def _fields(block: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    for name, value in _pairs(block):
        fields.setdefault(name, value)
    return fields


def _pairs(block: str) -> Iterator[tuple[str, str]]:
    for line in _FOLD.sub(" ", block).split("\n"):
        name, colon, value = line.partition(":")
        if colon:
            yield name.strip().lower(), decode_words(value[:MOST_FIELD_CHARACTERS])
