"""Raw bytes of a hostile mail → its header fields and readable bodies, within fixed bounds.

Parses with the compat32 policy and builds a structured header only for From, each field cut beforehand.
Never opens an attachment, never enters a returned or forwarded mail, raises nothing but MailUnreadable.
"""

import email
import email.policy
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email.errors import HeaderParseError, MessageDefect, MessageError, ObsoleteHeaderDefect
from email.header import decode_header
from email.headerregistry import AddressHeader
from email.message import Message
from functools import lru_cache
from typing import NamedTuple

from service.errors import MailUnreadable
from service.mail.plain_text import decode_bytes, unflow, without_invisible

MOST_BYTES = 256 * 1024
MOST_HEADER_BYTES = 64 * 1024
MOST_FIELD_CHARACTERS = 2 * 1024
MOST_PARTS = 50
MOST_DEPTH = 10

_MOST_DECLARATIONS = 64
"""Content-Type fields anywhere, counted before parsing: parsing takes time for each level at each line."""
_END_OF_HEADER = re.compile(rb"\r\n\r\n|\n\r?\n|\r\r")
_FOLD = re.compile(r"\s*[\r\n]+\s*")
_READ_FROM_THE_RIGHT = frozenset({"references", "in-reply-to"})
# What the standard library's parsers were seen or read to raise on hostile input; see REPLIES item 14.
_PARSER_FAULTS = (LookupError, ValueError, TypeError, AttributeError, AssertionError, MessageError)


class _CutFields(email.policy.Compat32):
    """compat32, with every field of every part cut as soon as its lines are read."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(sourcelines)
        if name.lower() in _READ_FROM_THE_RIGHT:
            return name, value[-MOST_FIELD_CHARACTERS:]
        return name, value[:MOST_FIELD_CHARACTERS]


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


class _Bodies(NamedTuple):
    plain: Message | None = None
    html: Message | None = None


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
    except _PARSER_FAULTS as fault:
        raise MailUnreadable(f"the mail's structure cannot be made out ({type(fault).__name__})") from fault


def read_sender(mail: ParsedMail) -> tuple[str | None, str]:
    """Give the one address of From with its domain in lower case, or None and why it is unclear.

    From must be one field with one address that the parser reads without a defect (RFC 5322, section 3.6.2);
    only the full stop in an unquoted name (`J. Ray <…>`, section 4.1) is let pass.
    """
    values = mail.values("from")
    if len(values) != 1:
        return (
            None,
            f"the mail has {len(values)} From fields instead of one" if values else "there is no From",
        )
    if len(values[0]) >= MOST_FIELD_CHARACTERS:
        return None, f"From is longer than {MOST_FIELD_CHARACTERS} characters"
    return _read_address(values[0])


@lru_cache(maxsize=256)
def _read_address(value: str) -> tuple[str | None, str]:
    try:
        header = email.policy.default.header_factory("From", value)
    except (*_PARSER_FAULTS, RecursionError) as fault:
        return None, f"From cannot be read ({type(fault).__name__})"
    return _only_address(header, header.defects, value)


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


def _only_address(
    header: AddressHeader, defects: Sequence[MessageDefect], value: str
) -> tuple[str | None, str]:
    for defect in defects:
        if not (isinstance(defect, ObsoleteHeaderDefect) and str(defect) == "period in 'phrase'"):
            return None, f"From is malformed: {defect}"
    if len(header.addresses) != 1 or any(group.display_name is not None for group in header.groups):
        return None, f"From names {len(header.addresses)} addresses or a group instead of one address"
    address = header.addresses[0]
    sender = f"{address.username}@{address.domain.lower()}"
    is_literal = address.addr_spec.lower() in value.lower()
    if not (
        address.username and address.domain and is_literal and sender.isprintable() and " " not in sender
    ):
        return None, "From holds no plain address"
    return sender, ""


def _cut_header(raw: bytes) -> bytes:
    end = match.start() if (match := _END_OF_HEADER.search(raw)) else len(raw)
    if end <= MOST_HEADER_BYTES:
        return raw
    kept = max(raw.rfind(b"\n", 0, MOST_HEADER_BYTES), raw.rfind(b"\r", 0, MOST_HEADER_BYTES), 0)
    return raw[:kept] + raw[end:]


def _read(message: Message) -> ParsedMail:
    parts = tuple(_walk(message))
    bodies = _find_bodies(message)
    statuses = [part for part in parts if part.get_content_type() == "message/delivery-status"]
    return ParsedMail(
        fields=tuple((name.lower(), _unfold(value)) for name, value in message.raw_items()),
        content_type=message.get_content_type(),
        text=None if bodies.plain is None else _decode(bodies.plain),
        html=None if bodies.html is None else _decode(bodies.html),
        part_types=frozenset(_own_types(message)),
        report_type=_parameter(message, "report-type"),
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
            waiting.extend((child, depth + 1) for child in _children(part))


def _own_types(part: Message) -> Iterator[str]:
    kind = part.get_content_type()
    yield kind
    if kind.startswith("multipart/"):
        for child in _children(part):
            yield from _own_types(child)


def _children(part: Message) -> list[Message]:
    # A leaf's get_payload() would decode its text and raise TypeError on `charset*=x'y'%ff`.
    payload = part.get_payload() if part.is_multipart() else []
    return [child for child in payload if isinstance(child, Message)] if isinstance(payload, list) else []


def _find_bodies(part: Message) -> _Bodies:
    """Find the text a person sees first; depth is bounded by `_walk`, which went through it before.

    Only the two forms of one multipart/alternative are taken for the same text; of any other multipart the
    first part that holds text counts.
    """
    kind = part.get_content_type()
    if part.get_content_disposition() == "attachment" or part.get_filename():
        return _Bodies()
    if kind == "text/plain" and not part.is_multipart():
        return _Bodies(plain=part)
    if kind == "text/html" and not part.is_multipart():
        return _Bodies(html=part)
    if not kind.startswith("multipart/"):
        return _Bodies()
    # Compared and not tested for truth: a part without header fields is false.
    found = [bodies for child in _children(part) if (bodies := _find_bodies(child)) != _Bodies()]
    if kind != "multipart/alternative":
        return found[0] if found else _Bodies()
    return _Bodies(
        plain=next((bodies.plain for bodies in found if bodies.plain is not None), None),
        html=next((bodies.html for bodies in found if bodies.html is not None), None),
    )


def _decode(part: Message) -> str:
    payload = part.get_payload(decode=True)
    text = decode_bytes(payload if isinstance(payload, bytes) else b"", part.get_content_charset() or "")
    if part.get_content_type() == "text/plain" and _parameter(part, "format") == "flowed":
        return unflow(text, delete_space=_parameter(part, "delsp") == "yes")
    return text


def _parameter(part: Message, name: str) -> str:
    value = part.get_param(name)
    return value.strip().lower() if isinstance(value, str) else ""


def _actions(status: Message) -> Iterator[str]:
    for block in _children(status)[:MOST_PARTS]:
        if action := block.get("action"):
            yield str(action).strip().lower()


def _unfold(value: object) -> str:
    text = str(value)
    if not text.isascii():
        text = decode_bytes(text.encode("utf-8", "surrogateescape"), "")
    return _FOLD.sub(" ", text).strip()
