"""Bounces: the envelope sender that they come back to (VERP), and what they say of which delivery.

Pure. Tells what a mail system reports and never acts on it; the mail that a bounce returns is looked at for
its Message-ID alone, so no word in it is ever an order. Whether a public id is known is for the store to say.
"""

import hmac
import re
from base64 import b32decode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from service.errors import MailUnreadable
from service.mail.automatic import (
    folded_subject,
    is_bounce,
    is_delivery_report,
    is_from_daemon,
    is_out_of_office,
    tells_of_delay,
)
from service.mail.bounce_text import BounceText, address_in, find_recipient, name_in, read_text
from service.mail.bounce_words import find_status, is_permanent, joined_reply
from service.mail.delivery_status import read_delivery_status
from service.mail.headers import one_line
from service.mail.mailboxes import is_same_mailbox
from service.mail.parsing import MOST_BYTES, ParsedMail, parse_mail
from service.mail.plain_text import without_invisible
from service.mail.sender import read_sender
from service.mail.tokens import ENVELOPE_FIELDS, MOST_REFERENCES, base32, keyed_digest, split_references

MOST_DIAGNOSTIC: Final = 300
"""Characters of a bounce's reason that are kept."""

_CHECK_BYTES: Final = 4
_LONGEST_LOCAL_PART: Final = 64
_LONGEST_ADDRESS: Final = 254
_PUBLIC_ID: Final = re.compile(r"[0-9a-f]{32}")
_IN_ADDRESS: Final = re.compile(r"\+b-([a-z2-7]{32})@", re.IGNORECASE | re.ASCII)
_IN_REFERENCE: Final = re.compile(r"<?(?:[a-z2-7]{26}\.)?([0-9a-f]{32})@", re.IGNORECASE | re.ASCII)
_RETURNED_ID: Final = re.compile(
    rb"^[>\s]{0,8}(?:x-[a-z-]{1,40})?message[- ]id:\s{0,4}(?:<|&lt;)(?:[a-z2-7]{26}\.)?([0-9a-f]{32})@",
    re.IGNORECASE | re.MULTILINE,
)
_END_OF_HEADER: Final = re.compile(rb"\r\n\r\n|\n\r?\n|\r\r")
_SOFT_BREAK: Final = re.compile(rb"=\r?\n")
_DIAGNOSTIC_TYPE: Final = re.compile(r"^\s*[\w-]{1,20}\s*;\s*")
_VAGUE: Final = re.compile(r"|[245]\.[035]\.0")
"""A status code that leaves room for a better one in the diagnostic text."""


class BounceKind(StrEnum):
    """What a mail system says became of a mail of ours."""

    HARD = "hard"
    """The address does not exist or takes no mail for good."""
    SOFT = "soft"
    """It failed for another reason (mailbox full, spam filter, time ran out): the next mail may arrive."""
    DELAYED = "delayed"
    """It is still being tried."""
    DELIVERED = "delivered"
    """It arrived, or went on to a system that reports nothing."""
    UNKNOWN = "unknown"
    """It failed, and nothing tells for how long."""


_BY_ACTION: Final = {
    "delayed": BounceKind.DELAYED,
    "delivered": BounceKind.DELIVERED,
    "relayed": BounceKind.DELIVERED,
    "expanded": BounceKind.DELIVERED,
}
"""RFC 3464 section 2.3.3; what is none of these failed."""
_BY_PERMANENCE: Final = {True: BounceKind.HARD, False: BounceKind.SOFT, None: BounceKind.UNKNOWN}


@dataclass(frozen=True, slots=True)
class Bounce:
    """What a delivery report or bounce says; nothing in it is trusted to be true."""

    public_id: str | None
    """Of the delivery that came back; None where nothing of ours stands in it."""
    recipient: str | None
    """The address that failed, as the other side names it: behind a forwarding, another than ours."""
    kind: BounceKind
    status: str
    """The enhanced status code (RFC 3463), `5.1.1`; "" if there is none."""
    diagnostic: str
    """The other side's words: one line, at most 300 characters."""
    gone: tuple[str, ...] = ()
    """The addresses that failed for good, where fields or known wordings name them; a name may lack its domain."""
    has_arrived: bool = False
    """Whether it says as well that the mail arrived, or went on: each of ours has one recipient."""

    def is_end_of(self, address: str) -> bool:
        """Tell whether this address itself is gone for good, and not one that it stands for.

        Behind an alias or a list others may be reached still: RFC 3464 has Final-Recipient for who failed, which is
        another than Original-Recipient then (sections 2.3.1 and 2.3.2), and reports on each (section 2.3.3).
        """
        if self.kind is not BounceKind.HARD or self.has_arrived:
            return False
        return not self.gone or any(is_same_mailbox(one, address) for one in self.gone)


def bounce_address(own_address: str, public_id: str, key: bytes) -> str:
    """Give the envelope sender that tells a delivery by its bounce: `status+b-…@acme.example` (VERP).

    Behind the mark stand the public id and 32 bits of HMAC-SHA256, as 32 characters of base32. Where that does
    not fit into a mail's path (RFC 5321 section 4.5.3.1), which is so for an own local part of over 29 octets,
    it is `own_address`.
    """
    local, _, domain = own_address.rpartition("@")
    if not _PUBLIC_ID.fullmatch(public_id):
        return own_address
    mark = base32(bytes.fromhex(public_id) + _check(public_id, key))
    tagged = f"{local}+b-{mark}"
    address = f"{tagged}@{domain}"
    fits = len(tagged) <= _LONGEST_LOCAL_PART and len(address) <= _LONGEST_ADDRESS
    return address if fits else own_address


def find_bounced(fields: Sequence[tuple[str, str]], raw: bytes, *, key: bytes) -> str | None:
    """Find the public id of the delivery that a bounce is about, or None.

    `fields` are pairs of lower-case name and unfolded value. Places, in order: the address it came to, if its
    check is right; the Message-ID of the returned mail; In-Reply-To; References from their right end. In the
    last three an id proves itself by being known at all, for it is as unguessable as a token.
    """
    places = (_in_addresses(fields, key), _in_returned_mail(raw), _in_references(fields))
    return next((public_id for place in places for public_id in place), None)


def read_bounce(raw: bytes, *, key: bytes) -> Bounce | None:
    """Read a bounce or delivery report; None for every other mail, and for one beyond the bounds of hostile mail.

    By RFC 3464 where the mail holds such a report, else by what flufl.bounce and `bounce_words` know. Every mail
    for which it is not None is an automatic one too. Raises nothing.
    """
    try:
        mail = parse_mail(raw)
    except MailUnreadable:
        return None
    sender, _ = read_sender(mail)
    reports = read_delivery_status(raw) if is_delivery_report(mail, sender) else ()
    if reports:
        return _by_report(reports, mail, find_bounced(mail.fields, raw, key=key))
    if not _may_be_returned(mail, sender):
        return None
    text = read_text(mail)
    came_back = next(_in_addresses(mail.fields, key), None) is not None
    if not (is_bounce(mail, sender) or came_back or text.failed or text.is_rejection or tells_of_delay(mail)):
        return None
    return _by_text(text, mail, find_bounced(mail.fields, raw, key=key))


def _may_be_returned(mail: ParsedMail, sender: str | None) -> bool:
    """Leave out persons, whatever they write about mail, and what machines write that report other things."""
    if is_out_of_office(mail):
        return False
    if is_bounce(mail, sender) or mail.report_type == "disposition-notification":
        return True
    return (
        not mail.report_type and is_from_daemon(mail, sender) and not folded_subject(mail).startswith("re:")
    )


def _by_report(reports: Sequence[Mapping[str, str]], mail: ParsedMail, public_id: str | None) -> Bounce:
    report = min(reports, key=_rank)
    status, words = _status_and_words(report)
    kind = _kind_of(report)
    if kind is None or not words:
        text = read_text(mail)
        permanent = is_permanent(status, words or text.reason)
        kind = kind or _BY_PERMANENCE[is_permanent(status, text.reason) if permanent is None else permanent]
        words = words or text.reason
    recipients = (
        report.get(name, "") for name in ("final-recipient", "original-recipient", "x-actual-recipient")
    )
    recipient = next(filter(None, map(address_in, recipients)), None)
    return Bounce(
        public_id=public_id,
        recipient=recipient or find_recipient(mail, ()),
        kind=kind,
        status=status,
        diagnostic=_shown(words),
        gone=tuple(filter(None, map(_who_is_gone, reports))),
        has_arrived=any(_kind_of(one) is BounceKind.DELIVERED for one in reports),
    )


def _status_and_words(report: Mapping[str, str]) -> tuple[str, str]:
    words = joined_reply(_DIAGNOSTIC_TYPE.sub("", report.get("diagnostic-code", "")))
    status = find_status(report.get("status", ""))
    if _VAGUE.fullmatch(status):
        status = find_status(words) or status
    return status, words


def _who_is_gone(report: Mapping[str, str]) -> str | None:
    """Name who failed for good; Sendmail's Final-Recipient is the alias, and the other field who is behind it."""
    if _kind_of(report) is not None or is_permanent(*_status_and_words(report)) is False:
        return None
    fields = (
        report.get(name, "") for name in ("x-actual-recipient", "final-recipient", "original-recipient")
    )
    return next(filter(None, map(name_in, fields)), None)


def _by_text(text: BounceText, mail: ParsedMail, public_id: str | None) -> Bounce:
    status = find_status(text.reason)
    kind = _BY_PERMANENCE[is_permanent(status, text.reason)]
    if tells_of_delay(mail) or text.is_still_tried:
        kind = BounceKind.DELAYED
    return Bounce(
        public_id=public_id,
        recipient=text.recipient,
        kind=kind,
        status=status,
        diagnostic=_shown(joined_reply(text.reason or text.first_line)),
        gone=text.gone,
    )


def _shown(words: str) -> str:
    return one_line(without_invisible(words), MOST_DIAGNOSTIC)


def _kind_of(report: Mapping[str, str]) -> BounceKind | None:
    """None where it failed."""
    action = report.get("action", "").lower()
    return next((kind for name, kind in _BY_ACTION.items() if action.startswith(name)), None)


def _rank(report: Mapping[str, str]) -> int:
    """Failed before delayed before delivered."""
    return (None, BounceKind.DELAYED, BounceKind.DELIVERED).index(_kind_of(report))


def _check(public_id: str, key: bytes) -> bytes:
    return keyed_digest(key, b"bounce:" + public_id.encode())[:_CHECK_BYTES]


def _in_addresses(fields: Sequence[tuple[str, str]], key: bytes) -> Iterator[str]:
    for place in (*ENVELOPE_FIELDS, "to"):
        for name, value in fields:
            for mark in _IN_ADDRESS.findall(value) if name == place else ():
                decoded = b32decode(mark.upper())
                public_id, check = decoded[:-_CHECK_BYTES].hex(), decoded[-_CHECK_BYTES:]
                if hmac.compare_digest(check, _check(public_id, key)):
                    yield public_id


def _in_returned_mail(raw: bytes) -> Iterator[str]:
    """Look for the Message-ID below the bounce's own header, in whatever form the mail is returned."""
    bounded = raw[:MOST_BYTES]
    if end := _END_OF_HEADER.search(bounded):
        for match in _RETURNED_ID.finditer(_SOFT_BREAK.sub(b"", bounded[end.end() :])):
            yield match[1].decode("ascii").lower()


def _in_references(fields: Sequence[tuple[str, str]]) -> Iterator[str]:
    for place in ("in-reply-to", "references"):
        for name, value in fields:
            for reference in reversed(split_references(value)[-MOST_REFERENCES:]) if name == place else ():
                if match := _IN_REFERENCE.match(reference):
                    yield match[1].lower()
