"""Raw bytes of a hostile mail → its header fields and readable bodies, within fixed bounds.

Parses with the compat32 policy, each field cut beforehand; builds no structured header.
Never opens an attachment, never enters a returned or forwarded mail, raises nothing but MailUnreadable.
"""

import email
import email.policy
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.errors import HeaderParseError, MessageError
from email.header import decode_header
from email.message import Message
from functools import lru_cache

from service.errors import MailUnreadable
from service.mail.bodies import children, own_parts, parameter, read_bodies
from service.mail.charsets import decode_bytes
from service.mail.plain_text import without_invisible

MOST_BYTES = 256 * 1024
MOST_HEADER_BYTES = 64 * 1024
MOST_FIELD_CHARACTERS = 2 * 1024
MOST_PARTS = 50
MOST_DEPTH = 10

_MOST_DECLARATIONS = 64
"""Content-Type fields anywhere, counted before parsing: parsing takes time for each level at each line."""
_END_OF_HEADER = re.compile(rb"\r\n\r\n|\n\r?\n|\r\r")
_FOLD = re.compile(r"\s*[\r\n]+\s*")
_ENCODING = "content-transfer-encoding"
_COMMENT = re.compile(r"\([^()]*\)")
_READ_FROM_THE_RIGHT = frozenset({"references", "in-reply-to"})
# What the standard library's parsers were seen or read to raise on hostile input; see REPLIES item 14.
PARSER_FAULTS = (LookupError, ValueError, TypeError, AttributeError, AssertionError, MessageError)


class _CutFields(email.policy.Compat32):
    """compat32, with every field of every part cut as soon as its lines are read.

    The name of a transfer encoding comes without what may stand around it: the standard library knows that alone.
    """

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(sourcelines)
        if name.lower() in _READ_FROM_THE_RIGHT:
            return name, value[-MOST_FIELD_CHARACTERS:]
        cut = value[:MOST_FIELD_CHARACTERS]
        return name, _COMMENT.sub("", cut).strip() if name.lower() == _ENCODING else cut


_POLICY = _CutFields()


@dataclass(frozen=True, slots=True)
class ParsedMail:
    """What is looked at of a mail; nothing in it is decided yet."""

    fields: tuple[tuple[str, str], ...]
    """Pairs of lower-case name and unfolded value, in the order of the header, 8-bit letters decoded."""
    content_type: str
    text: str | None
    """The text/plain body; None if there is none."""
    html: str | None
    part_types: frozenset[str]
    """The content types of its parts, but for those of enclosed mails, lower-case."""
    report_type: str
    """Of multipart/report (RFC 6522), lower-case; "" otherwise."""
    has_delivery_status: bool
    delivery_actions: tuple[str, ...]
    """The Action fields of a delivery status (RFC 3464), lower-case."""

    def values(self, name: str) -> tuple[str, ...]:
        """Give the values of every field of this lower-case name."""
        return tuple(value for field, value in self.fields if field == name)

    def first(self, name: str) -> str:
        """Give the first value of this lower-case name, or ""."""
        return next(iter(self.values(name)), "")


@lru_cache(maxsize=1)
def parse_mail(raw: bytes) -> ParsedMail:
    """Parse at most the first 256 KiB of a mail; the last one is remembered, since several readers look at it.

    Raises MailUnreadable, whose text names the bound, for a mail of more than 50 parts or nested more than
    10 deep, and for one whose structure the parser cannot make out.
    """
    if raw[:MOST_BYTES].lower().count(b"content-type:") > _MOST_DECLARATIONS:
        raise MailUnreadable(f"the mail declares more than {MOST_PARTS} parts")
    try:
        message = email.message_from_bytes(_cut_header(raw[:MOST_BYTES]), policy=_POLICY)
        return _read(message)
    except RecursionError:
        raise MailUnreadable(f"the mail is nested more than {MOST_DEPTH} deep") from None
    except PARSER_FAULTS as fault:
        raise MailUnreadable(f"the mail's structure cannot be made out ({type(fault).__name__})") from fault


def decode_words(value: str) -> str:
    """Decode the encoded words (RFC 2047) of a field that was already cut; give it on one line."""
    try:
        pieces: list[tuple[bytes | str, str | None]] = decode_header(value)
    except (HeaderParseError, ValueError):
        pieces = [(value, None)]
    text = "".join(
        piece if isinstance(piece, str) else decode_bytes(piece, charset or "") for piece, charset in pieces
    )
    return " ".join(without_invisible(text).split())


def _cut_header(raw: bytes) -> bytes:
    end = match.start() if (match := _END_OF_HEADER.search(raw)) else len(raw)
    if end <= MOST_HEADER_BYTES:
        return raw
    kept = max(raw.rfind(b"\n", 0, MOST_HEADER_BYTES), raw.rfind(b"\r", 0, MOST_HEADER_BYTES), 0)
    return raw[:kept] + raw[end:]


def _read(message: Message) -> ParsedMail:
    parts = tuple(_walk(message))
    bodies = read_bodies(message)
    statuses = [part for part in parts if part.get_content_type() == "message/delivery-status"]
    return ParsedMail(
        fields=tuple((name.lower(), _unfold(value)) for name, value in message.raw_items()),
        content_type=message.get_content_type(),
        text=bodies.text,
        html=bodies.html,
        part_types=frozenset(part.get_content_type() for part in own_parts(message)),
        report_type=parameter(message, "report-type"),
        has_delivery_status=bool(statuses),
        delivery_actions=tuple(action for status in statuses for action in _actions(status)),
    )


def _walk(message: Message) -> Iterator[Message]:
    """Go through the parts and those of enclosed mails; the blocks of a delivery status are not parts."""
    waiting = [(message, 1)]
    count = 0
    while waiting:
        part, depth = waiting.pop()
        count += 1
        if count > MOST_PARTS:
            raise MailUnreadable(f"the mail has more than {MOST_PARTS} parts")
        if depth > MOST_DEPTH:
            raise MailUnreadable(f"the mail is nested more than {MOST_DEPTH} deep")
        yield part
        if part.get_content_type() != "message/delivery-status":
            waiting.extend((child, depth + 1) for child in children(part))


def _actions(status: Message) -> Iterator[str]:
    for block in children(status)[:MOST_PARTS]:
        if action := block.get("action"):
            yield str(action).strip().lower()


def _unfold(value: object) -> str:
    text = str(value)
    if not text.isascii():
        text = decode_bytes(text.encode("utf-8", "surrogateescape"), "")
    return _FOLD.sub(" ", text).strip()
