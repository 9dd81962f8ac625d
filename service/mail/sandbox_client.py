"""Answers a mail of the sandbox as an ordinary mail client would: subject, thread, text on top, quote below.

It reads only what a client reads, the mail itself, and knows nothing of tokens or commands.
"""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import EmailMessage, Message
from email.parser import BytesParser
from email.policy import SMTP
from email.utils import format_datetime, formataddr, getaddresses

from service.errors import AddressInvalid


@dataclass(frozen=True, slots=True)
class SandboxMail:
    """A mail that would have gone out; `number` counts from 1 since the sandbox started."""

    number: int
    sender: str
    """Of the envelope; "" for the null sender."""
    recipient: str
    """Of the envelope."""
    raw: bytes


def reply_to(mail: SandboxMail, text: str, *, now: datetime) -> bytes:
    """Build the answer that the mail's recipient would send with `text` typed above the quote.

    Raises AddressInvalid where the mail says neither in Reply-To nor in From whom to answer.
    """
    original = _parsed(mail)
    reply = EmailMessage(policy=SMTP)
    reply["From"] = formataddr((_name_of(original, mail.recipient), mail.recipient))
    reply["To"] = answered_address(mail)
    subject = _header(original, "Subject")
    reply["Subject"] = subject if subject.casefold().startswith("re:") else f"Re: {subject}"
    reply["Date"] = format_datetime(now)
    reply["Message-ID"] = f"<{secrets.token_hex(16)}@{mail.recipient.rpartition('@')[2]}>"
    message_id = _header(original, "Message-ID")
    if message_id:
        reply["In-Reply-To"] = message_id
        reply["References"] = f"{_header(original, 'References')} {message_id}".strip()
    author = next((name or address for name, address in _addresses(original, "From")), "")
    attribution = f"On {_header(original, 'Date')}, {author} wrote:"
    quote = [f"> {line}".rstrip() for line in _text_of(original).splitlines()]
    reply.set_content("\n".join([text, "", attribution, *quote]) + "\n")
    return reply.as_bytes()


def answered_address(mail: SandboxMail) -> str:
    """Give the one address that an answer goes to: of Reply-To, or else of From (RFC 5322 section 3.6.2)."""
    original = _parsed(mail)
    for name in ("Reply-To", "From"):
        for _, address in _addresses(original, name):
            return address
    raise AddressInvalid("the mail names nobody to answer: it has neither Reply-To nor From")


def _parsed(mail: SandboxMail) -> Message:
    return BytesParser().parsebytes(mail.raw)  # compat32: structured headers of hostile mails raise


def _header(message: Message, name: str) -> str:
    """Give a header decoded, as one line without control characters; "" where there is none."""
    raw = str(message.get(name, ""))
    try:
        text = str(make_header(decode_header(raw)))
    except (HeaderParseError, LookupError, UnicodeError):
        text = raw
    line = " ".join(text.split())
    return "".join(char for char in line if char.isprintable())


def _addresses(message: Message, name: str) -> Iterator[tuple[str, str]]:
    for shown_name, address in getaddresses([_header(message, name)]):
        if "@" in address:
            yield shown_name, address


def _name_of(message: Message, address: str) -> str:
    named = (name for name, known in _addresses(message, "To") if known.casefold() == address.casefold())
    return next(named, "")


def _text_of(message: Message) -> str:
    """Give the first plain text, decoded as far as its charset is known."""
    for part in message.walk():
        if part.get_content_type() == "text/plain" and part.get_content_disposition() != "attachment":
            content = part.get_payload(decode=True)
            charset = part.get_content_charset() or "utf-8"
            try:
                return content.decode(charset, "replace") if isinstance(content, bytes) else ""
            except LookupError:
                return content.decode("utf-8", "replace") if isinstance(content, bytes) else ""
    return ""
