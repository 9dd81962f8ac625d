"""Reads replies from the IMAP mailbox, in a thread of its own, and files away what was taken in.

Mails are moved only after `take` has returned, so what a crash leaves behind is taken again and never lost.
It does not look into mails, and no text of a mail ever gets into a command.
"""

import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from service.config.settings import Imap
from service.errors import MailboxUnavailable
from service.mail.imap_batches import FETCH_LIMIT, Part
from service.mail.imap_connection import FEW, STOP_CHECK, Mailbox, open_mailbox
from service.mail.mailbox_loop import keep_reading
from service.mail.oauth import AccessTokens

MOST_LOOKS: Final = 10
"""Searches in one pass: mails that keep coming, or a server that keeps announcing some, wait for the next."""
IDLE_SLICE: Final = 60.0
"""Seconds after which the mailbox is looked at although nothing was pushed: a lost push costs no more."""
FIRST_SLICE: Final = 1.0
"""Seconds of the first slice after mails came; each is twice the last one. Replies come in clusters, and some
servers (pymap, the sandbox's) never push what arrived between our search and our idling."""
POLL_PAUSE: Final = 15.0
"""Seconds between two looks where the server cannot push, and at most where it pushes without cause."""
STANDBY_PAUSE: Final = 1.0
"""Seconds between two questions whether it is our turn to read, while it is another one's."""
LONGEST_SESSION: Final = timedelta(hours=1)
"""After it we connect anew: of a folder that was renamed or made anew a server may go on to show the old one."""
GIVE_WAY: Final = 0.01
"""Seconds for which filing away waits after a few mails: Python runs one thread at a time, and whoever decides about
them shall not share its time with us."""
PATIENCE_WITH_CHATTER: Final = 5
"""Pushes in a row that brought no mail; after them each is answered later, so that none keeps us busy."""


@dataclass(frozen=True, slots=True)
class FetchedMail:
    """A mail as the server gave it; (account, folder, uidvalidity, uid) names it for ever."""

    account: str
    """`username@host`."""
    folder: str
    uidvalidity: int
    uid: int
    raw: bytes
    """The whole, or its first 256 KiB where `truncated`."""
    size: int
    """Of the whole, in bytes, as the server says."""
    truncated: bool
    is_news: bool = False
    """It came while we waited for news of it; what we find after a fault or a start did not."""


class MailboxReader:
    """Brings every mail of the folder to `take` at least once, in the order of arrival.

    `last_uid(account, folder, uidvalidity)` says up to where mails were taken before (0: none). `take` gets
    up to 256 mails and 4 MiB at a time, must have all of them on disk when it returns or none, and must bear
    being given the same mail again; both may raise StoreUnavailable. `notice` is told, in one sentence, what
    a person may want to know, `warn` what somebody should mend. `clock` dates `last_success_at` and the
    access tokens; while `may_read` says no, `run` leaves the mailbox to another one, and it may raise
    StoreUnavailable; `idle_slice` and `poll_pause` are seconds.
    """

    def __init__(
        self,
        imap: Imap,
        *,
        last_uid: Callable[[str, str, int], int],
        take: Callable[[Sequence[FetchedMail]], None],
        notice: Callable[[str], None],
        warn: Callable[[str], None],
        clock: Callable[[], datetime],
        may_read: Callable[[], bool] = lambda: True,
        idle_slice: float = IDLE_SLICE,
        poll_pause: float = POLL_PAUSE,
    ) -> None:
        self.last_success_at: datetime | None = None
        """When the mailbox was last read to its end; None before that."""
        self._imap = imap
        self._account = f"{imap.username}@{imap.host}"
        self._last_uid = last_uid
        self._take = take
        self._notice = notice
        self._warn = warn
        self._clock = clock
        self._may_read = may_read
        self._tokens = AccessTokens(imap.oauth, username=imap.username) if imap.oauth else None
        self._idle_slice = idle_slice
        self._poll_pause = poll_pause
        self._next_slice = FIRST_SLICE
        self._pushes_in_vain = 0
        self._stop = threading.Event()
        self._mailbox: Mailbox | None = None
        self._connected_at = datetime.min.replace(tzinfo=UTC)
        self._looked_for_leftovers = False
        self._move_refused = ""
        self._warned: set[str] = set()
        self._read_up_to = (0, 0)

    def run(self, stop: threading.Event) -> None:
        """Read until `stop` is set, whatever the server does, then hang up.

        It ends within a second of `stop`; from a server that has just fallen silent it ends with the read
        time-out (30 s) or as soon as `close` is called from another thread.
        """
        self._stop = stop
        keep_reading(poll=self._poll_in_turn, wait=self._wait, hang_up=self.close, stop=stop, warn=self._warn)

    def _poll_in_turn(self) -> None:
        if self._may_read():
            self.poll_once()
        else:
            self.close()
            self._stop.wait(STANDBY_PAUSE)

    def poll_once(self) -> int:
        """Connect if needed, take and move what is there, and give how many mails were taken.

        Raises MailboxUnavailable and MailboxLoginRefused, after which the next call connects anew, and
        StoreUnavailable, after which the mails not yet taken are still in their place.
        """
        now = self._clock()
        if self._mailbox is not None and now - self._connected_at >= LONGEST_SESSION:
            self.close()
        mailbox = self._mailbox or self._connect(now)
        cursor = self._cursor(mailbox)
        try:
            taken = self._take_leftovers(mailbox, cursor)
            taken += self._take_new(mailbox, cursor)
        except MailboxUnavailable:
            self.close()
            raise
        if taken:
            self._next_slice = FIRST_SLICE
            self._pushes_in_vain = 0
        self.last_success_at = self._clock()
        return taken

    def close(self) -> None:
        """Hang up, from any thread; a read that hangs ends at once."""
        mailbox, self._mailbox = self._mailbox, None
        if mailbox is not None:
            mailbox.hang_up()

    def _connect(self, now: datetime) -> Mailbox:
        mailbox = open_mailbox(self._imap, tokens=self._tokens, now=now)
        self._mailbox, self._connected_at = mailbox, now
        self._looked_for_leftovers = False
        self._warned.clear()
        self._next_slice = FIRST_SLICE
        self._notice(f"reading replies from {self._imap.folder} of {self._account}")
        return mailbox

    def _cursor(self, mailbox: Mailbox) -> int:
        """Ask up to where mails were taken once per connection: after that nobody but us takes any."""
        uidvalidity, read_up_to = self._read_up_to
        if uidvalidity != mailbox.uidvalidity:
            read_up_to = 0
        if not self._looked_for_leftovers:
            stored = self._last_uid(self._account, self._imap.folder, mailbox.uidvalidity)
            self._read_up_to = (mailbox.uidvalidity, max(stored, read_up_to))
        return self._read_up_to[1]

    def _take_leftovers(self, mailbox: Mailbox, cursor: int) -> int:
        """Once per connection, take again and move what was taken before but not moved."""
        if self._looked_for_leftovers:
            return 0
        count = 0
        with closing(self._taken(mailbox, mailbox.uids_up_to(cursor))) as batches:
            for parts in batches:
                count += len(parts)
                if self._move_refused:
                    break
        self._looked_for_leftovers = True
        return count

    def _take_new(self, mailbox: Mailbox, cursor: int) -> int:
        """Take until a search finds nothing and nothing came meanwhile, so that idling misses nothing."""
        count = 0
        if news := mailbox.news():
            self._take_parts(mailbox, news, are_news=True)
            count, cursor = len(news), news[-1].uid
            self._read_up_to = (mailbox.uidvalidity, cursor)
        for _ in range(MOST_LOOKS):
            mailbox.has_heard_of_more()
            before = count
            for parts in self._taken(mailbox, mailbox.uids_after(cursor)):
                count += len(parts)
                cursor = parts[-1].uid
                self._read_up_to = (mailbox.uidvalidity, cursor)
            if count == before and not mailbox.has_heard_of_more():
                break
        return count

    def _taken(self, mailbox: Mailbox, found: Iterable[Sequence[int]]) -> Generator[Sequence[Part]]:
        """Take batch after batch, giving each once it is taken and its move has begun."""
        with closing(mailbox.batches.fetch(self._portions(mailbox, found))) as batches:
            for parts in filter(None, batches):
                self._take_parts(mailbox, parts)
                yield parts
        self._warn_once(mailbox.batches.settle())
        self._warn_once(mailbox.batches.complaint)

    def _take_parts(self, mailbox: Mailbox, parts: Sequence[Part], *, are_news: bool = False) -> None:
        """Have mails taken, and begin to move them."""
        self._take([self._fetched(mailbox, part, is_news=are_news) for part in parts])
        if len(parts) <= FEW:
            self._stop.wait(GIVE_WAY)
        mailbox.rouse()
        self._move_refused = mailbox.batches.file_away([part.uid for part in parts])
        self._warn_once(self._move_refused)

    def _portions(self, mailbox: Mailbox, found: Iterable[Sequence[int]]) -> Iterator[Sequence[int]]:
        """Cut what was found into portions, ending early where `stop` is set."""
        for uids in filter(None, found):
            for portion in mailbox.portions(uids):
                if self._stop.is_set():
                    return
                yield portion

    def _warn_once(self, refusal: str) -> None:
        """Warn of what the server refuses once a connection, for it will be refused again and again."""
        if refusal and refusal not in self._warned:
            self._warned.add(refusal)
            self._warn(refusal)

    def _fetched(self, mailbox: Mailbox, part: Part, *, is_news: bool) -> FetchedMail:
        return FetchedMail(
            account=self._account,
            folder=self._imap.folder,
            uidvalidity=mailbox.uidvalidity,
            uid=part.uid,
            raw=part.raw,
            size=part.size,
            truncated=len(part.raw) >= FETCH_LIMIT and part.size > FETCH_LIMIT,
            is_news=is_news,
        )

    def _wait(self) -> None:
        mailbox = self._mailbox
        if mailbox is None:
            return
        if not mailbox.can_idle:
            self._stop.wait(self._poll_pause)
            return
        seconds = min(self._next_slice, self._idle_slice)
        self._next_slice = seconds * 2
        is_news = mailbox.await_news(self._stop, seconds, self._read_up_to[1] + 1)
        if not is_news:
            self._pushes_in_vain = 0
            return
        self._pushes_in_vain += 1
        if self._pushes_in_vain > PATIENCE_WITH_CHATTER:
            excess = min(self._pushes_in_vain - PATIENCE_WITH_CHATTER, 30)
            self._stop.wait(min(STOP_CHECK * 2.0 ** (excess - 1), self._poll_pause))
