"""Stores mails as they came, each once, whichever way and however often it came."""

import hashlib
import re
from collections.abc import Sequence
from datetime import datetime
from urllib.parse import quote

from service.mail.imap import FetchedMail
from service.store import inbox_rows
from service.store.database import Store
from service.store.inbox_rows import SENDER, Arrival, Door


def uid_prefix(account: str, folder: str, uidvalidity: int) -> str:
    """Give what the keys of all mails of one mailbox generation begin with, and no others."""
    return f"{quote(account, safe='@')}/{quote(folder, safe='')}/{uidvalidity}/"


def last_uid(store: Store, account: str, folder: str, uidvalidity: int) -> int:
    """Tell up to which UID a mailbox is taken in (RFC 3501: UIDs only grow under one UIDVALIDITY)."""
    with store.reading() as connection:
        return inbox_rows.last_uid(connection, uid_prefix(account, folder, uidvalidity))


def receive_mails(store: Store, mails: Sequence[FetchedMail], *, now: datetime) -> int:
    """Store mails of the mailbox in one transaction, and count those that were not stored already.

    Raises StoreUnavailable, and then none of them is stored.
    """
    arrivals = [mail_arrival(mail, now) for mail in mails]
    with store.transaction(alone=False) as connection:
        return inbox_rows.add_mails(connection, arrivals)


def mail_arrival(mail: FetchedMail, now: datetime) -> Arrival:
    """Give what is stored of a mail of the mailbox."""
    prefix = uid_prefix(mail.account, mail.folder, mail.uidvalidity)
    about = {"folder": mail.folder, "size": mail.size, "truncated": mail.truncated} | _sender_of(mail.raw)
    key = content_key(mail.raw)
    return Arrival(Door.MAIL, now, mail.raw, about=about, content_key=key, uid_key=f"{prefix}{mail.uid:010}")


def receive_handed(store: Store, raw: bytes, *, size: int, now: datetime) -> bool:
    """Store a mail that a mail server handed over; False where it is there already. Raises StoreUnavailable."""
    about = {"folder": "", "size": size, "truncated": len(raw) < size} | _sender_of(raw)
    arrival = Arrival(Door.MAIL, now, raw, about=about, content_key=content_key(raw))
    with store.transaction(alone=False) as connection:
        return inbox_rows.add_mails(connection, [arrival]) > 0


def _sender_of(raw: bytes) -> dict[str, str]:
    """Keep what From says, unread, to find a mail by; raw bodies are too long to be searched."""
    found = _FROM.search(raw[:_HEAD].replace(b"\r\n", b"\n").partition(b"\n\n")[0])
    said = "" if found is None else found[1].decode("utf-8", "replace")
    text = " ".join("".join(one if one.isprintable() else " " for one in said).split())
    return {SENDER: text[:_LONGEST_SENDER]} if text else {}


def content_key(raw: bytes) -> str:
    """Give a key that two copies of one mail share, though each came another way and has other trace lines."""
    head, _, body = raw.replace(b"\r\n", b"\n").partition(b"\n\n")
    fields = _FOLD.sub(b" ", head).split(b"\n")
    has_id = any(field.lower().startswith(b"message-id:") for field in fields)
    names = _ORIGIN_FIELDS if has_id else _ORIGIN_FIELDS + _TRACE_FIELDS
    same = [field for field in fields if field.lower().startswith(names)]
    return hashlib.sha256(b"\n".join([*same, b"", body])).hexdigest()


_ORIGIN_FIELDS = (b"message-id:", b"from:", b"date:", b"subject:")
_FROM = re.compile(rb"^from:([^\n]*(?:\n[ \t][^\n]*)*)", re.IGNORECASE | re.MULTILINE)
_HEAD = 32 * 1024
_LONGEST_SENDER = 200
_TRACE_FIELDS = (b"to:", b"delivered-to:", b"received:")
"""What tells two mails apart that have no Message-ID: `hold 30m` now, and the same an hour later."""
_FOLD = re.compile(rb"\n[ \t]+")
"""Where a long header field goes on in the next line (RFC 5322 section 2.2.3)."""
