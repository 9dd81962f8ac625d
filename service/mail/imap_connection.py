"""One connection to one IMAP folder: look for mails, fetch their beginnings, move them, wait for news.

Every fault comes out as MailboxUnavailable or MailboxLoginRefused, never with a password or token in it. It
knows nothing of cursors or of what becomes of a mail, and no text of a mail ever gets into a command.
"""

import select
import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from imapclient.exceptions import IMAPClientAbortError, IMAPClientError

from service.config.settings import Imap
from service.errors import MailboxUnavailable
from service.mail import imap_login
from service.mail.imap_faults import FAULTS, faults, plain
from service.mail.oauth import AccessTokens

FETCH_LIMIT: Final = 256 * 1024
"""Bytes that are fetched of a mail at most."""
MOST_TOGETHER: Final = 256
"""Mails that are fetched, stored and moved together."""
MOST_BYTES: Final = 4 * 1024 * 1024
"""Bytes of mails that are held at a time."""
FEW: Final = 16
"""Mails that need no question about their sizes first, since they cannot be more than MOST_BYTES."""
STOP_CHECK: Final = 0.25
"""Seconds between two looks at `stop` while waiting for news."""
SEARCH_SPAN: Final = 50_000
"""UIDs that one search asks about: the answer is one line, and imaplib ends at 1,000,000 bytes."""

_BODY: Final = f"BODY.PEEK[]<0.{FETCH_LIMIT}>"


@dataclass(frozen=True, slots=True)
class Part:
    """The beginning of a mail on the server; `size` is that of the whole, in bytes."""

    uid: int
    size: int
    raw: bytes


class Mailbox:
    """An open connection with the folder selected; `open_mailbox` makes it."""

    def __init__(self, client: Any, imap: Imap) -> None:  # noqa: ANN401 # IMAPClient has no type information
        self._client = client
        self._wire = client._imap  # noqa: SLF001 # IMAPClient has no public way to what was said in passing
        self._imap = imap
        with faults(imap):
            self._filing_folder = _find_or_create(client, imap.processed_folder)
            selected = client.select_folder(imap.folder)
            self.uidvalidity = int(selected.get(b"UIDVALIDITY", 0))
            self._uid_next = int(selected.get(b"UIDNEXT", 0))
            self._exists = int(selected.get(b"EXISTS", 0))
            self.can_idle = bool(client.has_capability("IDLE"))
        self.has_heard_of_more()  # of what SELECT counted, the first search tells
        if not self.uidvalidity:
            raise MailboxUnavailable(f"the mailbox {imap.host} gives no UIDVALIDITY for {imap.folder}")

    def uids_up_to(self, last: int) -> Iterator[list[int]]:
        """Find what still lies in the folder with a UID up to `last`, in ascending batches."""
        span = SEARCH_SPAN if self._exists > SEARCH_SPAN else last
        for first in range(1, last + 1, span or 1):
            yield self._search(f"UID {first}:{min(first + span - 1, last)} UNDELETED")

    def uids_after(self, last: int) -> Iterator[list[int]]:
        """Find the mails with a UID over `last`, in ascending batches."""
        first = last + 1
        while self._exists > SEARCH_SPAN and first + SEARCH_SPAN < self._uid_next:
            yield self._search(f"UID {first}:{first + SEARCH_SPAN - 1}")
            first += SEARCH_SPAN
        # RFC 9051 section 9: `n:*` also means `*:n`, so the last mail is found even if its UID is under n
        yield [uid for uid in self._search(f"UID {first}:*") if uid >= first]

    def has_heard_of_more(self) -> bool:
        """Whether an answer since the last question of this kind spoke of new mails in passing.

        A server says so once, with the answer to any command, and does not repeat it while we idle
        (RFC 9051 section 7.4.1): a mail may come between a search and the end of its answer.
        """
        return self._wire.untagged_responses.pop("EXISTS", None) is not None

    def portions(self, uids: Sequence[int]) -> Iterator[Sequence[int]]:
        """Cut what was found into portions that may be fetched at once, by number and by bytes."""
        if len(uids) <= FEW:
            yield from [uids] if uids else []
            return
        for start in range(0, len(uids), MOST_TOGETHER):
            portion: list[int] = []
            held = 0
            for uid, size in self._sizes(uids[start : start + MOST_TOGETHER]):
                fetched = min(size, FETCH_LIMIT)
                if portion and held + fetched > MOST_BYTES:
                    yield portion
                    portion, held = [], 0
                portion.append(uid)
                held += fetched
            if portion:
                yield portion

    def fetch(self, uids: Sequence[int]) -> list[Part]:
        """Fetch the first 256 KiB of each without marking it read; what has gone meanwhile is left out."""
        with faults(self._imap):
            found = self._client.fetch(list(uids), ["RFC822.SIZE", _BODY])
            return [
                Part(uid, int(items[b"RFC822.SIZE"]), items[b"BODY[]<0>"][:FETCH_LIMIT])
                for uid, items in sorted(found.items())
                if b"BODY[]<0>" in items and b"RFC822.SIZE" in items
            ]

    def move(self, uids: Sequence[int]) -> str:
        """Move mails to the folder for processed ones; give "" or why the server refuses.

        Without MOVE (RFC 6851) they are copied, marked and expunged by UID; without UIDPLUS (RFC 4315) they
        stay marked, since a plain EXPUNGE would also remove what others have marked.
        """
        with faults(self._imap):
            try:
                if self._client.has_capability("MOVE"):
                    self._client.move(list(uids), self._filing_folder)
                    return ""
                self._client.copy(list(uids), self._filing_folder)
                self._client.delete_messages(list(uids), silent=True)
                if self._client.has_capability("UIDPLUS"):
                    self._client.uid_expunge(list(uids))
            except IMAPClientAbortError:
                raise
            except IMAPClientError as refusal:
                return f"read mails cannot be moved to {self._filing_folder}: {plain(refusal, self._imap)}"
            return ""

    def await_news(self, stop: threading.Event, seconds: float) -> bool:
        """Idle (RFC 2177) until the server says anything, `seconds` have passed or `stop` is set.

        Gives whether it said anything. What it says is not looked at: the next search tells. So a line in two
        segments, on which IMAPClient's idle_check goes wrong, does no harm, and the end of the connection
        comes up as a fault. From a server that refuses to idle, `can_idle` is False afterwards.
        """
        with faults(self._imap):
            tag = self._begin_idling()
            if tag is None:
                return False
            poller = select.poll()
            poller.register(self._client.socket().fileno(), select.POLLIN)
            has_news = "EXISTS" in self._wire.untagged_responses or self._has_unread()
            waited = 0.0
            while not has_news and waited < seconds and not stop.is_set():
                pause = min(STOP_CHECK, seconds - waited)
                has_news = bool(poller.poll(pause * 1000))
                waited += pause
            if not stop.is_set():
                self._end_idling(tag)
            return has_news

    def hang_up(self) -> None:
        """Close the connection, from any thread: a read that hangs ends at once."""
        with suppress(*FAULTS):
            self._client.socket().shutdown(socket.SHUT_RDWR)
        with suppress(*FAULTS):
            self._client.shutdown()

    def _begin_idling(self) -> bytes | None:
        tag: bytes = self._wire._command("IDLE")  # noqa: SLF001 # as above; idle() takes news before "+" for a fault
        while self._wire._get_response() is not None:  # noqa: SLF001 # as above; None is the "+"
            self._wire._check_bye()  # noqa: SLF001 # as above
            if self._wire.tagged_commands[tag] is not None:
                del self._wire.tagged_commands[tag]
                self.can_idle = False
                return None
        return tag

    def _end_idling(self, tag: bytes) -> None:
        self._wire.send(b"DONE\r\n")
        self._wire._command_complete("IDLE", tag)  # noqa: SLF001 # as above
        self._forget_chatter()

    def _sizes(self, uids: Sequence[int]) -> list[tuple[int, int]]:
        with faults(self._imap):
            found = self._client.fetch(list(uids), ["RFC822.SIZE"])
            sizes = ((uid, items.get(b"RFC822.SIZE")) for uid, items in sorted(found.items()))
            return [(uid, int(size)) for uid, size in sizes if size is not None]

    def _search(self, criteria: str) -> list[int]:
        with faults(self._imap):
            found = sorted(int(uid) for uid in self._client.search(criteria))
            self._forget_chatter()
            return found

    def _forget_chatter(self) -> None:
        """Drop what the server says in passing and nobody asks for, which imaplib would keep for ever."""
        said = self._wire.untagged_responses
        for kind in [kind for kind in said if kind not in {"EXISTS", "BYE"}]:
            del said[kind]

    def _has_unread(self) -> bool:
        """Whether something was received that the socket no longer shows: in Python's or TLS's buffer."""
        sock = self._client.socket()
        sock.settimeout(0)
        try:
            return bool(self._wire.file.peek(1))
        except (ssl.SSLWantReadError, BlockingIOError):
            return False
        finally:
            sock.settimeout(imap_login.READ_TIMEOUT)


def open_mailbox(imap: Imap, *, tokens: AccessTokens | None = None, now: datetime | None = None) -> Mailbox:
    """Connect, protect the connection, log in and select the folder; create the one for processed mails.

    `tokens` and `now` are needed where `imap.oauth` is given. Raises MailboxUnavailable or MailboxLoginRefused.
    """
    client = imap_login.log_in(imap, tokens, now)
    is_ready = False
    try:
        mailbox = Mailbox(client, imap)
        is_ready = True
        return mailbox
    finally:
        if not is_ready:
            with suppress(*FAULTS):
                client.shutdown()


def _find_or_create(client: Any, name: str) -> str:  # noqa: ANN401 # as above
    """Give the folder's full name: servers may want `INBOX.` before it (RFC 2342)."""
    if client.has_capability("NAMESPACE"):
        personal = client.namespace().personal
        prefix = personal[0][0] if personal else ""
        if not name.startswith(prefix):
            name = prefix + name
    if not client.folder_exists(name):
        try:
            client.create_folder(name)
        except IMAPClientAbortError:
            raise
        except IMAPClientError:
            return name  # reading goes on without it; moving will say what is wrong
    return name
