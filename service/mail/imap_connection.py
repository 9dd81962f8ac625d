"""One connection to one IMAP folder: look for mails, fetch their beginnings, move them, wait for news.

Every fault comes out as MailboxUnavailable or MailboxLoginRefused, never with the password in it. It knows
nothing of cursors or of what becomes of a mail.
"""

import select
import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final

from imapclient import IMAPClient, SocketTimeout
from imapclient.exceptions import IMAPClientAbortError, IMAPClientError, LoginError

from service.config.settings import Imap, Security
from service.errors import MailboxLoginRefused, MailboxUnavailable

FETCH_LIMIT: Final = 256 * 1024
"""Bytes that are fetched of a mail at most."""
CONNECT_TIMEOUT: Final = 10.0
READ_TIMEOUT: Final = 30.0
STOP_CHECK: Final = 0.25
"""Seconds between two looks at `stop` while waiting for news."""
SEARCH_SPAN: Final = 50_000
"""UIDs that one search asks about: the answer is one line, and imaplib ends at 1,000,000 bytes."""

_KEEPALIVE: Final = (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4))
_NOT_THE_PASSWORD: Final = ("[UNAVAILABLE]", "[INUSE]", "[LIMIT]", "[SERVERBUG]")
"""Answers to a login that speak of the server (RFC 5530 section 3; RFC 9051 section 7.1)."""
_BODY: Final = f"BODY.PEEK[]<0.{FETCH_LIMIT}>"
_FAULTS: Final = (IMAPClientError, OSError, ValueError)
"""What IMAPClient raises: refusals and aborts, sockets and TLS, answers that cannot be parsed."""


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
        self._imap = imap
        with _faults(imap):
            self._filing_folder = _find_or_create(client, imap.processed_folder)
            selected = client.select_folder(imap.folder)
            self.uidvalidity = int(selected.get(b"UIDVALIDITY", 0))
            self._uid_next = int(selected.get(b"UIDNEXT", 0))
            self._exists = int(selected.get(b"EXISTS", 0))
            self.can_idle = bool(client.has_capability("IDLE"))
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
        _, told = self._client._imap.response("EXISTS")  # noqa: SLF001 # IMAPClient has no public way to ask
        return bool(told) and told[0] is not None

    def fetch(self, uids: Sequence[int]) -> list[Part]:
        """Fetch the first 256 KiB of each without marking it read; what has gone meanwhile is left out."""
        with _faults(self._imap):
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
        with _faults(self._imap):
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
                return f"read mails cannot be moved to {self._filing_folder}: {_plain(refusal, self._imap)}"
            return ""

    def await_news(self, stop: threading.Event, seconds: float) -> None:
        """Idle (RFC 2177) until the server says anything, `seconds` have passed or `stop` is set.

        What the server says is not looked at: the next search tells. So an end of the connection and a line
        in two segments, on which IMAPClient's idle_check goes wrong, come up as plain faults or not at all.
        """
        with _faults(self._imap):
            self._client.idle()
            poller = select.poll()
            poller.register(self._client.socket().fileno(), select.POLLIN)
            waited = 0.0
            while not self._has_unread() and waited < seconds and not stop.is_set():
                if poller.poll(STOP_CHECK * 1000):
                    break
                waited += STOP_CHECK
            if not stop.is_set():
                self._client.idle_done()

    def hang_up(self) -> None:
        """Close the connection, from any thread: a read that hangs ends at once."""
        with suppress(*_FAULTS):
            self._client.socket().shutdown(socket.SHUT_RDWR)
        with suppress(*_FAULTS):
            self._client.shutdown()

    def _search(self, criteria: str) -> list[int]:
        with _faults(self._imap):
            return sorted(int(uid) for uid in self._client.search(criteria))

    def _has_unread(self) -> bool:
        """Whether something was received that the socket no longer shows: in Python's or TLS's buffer."""
        sock = self._client.socket()
        sock.settimeout(0)
        try:
            return bool(self._client._imap.file.peek(1))  # noqa: SLF001 # IMAPClient has no public way to ask
        except (ssl.SSLWantReadError, BlockingIOError):
            return False
        finally:
            sock.settimeout(READ_TIMEOUT)


def open_mailbox(imap: Imap) -> Mailbox:
    """Connect, protect the connection, log in and select the folder; create the one for processed mails.

    Raises MailboxUnavailable or MailboxLoginRefused.
    """
    with _faults(imap):
        client = IMAPClient(
            imap.host,
            port=imap.port,
            ssl=imap.security is Security.TLS,
            timeout=SocketTimeout(connect=CONNECT_TIMEOUT, read=READ_TIMEOUT),
        )
    is_ready = False
    try:
        with _faults(imap):
            _tune(client.socket())
            if imap.security is Security.STARTTLS:
                client.starttls()
            _log_in(client, imap)
        mailbox = Mailbox(client, imap)
        is_ready = True
        return mailbox
    finally:
        if not is_ready:
            with suppress(*_FAULTS):
                client.shutdown()


def _log_in(client: Any, imap: Imap) -> None:  # noqa: ANN401 # as above
    if client.has_capability("LOGINDISABLED"):
        text = f"the mailbox {imap.host} takes no password unprotected: set security to starttls or tls"
        raise MailboxLoginRefused(text)
    try:
        if client.has_capability("AUTH=PLAIN"):  # any user name and password; LOGIN takes ASCII only
            client.plain_login(imap.username, imap.password.reveal())
        else:
            escaped = imap.username.replace("\\", "\\\\").replace('"', '\\"')
            client.login(f'"{escaped}"', imap.password.reveal())
    except LoginError as refusal:
        if isinstance(refusal.__context__, IMAPClientAbortError) or any(
            word in str(refusal) for word in _NOT_THE_PASSWORD
        ):
            raise
        text = f"the mailbox {imap.host} refused the login of {imap.username}: {_plain(refusal, imap)}"
        raise MailboxLoginRefused(text) from None


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


def _tune(sock: socket.socket) -> None:
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # imaplib sends a command in several pieces
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEPALIVE:
        if hasattr(socket, name):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


@contextmanager
def _faults(imap: Imap) -> Iterator[None]:
    try:
        yield
    except _FAULTS as fault:
        text = f"the mailbox {imap.host}:{imap.port} cannot be used: {_plain(fault, imap)}"
        raise MailboxUnavailable(text) from None


def _plain(fault: Exception, imap: Imap) -> str:
    text = str(fault) or type(fault).__name__
    password = imap.password.reveal()
    if password:
        text = text.replace(password, "***")
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())[:300]
