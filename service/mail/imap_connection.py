"""One connection to one IMAP folder: look for mails and wait for news; `batches` fetches and moves them.

Every fault comes out as MailboxUnavailable or MailboxLoginRefused, never with a password or token in it. It
knows nothing of cursors or of what becomes of a mail, and no text of a mail ever gets into a command.
"""

import select
import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, Final

from imapclient.exceptions import IMAPClientAbortError, IMAPClientError

from service.config.settings import Imap
from service.errors import MailboxUnavailable
from service.mail import imap_login
from service.mail.imap_batches import FETCH_LIMIT, MOST_BYTES, SMALL, Batches, Part, portions
from service.mail.imap_faults import FAULTS, faults
from service.mail.oauth import AccessTokens

FEW: Final = MOST_BYTES // FETCH_LIMIT
"""Mails that need no question about their sizes first, since they cannot be more than may be held."""
STOP_CHECK: Final = 0.25
"""Seconds between two looks at `stop` while waiting for news."""
FEW_TO_CHECK: Final = 1_000
"""Mails in a folder that a server may be asked to look through again and again."""
MOST_BEFORE_A_MAIL: Final = 20
"""Lines that are read in search of the mail that news are about."""
_WITH_MAIL: Final = f"(SELECTED (MessageNew (UID RFC822.SIZE BODY.PEEK[]<0.{SMALL}>) MessageExpunge))"
_WITHOUT_MAIL: Final = "(SELECTED (MessageNew MessageExpunge))"
"""Whatever is pushed while something else is answered would be held by imaplib, however much it is."""
SEARCH_SPAN: Final = 50_000
"""UIDs that one search asks about: the answer is one line, and imaplib ends at 1,000,000 bytes."""


class Mailbox:
    """An open connection with the folder selected; `open_mailbox` makes it."""

    def __init__(self, client: Any, imap: Imap) -> None:  # noqa: ANN401 # IMAPClient has no type information
        self._client = client
        self._wire = client._imap  # noqa: SLF001 # IMAPClient has no public way to what was said in passing
        self._imap = imap
        with faults(imap):
            self.batches = Batches(client, imap, imap_login.find_or_create(client, imap.processed_folder))
            selected = client.select_folder(imap.folder)
            self.uidvalidity = int(selected.get(b"UIDVALIDITY", 0))
            self._uid_next = int(selected.get(b"UIDNEXT", 0))
            self._exists = int(selected.get(b"EXISTS", 0))
            self.can_idle = bool(client.has_capability("IDLE"))
            self._can_push = self.can_idle and bool(client.has_capability("NOTIFY"))
            self._may_check = self._exists <= FEW_TO_CHECK
        self.has_heard_of_more()  # of what SELECT counted, the first search tells
        if not self.uidvalidity:
            raise MailboxUnavailable(f"the mailbox {imap.host} gives no UIDVALIDITY for {imap.folder}")
        self._idling: bytes | None = None
        self._pushed: list[Part] = []

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
        (RFC 9051 section 7.4.1): a mail may come between a search and the end of its answer. What else was
        said in passing is forgotten, since imaplib would keep it for ever.
        """
        said = self._wire.untagged_responses
        has_more = "EXISTS" in said
        for kind in [kind for kind in said if kind != "BYE"]:
            del said[kind]
        return has_more

    def portions(self, uids: Sequence[int]) -> Iterator[Sequence[int]]:
        """Cut what was found into portions that may be fetched together, by number and by bytes."""
        large = self._search(f"UID {uids[0]}:{uids[-1]} LARGER {SMALL}") if len(uids) > FEW else uids
        return portions(uids, set(large))

    def await_news(self, stop: threading.Event, seconds: float, next_uid: int) -> bool:
        """Idle (RFC 2177) until the server says anything, `seconds` have passed or `stop` is set.

        The mail `next_uid` is asked for in the same breath as idling is ended, if the server did not send it with the
        news (NOTIFY, RFC 5465): `news` gives it, and where it came by itself we still idle, until `rouse`.

        Gives whether it said anything. What it says is not looked at: the next search tells. So a line in two
        segments, on which IMAPClient's idle_check goes wrong, does no harm, and the end of the connection
        comes up as a fault. From a server that refuses to idle, `can_idle` is False afterwards.
        """
        self.rouse()
        with faults(self._imap):
            self._keep_house()
            self._can_push = self._can_push and self._notify(_WITH_MAIL)
            tag = self._begin_idling()
            if tag is None:
                return False
            poller = select.poll()
            poller.register(self._client.socket().fileno(), select.POLLIN)
            asking = self.batches.prepare(next_uid)
            has_news = "EXISTS" in self._wire.untagged_responses or self._has_unread()
            waited = 0.0
            while not has_news and waited < seconds and not stop.is_set():
                pause = min(STOP_CHECK, seconds - waited)
                has_news = bool(poller.poll(pause * 1000))
                waited += pause
            if not stop.is_set():
                self._end_wait(tag, asking, next_uid if has_news else None)
            return has_news

    def news(self) -> list[Part]:
        """Give the mail that was expected when the wait ended, if it came."""
        pushed, self._pushed = self._pushed, []
        return pushed or self.batches.expected()

    def rouse(self) -> None:
        """End the idling that goes on after news, before a mail is moved; a search and a wait do so themselves."""
        if self._idling is None:
            return
        tag, self._idling = self._idling, None
        with faults(self._imap):
            self._end_idling(tag, b"")

    def hang_up(self) -> None:
        """Close the connection, from any thread: a read that hangs ends at once."""
        with suppress(*FAULTS):
            self._client.socket().shutdown(socket.SHUT_RDWR)
        with suppress(*FAULTS):
            self._client.shutdown()

    def _keep_house(self) -> None:
        """Let the server tidy the folder after a move while nobody waits for it (CHECK, RFC 3501 section 6.4.1).

        Else Dovecot does it, with a write to disk, when the next mail is asked for. A server that knows no such
        command, which RFC 9051 dropped, is not asked again.
        """
        if not self.batches.has_moved or not self._may_check:
            return
        self.batches.has_moved = False
        try:
            self._wire.check()
        except IMAPClientAbortError:
            raise
        except IMAPClientError:
            self._may_check = False

    def _begin_idling(self) -> bytes | None:
        tag: bytes = self._wire._command("IDLE")  # noqa: SLF001 # as above; idle() takes news before "+" for a fault
        while self._wire._get_response() is not None:  # noqa: SLF001 # as above; None is the "+"
            self._wire._check_bye()  # noqa: SLF001 # as above
            if self._wire.tagged_commands[tag] is not None:
                del self._wire.tagged_commands[tag]
                self.can_idle = False
                return None
        return tag

    def _end_wait(self, tag: bytes, asking: bytes, news_of: int | None) -> None:
        if news_of is None:
            self.batches.expect_none()
            self._end_idling(tag, b"")
        elif (pushed := self._read_pushed()) is not None and pushed.uid == news_of:
            self.batches.expect_none()
            self._pushed, self._idling = [pushed], tag
        else:
            self._end_idling(tag, asking)

    def _read_pushed(self) -> Part | None:
        """Read what is there already, up to the first mail."""
        for _ in range(MOST_BEFORE_A_MAIL if self._can_push else 0):
            if not self._has_unread():
                break
            self._wire._get_response()  # noqa: SLF001 # as above
            self._wire._check_bye()  # noqa: SLF001 # as above
            if "FETCH" in self._wire.untagged_responses:
                return self.batches.pushed()
        return None

    def _end_idling(self, tag: bytes, asking: bytes) -> None:
        # in one breath, since each piece of its own wakes the server up
        self._wire.send(b"DONE\r\n" + asking)
        while self._wire.tagged_commands[tag] is None:
            self._wire._get_response()  # noqa: SLF001 # as above
            self._wire._check_bye()  # noqa: SLF001 # as above
            # of very many mails that are pushed none is held: they are asked for in portions
            self._wire.untagged_responses.pop("FETCH", None)
        self._wire._command_complete("IDLE", tag)  # noqa: SLF001 # as above
        if self._can_push:
            self._notify(_WITHOUT_MAIL)

    def _notify(self, events: str) -> bool:
        """Say what we want to hear of without asking; False where the server does not do it."""
        try:
            kind, _ = self._wire.xatom("NOTIFY", "SET", events)
        except IMAPClientAbortError:
            raise
        except IMAPClientError:
            return False
        return bool(kind == "OK")

    def _search(self, criteria: str) -> list[int]:
        self.rouse()
        with faults(self._imap):
            return sorted(int(uid) for uid in self._client.search(criteria))

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
