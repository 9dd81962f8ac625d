"""Reply tokens: how they are made, where they stand in our mails, and where an answer brings them back.

A token is 128 bits as 26 characters of lower-case base32; only its SHA-256 is ever stored. Finding one
authorises nothing: whether it is known, unused and in time is for `actions` to tell.
"""

import hashlib
import hmac
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

ENVELOPE_FIELDS = (
    "delivered-to",
    "x-delivered-to",
    "x-original-to",
    "envelope-to",
    "x-envelope-to",
    "x-gm-original-to",
)
"""Header fields in which mail servers write the address they delivered to, most trusted first."""
MOST_REFERENCES = 20
SUBJECT_TAG = re.compile(r"\[INC-([0-9]{1,9})\]", re.IGNORECASE)
"""What stands in the subject of a mail about an incident: it says which one, and authorises nothing."""

_TOKEN_BYTES = 16
_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
_PAIRS = tuple(one + other for one in _LETTERS for other in _LETTERS)
"""What ten bits are in base32, by their value."""
# Servers rewrite mailbox and domain of an address, but keep what stands behind the plus; a stranger's token of
# this form is merely unknown.
_IN_ADDRESS = re.compile(r"\+([a-z2-7]{26})@", re.IGNORECASE | re.ASCII)
_TO_UNSUBSCRIBE = re.compile(r"\+unsubscribe-([a-z2-7]{26})@", re.IGNORECASE | re.ASCII)
_IN_MESSAGE_ID = re.compile(r"<?([a-z2-7]{26})\.[0-9a-f]{32}@", re.IGNORECASE | re.ASCII)
_BETWEEN_REFERENCES = re.compile(r"[\s,]+")


def make_token(key: bytes, public_id: str) -> str:
    """Derive a delivery's token from its public id: HMAC-SHA256, the first 128 bits, as base32 (RFC 4648)."""
    return derived_token(key, f"reply:{public_id}")


def derived_token(key: bytes, text: str) -> str:
    """Derive a token from a text that says what it is for, as `make_token` does."""
    return base32(keyed_digest(key, text.encode())[:_TOKEN_BYTES])


def keyed_digest(key: bytes, text: bytes) -> bytes:
    """Give the HMAC-SHA256 (RFC 2104) of a text; for many texts of one key in half of the time of `hmac.digest`."""
    started = _started(key).copy()
    started.update(text)
    return started.digest()


@lru_cache(maxsize=8)
def _started(key: bytes) -> hmac.HMAC:
    return hmac.new(key, digestmod=hashlib.sha256)


def base32(value: bytes) -> str:
    """Write in base32 (RFC 4648), lower-case and without padding: half of the time of `base64.b32encode`."""
    bits = 8 * len(value)
    pairs = -(-bits // 10)
    number = int.from_bytes(value) << (10 * pairs - bits)
    letters = "".join([_PAIRS[number >> shift & 1023] for shift in range(10 * (pairs - 1), -1, -10)])
    return letters[: -(-bits // 5)]


def hash_token(token: str) -> str:
    """Give the SHA-256 in hex of a token; some clients change its case, so case does not count."""
    return hashlib.sha256(token.strip().lower().encode()).hexdigest()


def message_id(public_id: str, domain: str, token: str = "") -> str:
    """Give the Message-ID of a delivery, angle brackets included; with a token where it can be answered."""
    return f"<{token}.{public_id}@{domain}>" if token else f"<{public_id}@{domain}>"


def reply_address(own_address: str, token: str) -> str:
    """Give the plus address (RFC 5233) that stands in Reply-To: `status+TOKEN@acme.example`."""
    local, _, domain = own_address.rpartition("@")
    return f"{local}+{token}@{domain}"


def find_tokens(fields: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """Find every distinct token in a mail's header, most trusted place first, lower-case.

    `fields` are pairs of lower-case name and unfolded value. Places, in order: the envelope fields, To, Cc,
    In-Reply-To, then References from its right end, at most 20.
    """
    found = [*_in_envelope(fields), *_in_recipients(fields), *_in_references(fields)]
    return tuple(dict.fromkeys(token.lower() for token in found))


def unsubscribe_address(own_address: str, token: str) -> str:
    """Give the plus address to which any mail unsubscribes: `status+unsubscribe-TOKEN@acme.example`."""
    local, _, domain = own_address.rpartition("@")
    return f"{local}+unsubscribe-{token}@{domain}"


def find_unsubscribe_tokens(fields: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """Find every distinct token of an unsubscribe address that a mail was sent to; see `find_tokens` for places."""
    names = (*ENVELOPE_FIELDS, "to", "cc")
    values = (value for name in names for value in _values(fields, name))
    return tuple(dict.fromkeys(token.lower() for value in values for token in _TO_UNSUBSCRIBE.findall(value)))


def split_references(value: str) -> list[str]:
    """Split References or In-Reply-To at white space and commas (Exchange and iOS write commas)."""
    return [reference for reference in _BETWEEN_REFERENCES.split(value) if reference]


def _in_envelope(fields: Sequence[tuple[str, str]]) -> Iterator[str]:
    for name in ENVELOPE_FIELDS:
        for value in _values(fields, name):
            yield from _IN_ADDRESS.findall(value)


def _in_recipients(fields: Sequence[tuple[str, str]]) -> Iterator[str]:
    for name in ("to", "cc"):
        for value in _values(fields, name):
            yield from _IN_ADDRESS.findall(value)


def _in_references(fields: Sequence[tuple[str, str]]) -> Iterator[str]:
    for name in ("in-reply-to", "references"):
        for value in _values(fields, name):
            for reference in reversed(split_references(value)[-MOST_REFERENCES:]):
                if match := _IN_MESSAGE_ID.match(reference):
                    yield match[1]


def _values(fields: Sequence[tuple[str, str]], name: str) -> Iterator[str]:
    return (value for field, value in fields if field == name)
