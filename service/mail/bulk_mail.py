"""One update's mail for many subscribers: composed once, and for each of them only what is theirs put in.

The mail that comes out is, byte for byte, the one that `compose` would give. Where that cannot be vouched for
(a text that names a place, an address outside ASCII), there is none, and `compose` is to be used. It never
decides who gets a mail.
"""

import re
from base64 import decodebytes, encodebytes
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache
from hashlib import sha256
from typing import Final

from service.mail.bounces import bounce_address
from service.mail.compose import Envelope, PostOffice, compose, unsubscribe_token
from service.mail.headers import checked_address
from service.model import Delivery

_PUBLIC_ID: Final = re.compile(r"[0-9a-f]{32}")
_PLAIN_ADDRESS: Final = re.compile(r"[!#-'*+./0-9=?A-Z^-~-]{1,64}@[A-Za-z0-9.-]{1,253}")
"""What stands in a mail as it is written in the database."""
_ENCODED_PART: Final = re.compile(
    rb"(?<=\r\nContent-Transfer-Encoding: base64\r\n\r\n)([A-Za-z0-9+/=\r\n]+)(?=\r\n--=_)"
)
_SOFT_BREAK: Final = b"=\r\n"
"""What cuts a long line of quoted-printable (RFC 2045 section 6.7); it may go through a token."""
_TRIALS: Final = (
    ("a@trial.example", datetime(1971, 2, 3, 4, 5, 6, tzinfo=UTC)),
    (f"{'b' * 40}@other.trial.example", datetime(1983, 8, 19, 20, 21, 22, tzinfo=UTC)),
)
"""Addresses of different lengths, and times that no text names: what depends on them shows."""

Theirs = Mapping[str, bytes]
"""What is a subscriber's own in a mail, by the name of the place."""


@dataclass(frozen=True, slots=True)
class _Section:
    """A stretch of the mail, all of it in base64 or none."""

    pieces: tuple[bytes, ...]
    """Its text, with an empty piece wherever something of a subscriber's own goes."""
    gaps: tuple[tuple[int, str, slice], ...]
    """Of each such piece its index, the name of the place, and which part of what is theirs goes there."""
    in_base64: bool

    def filled(self, theirs: Theirs) -> bytes:
        """Put in what is a subscriber's own."""
        pieces = list(self.pieces)
        for index, name, part in self.gaps:
            pieces[index] = theirs[name][part]
        whole = b"".join(pieces)
        return encodebytes(whole).replace(b"\n", b"\r\n") if self.in_base64 else whole


@dataclass(frozen=True, slots=True)
class BulkMail:
    """An update's mail for whoever gets it; `prepare` makes it."""

    office: PostOffice
    sender: str
    sections: tuple[_Section, ...]
    is_dotless: bool

    def envelope_for(self, delivery: Delivery) -> Envelope | None:
        """Give a subscriber's mail; None where `compose` is to be asked, since it is unlike the others."""
        is_like_others = (
            delivery.facts.keys() == {"subscriber_public_id"}
            and _PUBLIC_ID.fullmatch(delivery.public_id)
            and _PLAIN_ADDRESS.fullmatch(delivery.recipient)
        )
        if not is_like_others:
            return None
        office = self.office
        theirs = _theirs(delivery, office)
        return Envelope(
            sender=bounce_address(self.sender, delivery.public_id, office.key)
            if office.verp
            else self.sender,
            recipient=delivery.recipient,
            message=self.sections[0].filled(theirs)
            if len(self.sections) == 1
            else b"".join([section.filled(theirs) for section in self.sections]),
            is_dotless=self.is_dotless,
        )


def prepare(delivery: Delivery, office: PostOffice) -> BulkMail | None:
    """Prepare the mail of an update from one delivery of it, whose facts are whole.

    It is composed twice, for two subscribers who do not exist, and taken apart where these differ. None where
    they differ anywhere else. Raises as `compose` does.
    """
    taken_apart = []
    for address, written_at in _TRIALS:
        name = sha256(address.encode()).hexdigest()
        facts = {**delivery.facts, "subscriber_public_id": name[32:]}
        trial = replace(delivery, public_id=name[:32], recipient=address, created_at=written_at, facts=facts)
        message = compose(trial, office).message
        theirs = _theirs(trial, office)
        sections = tuple(_sections(message, theirs))
        if b"".join(section.filled(theirs) for section in sections) != message:
            return None
        taken_apart.append(sections)
    one, other = taken_apart
    if one != other:
        return None
    sender, is_dotless = checked_address(office.sender_address), all(map(_is_dotless, one))
    return BulkMail(office, sender, one, is_dotless and one[-1].pieces[-1].endswith(b"\r\n"))


def _is_dotless(section: _Section) -> bool:
    """Whether for certain no line begins with a dot: what is theirs has none at its start but an address."""
    lines_of_theirs = (
        section.pieces[index - 1].endswith(b"\n") for index, name, _ in section.gaps if name == "address"
    )
    return section.in_base64 or not (b"\n." in b"".join(section.pieces) or any(lines_of_theirs))


def _theirs(delivery: Delivery, office: PostOffice) -> Theirs:
    token = unsubscribe_token(office.key, delivery.facts["subscriber_public_id"])
    return {
        "address": delivery.recipient.encode(),
        "public id": delivery.public_id.encode(),
        "token": token.encode(),
        "date": _date(delivery.created_at),
    }


@lru_cache(maxsize=64)
def _date(at: datetime) -> bytes:
    return format_datetime(at).encode()


def _sections(message: bytes, theirs: Theirs) -> Iterator[_Section]:
    """Take a mail apart at what is somebody's own."""
    places = re.compile(b"|".join(_pattern(name, value) for name, value in theirs.items()))
    for index, stretch in enumerate(_ENCODED_PART.split(message)):
        in_base64 = index % 2 == 1
        text = decodebytes(stretch) if in_base64 else stretch
        pieces: list[bytes] = []
        gaps: list[tuple[int, str, slice]] = []
        done = 0
        for match in places.finditer(text):
            pieces.append(text[done : match.start()])
            name = next(name for name in theirs if match[_group(name)] is not None)
            cut = match[0].find(_SOFT_BREAK)
            for part in (slice(cut), slice(cut, None)) if cut > 0 else (slice(None),):
                if part.start:
                    pieces.append(_SOFT_BREAK)
                gaps.append((len(pieces), name, part))
                pieces.append(b"")
            done = match.end()
        yield _Section((*pieces, text[done:]), tuple(gaps), in_base64)


def _pattern(name: str, value: bytes) -> bytes:
    letters = (re.escape(bytes([byte])) for byte in value)
    return b"(?P<%b>%b)" % (_group(name).encode(), b"(?:=\r\n)?".join(letters))


def _group(name: str) -> str:
    return name.replace(" ", "_")
