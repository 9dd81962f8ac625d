"""`replycast doctor mail`: sends a mail to our own plus-address, and says what of it comes back; and the database.

It stores nothing and acts on nothing: its mail bears our loop mark, so that a running service takes it for automatic.
"""

import asyncio
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from enum import StrEnum
from typing import Any, Final

from imapclient.exceptions import IMAPClientError

from service.cli.options import reason_of
from service.config import Config, Imap, Mail, Smtp
from service.errors import ReplycastError
from service.mail.authentication_results import find_topmost, read_header
from service.mail.authenticity import judge
from service.mail.automatic import LOOP_FIELD
from service.mail.imap_login import log_in
from service.mail.oauth import AccessTokens
from service.mail.smtp import open_session
from service.mail.ties import Notification
from service.mail.tokens import find_tokens, make_token, message_id, reply_address
from service.store.examining import examine

LOOK_AGAIN: Final = 1.0
"""Seconds between two looks into the mailbox."""
_LARGEST_HEADER: Final = 64 * 1024


class State(StrEnum):
    """How a finding is."""

    OK = "ok"
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    name: str
    state: State
    text: str


def examine_database(config: Config) -> Iterator[Finding]:
    """Look at the database; nothing in it is changed."""
    for one in examine(config.database):
        state = State.BAD if one.is_bad else State.WARN if one.is_doubtful else State.OK
        yield Finding(one.name, state, one.text)


def examine_mail(config: Config, *, patience: float, clock: Callable[[], datetime]) -> Iterator[Finding]:
    """Send, wait for and examine one mail; each finding is given as soon as it is there. `patience` in seconds."""
    mail = config.mail
    if mail is None:
        text = "config.yaml has no `mail` section: the sandbox is on, and there is no mail server to examine"
        yield Finding("mail", State.WARN, text)
        return
    token = make_token(secrets.token_bytes(32), secrets.token_hex(16))
    if mail.imap is None:
        yield Finding("mailbox", State.WARN, "there is no `mail.imap`: what arrives cannot be examined")
        yield from _send(mail, token, clock())
        return
    try:
        client = log_in(mail.imap, _tokens(mail.imap), clock())
    except ReplycastError as error:
        yield Finding("imap login", State.BAD, reason_of(error))
        return
    try:
        yield Finding("imap login", State.OK, f"{mail.imap.username} at {mail.imap.host}")
        yield from _capabilities(client)
        before = _uid_next(client, mail.imap)
        begun = time.monotonic()
        sent = list(_send(mail, token, clock()))
        yield from sent
        if any(finding.state is State.BAD for finding in sent):
            return
        found = _wait(client, before, token, begun + patience)
        if found is None:
            address = reply_address(mail.sender_address, "x")
            text = f"the mail did not come within {patience:.0f} s: are mails to {address} delivered here?"
            yield Finding("arrival", State.BAD, text)
            return
        yield Finding("arrival", State.OK, f"{time.monotonic() - begun:.1f} s after it was sent")
        yield from _arrived(found, token, mail, clock())
    except (IMAPClientError, OSError) as error:
        yield Finding("imap", State.BAD, f"the server broke off: {reason_of(error)}")
    finally:
        client.shutdown()


def _tokens(server: Imap | Smtp) -> AccessTokens | None:
    return AccessTokens(server.oauth, username=server.username) if server.oauth else None


def _capabilities(client: Any) -> Iterator[Finding]:  # noqa: ANN401  IMAPClient has no type information
    for name, without in (
        ("IDLE", "replies are found by polling, some seconds later"),
        ("MOVE", "mails are copied and deleted instead"),
        ("UIDPLUS", "moved mails may stay marked as deleted"),
    ):
        has = client.has_capability(name)
        yield Finding(name, State.OK if has else State.WARN, "offered" if has else f"not offered: {without}")


def _uid_next(client: Any, imap: Imap) -> dict[str, int]:  # noqa: ANN401  as above
    """Tell from which UID on what is new will stand; a running service may move it at once."""
    found = {}
    for folder in (imap.folder, imap.processed_folder):
        if client.folder_exists(folder):
            found[folder] = int(client.folder_status(folder, ["UIDNEXT"])[b"UIDNEXT"])
    return found


def _send(mail: Mail, token: str, now: datetime) -> Iterator[Finding]:
    recipient = reply_address(mail.sender_address, token)
    raw = _mail(mail, token, now)

    async def go() -> str:
        async with open_session(mail.smtp, tokens=_tokens(mail.smtp), now=now) as session:
            return await session.send(sender=mail.sender_address, recipient=recipient, message=raw)

    begun = time.monotonic()
    try:
        said = asyncio.run(go())
    except ReplycastError as error:
        yield Finding("smtp", State.BAD, reason_of(error))
        return
    took = (time.monotonic() - begun) * 1_000
    yield Finding("smtp", State.OK, f"{mail.smtp.host} took it in {took:.0f} ms: {said}")


def _mail(mail: Mail, token: str, now: datetime) -> bytes:
    """Write a mail as an employee's answer would come, with the token in all its places."""
    domain = mail.sender_address.rpartition("@")[2]
    mark = message_id(secrets.token_hex(16), domain, token)
    fields = {
        "From": mail.sender_address,
        "To": reply_address(mail.sender_address, token),
        "Subject": "Replycast examines its mail",
        "Date": format_datetime(now),
        "Message-ID": message_id(secrets.token_hex(16), domain),
        "In-Reply-To": mark,
        "References": mark,
        "Auto-Submitted": "auto-generated",
        LOOP_FIELD: "doctor",
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"{head}\r\nThis mail was sent by `replycast doctor mail` and can be deleted.\r\n".encode()


def _wait(client: Any, before: dict[str, int], token: str, until: float) -> bytes | None:  # noqa: ANN401  as above
    while True:
        for folder, first in before.items():
            client.select_folder(folder, readonly=True)
            new = [uid for uid in client.search(f"UID {first}:*") if uid >= first]
            fetched = client.fetch(new, ["BODY.PEEK[HEADER]"]) if new else {}
            for parts in fetched.values():
                header = bytes(parts.get(b"BODY[HEADER]", b""))[:_LARGEST_HEADER]
                if token.encode() in header.lower():
                    return header
        if time.monotonic() >= until:
            return None
        time.sleep(LOOK_AGAIN)


def _arrived(header: bytes, token: str, mail: Mail, now: datetime) -> Iterator[Finding]:
    read = read_header(header)
    fields = [(name, value.decode("utf-8", "replace")) for name in _PLACES for value in read.values(name)]
    for name, title in _PLACES.items():
        survived = token in find_tokens([field for field in fields if field[0] == name])
        state = State.OK if survived else State.WARN
        yield Finding(title, state, "the token is there" if survived else "the token was lost on the way")
    topmost = find_topmost(read, lambda _: True, 1)
    if not topmost:
        text = (
            "no server wrote any: set `authenticity.policy: token_only`, or let your mail server check DMARC"
        )
        yield Finding("Authentication-Results", State.WARN, text)
        return
    judgement = judge(
        header,
        mail.sender_address,
        mail.authenticity,
        lambda _: None,
        now=now,
        own_address=mail.sender_address,
        notification=Notification(mail.sender_address, frozenset({token}), issued_at=now),
    )
    named = topmost[0].authserv_id or "a server without a name (profile microsoft365)"
    text = f"by {named}; under your settings: {judgement.verdict} ({judgement.evidence})"
    configured = mail.authenticity.authserv_id
    state = State.OK if not configured or configured == topmost[0].authserv_id else State.WARN
    yield Finding("Authentication-Results", state, text)


_PLACES: Final = {
    "delivered-to": "token in Delivered-To",
    "to": "token in To",
    "in-reply-to": "token in In-Reply-To",
    "references": "token in References",
}
