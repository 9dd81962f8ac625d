"""Whether a mail answers the notification whose token it bears, by what its author wrote, and when.

DMARC and DKIM prove who wrote a mail, not whom it was meant for: an old "ok" to somebody else can be sent on
unchanged to the address of a token. Pure, bounded and without a clock; never raises.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

from service.mail.authentication_results import Header
from service.mail.parsing import MOST_FIELD_CHARACTERS, decode_words
from service.mail.tokens import SUBJECT_TAG, find_tokens

CLOCKS_MAY_DIFFER: Final = timedelta(days=1)
"""How much older than its notification an answer may say that it is: some machines' clocks are wrong."""

_LONGEST_LIST: Final = 4 * 1024
"""Characters of an address list; a longer one ties nothing."""
_LONGEST_DATE: Final = 200
_NO_ADDRESS: Final = re.compile(r'"(?:[^"\\]|\\.)*"|\((?:[^()\\]|\\.)*\)')
"""A quoted string or a comment: what stands there is no address, whatever it looks like."""
_BETWEEN_ADDRESSES: Final = re.compile(r"[,;:]")
_IN_BRACKETS: Final = re.compile(r"[^<>]*<\s*([^<>\s]+)\s*>\s*")
_DATE_FAULTS: Final = (ValueError, TypeError, IndexError, OverflowError)


@dataclass(frozen=True, slots=True)
class Notification:
    """The notification that a mail bears the token of, as far as it is known."""

    own_address: str
    tokens: frozenset[str]
    """Lower-case; the mail must be tied to one of these."""
    incident_id: int | None = None
    """None: any incident's tag in the subject will do."""
    issued_at: datetime | None = None
    """When the token was made; None: any readable Date will do."""


@dataclass(frozen=True, slots=True)
class Tie:
    """What ties a mail to a notification."""

    fields: frozenset[str] | None
    """The lower-case names of those header fields that tie it; None: it need not be tied to anything."""
    gap: str = ""
    """A plain clause that says why it is not tied, or ""."""

    def find_lack(self, signed: Collection[str]) -> str:
        """Say what a DKIM signature over these fields leaves open to whoever sends the mail on, or ""."""
        if self.fields is None or self.gap:
            return ""
        if "date" not in signed:
            return "does not cover Date"
        return "" if self.fields & set(signed) else "covers nothing that says what the mail answers"


UNASKED: Final = Tie(fields=None)
"""Of a mail that need not answer anything."""


def read_tie(header: Header, notification: Notification) -> Tie:
    """Tell which fields tie a mail to a notification, and why it is not tied if it is not.

    It must be addressed to us in To or Cc, or name the token in In-Reply-To or References, and must not be older
    than the notification. A field that stands there twice ties nothing, since readers differ on which one counts.
    """
    fields = frozenset(_tying_fields(header, notification))
    if not fields:
        return Tie(fields, "it is neither addressed to us nor an answer to the notification")
    # Microsoft 365 signs none of the others, and the subject, which everybody signs, alone is too little
    if _names_incident(header, notification.incident_id):
        fields |= {"subject"}
    written_at = _written_at(header)
    if written_at is None:
        return Tie(fields, "it does not say when it was written (Date)")
    if notification.issued_at is not None and written_at < notification.issued_at - CLOCKS_MAY_DIFFER:
        return Tie(fields, f"it was written on {written_at:%Y-%m-%d}, before the notification")
    return Tie(fields)


def _tying_fields(header: Header, notification: Notification) -> Iterator[str]:
    for name in ("to", "cc"):
        if any(_is_ours(address, notification) for address in _addresses(_only(header, name))):
            yield name
    for name in ("in-reply-to", "references"):
        if notification.tokens.intersection(find_tokens([(name, _only(header, name))])):
            yield name


def _is_ours(address: str, notification: Notification) -> bool:
    """Whether an address is our own, or a plus address with the token, whose domain servers may have rewritten."""
    is_own = address.casefold() == notification.own_address.casefold()
    return is_own or bool(notification.tokens.intersection(find_tokens([("to", address)])))


def _addresses(value: str) -> Iterator[str]:
    """Give each address of a list (RFC 5322, section 3.4); none where a quote or a comment in it does not close."""
    if len(value) > _LONGEST_LIST:
        return
    plain = _NO_ADDRESS.sub(" ", value)
    if any(mark in plain for mark in '"()'):
        return
    for piece in _BETWEEN_ADDRESSES.split(plain):
        match = _IN_BRACKETS.fullmatch(piece)
        yield match[1] if match else piece.strip()


def _names_incident(header: Header, incident_id: int | None) -> bool:
    subject = decode_words(_only(header, "subject")[:MOST_FIELD_CHARACTERS])
    numbers = SUBJECT_TAG.findall(subject)
    return bool(numbers) if incident_id is None else incident_id in map(int, numbers)


def _written_at(header: Header) -> datetime | None:
    try:
        at = parsedate_to_datetime(_only(header, "date")[:_LONGEST_DATE])
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except _DATE_FAULTS:
        return None


def _only(header: Header, name: str) -> str:
    """Give the value of the one field of a name on one line, or ""."""
    values = header.values(name)
    if len(values) != 1:
        return ""
    return b" ".join(values[0].split()).decode("utf-8", "replace")
