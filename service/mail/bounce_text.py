"""Reads bounces that are text for people only, as qmail, Exim, Yahoo, Notes and many gateways write them.

Reads what the mail system wrote and stops where the returned mail begins. flufl.bounce gets a copy that was
cut and rebuilt, for its patterns were not made for hostile mail. Raises nothing.
"""

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import Message
from itertools import takewhile
from typing import Final

from flufl.bounce import all_failures

from service.mail.bounce_words import find_reason
from service.mail.html_text import html_to_lines
from service.mail.parsing import ParsedMail
from service.mail.plain_text import cut_to_lines
from service.mail.tokens import ENVELOPE_FIELDS

_ADDRESS: Final = re.compile(
    r"(?<![^\s<>,;:\"'()\[\]=])([^\s<>@,;:\"'()\[\]=]{1,64}@[\w.-]{1,250}\w)(?![\w@-])"
)
_ADDRESS_TYPE: Final = re.compile(r"^\s*[\w-]{1,20}\s*;\s*")
_BARE_NAME: Final = re.compile(r"[\w.+-]{1,64}")
_DAEMON: Final = re.compile(r"mailer-daemon|postmaster", re.IGNORECASE)
_RETURNED_MAIL: Final = re.compile(
    r"[\s>]{0,20}[-=_*]{2,80}.{0,40}\b(?:copy of|original message|returned (?:mail|message)|message follows"
    r"|message header|headers? of|undelivered message|forwarded message|below this line)"
    r"|(?:return-path|received|dkim-signature|message-id|mime-version|x-replycast-instance):\s",
    re.IGNORECASE,
)
_STILL_TRIED: Final = re.compile(
    r"not need to (?:resend|take any action)|warning message only|still being retried|will be retried"
    r"|no action is required on your part|delivery attempts will continue|will keep trying",
    re.IGNORECASE,
)
_REJECTION: Final = re.compile(r"\bwas (?:automatically )?rejected\b", re.IGNORECASE)
_MOST_LINES: Final = 120
_LONGEST_LINE: Final = 300
# Its patterns take time with the cube of the angle brackets in a line.
_FLUFL_LINES: Final = 100
_FLUFL_CHARACTERS: Final = 200
_FLUFL_BRACKETS: Final = 6
_FLUFL_FIELDS: Final = ("from", "subject", "x-mailer")
_FLUFL_FAULTS: Final = (LookupError, ValueError, TypeError, AttributeError)
"""It raises IndexError without a From; the rest is what its detectors may run into by the way they are written."""
# It writes each attempt into the log, and a traceback for what we take in our stride.
logging.getLogger("flufl.bounce").setLevel(logging.CRITICAL)


@dataclass(frozen=True, slots=True)
class BounceText:
    """What a mail system wrote to a person."""

    reason: str
    """The lines that say why; "" where none does."""
    first_line: str
    failed: tuple[str, ...]
    """What flufl.bounce takes for failing addresses."""
    gone: tuple[str, ...]
    """Those of X-Failed-Recipients, else those of them that failed for good; mail systems are none."""
    recipient: str | None
    is_still_tried: bool
    is_rejection: bool
    """Whether the recipient's own filter sent it back (RFC 5429, or Dovecot for a full mailbox)."""


def read_text(mail: ParsedMail) -> BounceText:
    """Read the text of a bounce, or its HTML where that is all there is."""
    has_text = mail.text is not None and bool(mail.text.strip())
    lines = cut_to_lines(mail.text or "") if has_text else html_to_lines(mail.html or "")
    cut = [line[:_LONGEST_LINE] for line in lines[:_MOST_LINES]]
    own = tuple(takewhile(lambda line: not _RETURNED_MAIL.match(line), cut))
    temporary, permanent = _scan(mail, own)
    failed = permanent + temporary
    return BounceText(
        reason=find_reason(own),
        first_line=next((line.strip() for line in own if line.strip()), ""),
        failed=failed,
        gone=tuple(one for one in _named(mail) or permanent if not _DAEMON.match(one)),
        recipient=find_recipient(mail, own, failed),
        is_still_tried=bool(temporary and not permanent) or any(map(_STILL_TRIED.search, own)),
        is_rejection=any(map(_REJECTION.search, own)),
    )


def find_recipient(mail: ParsedMail, lines: Sequence[str], failed: Sequence[str] = ()) -> str | None:
    """Find the address that failed: in X-Failed-Recipients, among `failed`, else the first in the lines.

    Our own address, to which the bounce was sent, is none, nor is a mail system's.
    """
    own = {_untagged(one) for name in (*ENVELOPE_FIELDS, "to") for one in _addresses(mail.values(name))}
    named = (*_named(mail), *failed, *_addresses(lines))
    return next((one for one in named if _untagged(one) not in own and not _DAEMON.match(one)), None)


def address_in(value: str) -> str | None:
    """Give the address of a field of RFC 3464 (`rfc822; jordan@acme.example`), or None if it is none."""
    bare = _ADDRESS_TYPE.sub("", value).strip(" <>")
    return bare if _ADDRESS.fullmatch(bare) else None


def name_in(value: str) -> str | None:
    """Give the address of such a field, or the name of a mailbox that stands there without its domain."""
    if address := address_in(value):
        return address
    bare = _ADDRESS_TYPE.sub("", value).strip(" <>")
    return bare if _BARE_NAME.fullmatch(bare) else None


def _named(mail: ParsedMail) -> list[str]:
    return _addresses(mail.values("x-failed-recipients"))


def _addresses(lines: Sequence[str]) -> list[str]:
    return [address for line in lines for address in _ADDRESS.findall(line)]


def _untagged(address: str) -> str:
    local, _, domain = address.casefold().rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"


def _scan(mail: ParsedMail, lines: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Ask flufl.bounce for the addresses that fail for now and for good, in the order of the alphabet."""
    try:
        temporary, permanent = all_failures(_rebuilt(mail, lines))
    except _FLUFL_FAULTS:
        return (), ()
    return _readable(temporary), _readable(permanent)


def _readable(found: frozenset[bytes]) -> tuple[str, ...]:
    addresses = (raw.decode("ascii", "replace").strip() for raw in sorted(found))
    return tuple(address for address in addresses if _ADDRESS.fullmatch(address))


def _rebuilt(mail: ParsedMail, lines: Sequence[str]) -> Message:
    kept = [line[:_FLUFL_CHARACTERS] for line in lines if line.count("<") <= _FLUFL_BRACKETS][:_FLUFL_LINES]
    text = Message()
    text["Content-Description"] = "Notification"
    text.set_payload(_ascii("\n".join(kept)) + "\n")
    whole = text
    if mail.content_type in {"multipart/report", "multipart/mixed"}:
        whole = Message()
        whole["Content-Type"] = mail.content_type
        whole.set_payload([text, Message()])
    for name in _FLUFL_FIELDS:
        if value := mail.first(name):
            whole[name] = _ascii(value)[:_LONGEST_LINE]
    return whole


def _ascii(text: str) -> str:
    return text.encode("ascii", "replace").decode("ascii")
