"""Stands in for the store: unique rows of mails, which can be unavailable, and a bounded wait for the next."""

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

from imapclient import IMAPClient

from service.config.settings import Imap
from service.errors import StoreUnavailable
from service.mail.imap import FetchedMail, MailboxReader

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
PATIENCE = 15.0
"""Seconds after which a test that waits has failed."""


Take = Callable[[Sequence[FetchedMail]], None]


class Rows:
    """What a store knows of the mails that were taken in."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str, int, int], FetchedMail] = {}
        self.batches: list[int] = []
        """How many mails were given each time."""
        self.now = NOW
        self.is_available = True
        self.notices: list[str] = []
        """What a person may want to know."""
        self.warnings: list[str] = []
        """What somebody should mend."""
        self._news: queue.Queue[FetchedMail | None] = queue.Queue()

    def take(self, mails: Sequence[FetchedMail]) -> None:
        """Keep each mail once, however often it is given."""
        self.batches.append(len(mails))
        if not self.is_available:
            self._news.put(None)
            raise StoreUnavailable("the database is locked")
        for mail in mails:
            key = (mail.account, mail.folder, mail.uidvalidity, mail.uid)
            if key not in self.rows:
                self.rows[key] = mail
                self._news.put(mail)

    def last_uid(self, account: str, folder: str, uidvalidity: int) -> int:
        """Give the greatest UID that was kept."""
        return max((key[3] for key in self.rows if key[:3] == (account, folder, uidvalidity)), default=0)

    def next_mail(self) -> FetchedMail:
        """Wait for the next mail that is kept."""
        while True:
            mail = self._news.get(timeout=PATIENCE)
            if mail is not None:
                return mail

    def next_refusal(self) -> None:
        """Wait until a mail was given while the store was unavailable."""
        while self._news.get(timeout=PATIENCE) is not None:
            pass

    @property
    def subjects(self) -> list[str]:
        """The subjects of the kept mails, in the order in which they were kept."""
        return [subject_of(mail.raw) for mail in self.rows.values()]

    def reader(
        self, imap: Imap, *, take: Take | None = None, idle_slice: float = 60.0, poll_pause: float = 0.1
    ) -> MailboxReader:
        """Make a reader that brings its mails here."""
        return MailboxReader(
            imap,
            last_uid=self.last_uid,
            take=take or self.take,
            notice=self.notices.append,
            warn=self.warnings.append,
            clock=lambda: self.now,
            idle_slice=idle_slice,
            poll_pause=poll_pause,
        )


@contextmanager
def running(reader: MailboxReader) -> Iterator[threading.Event]:
    """Run a reader in its thread; at the end it must stop within two seconds."""
    stop = threading.Event()
    thread = threading.Thread(target=reader.run, args=(stop,), daemon=True)
    thread.start()
    try:
        yield stop
    finally:
        stop.set()
        thread.join(2.0)
        assert not thread.is_alive(), "the reader did not stop"


def mail(subject: str, *, to: str = "status@acme.example", body: str = "publish") -> bytes:
    """Build a small mail."""
    return f"From: ana@acme.example\r\nTo: {to}\r\nSubject: {subject}\r\n\r\n{body}\r\n".encode()


def subject_of(raw: bytes) -> str:
    """Give the subject of a mail built by `mail`."""
    return raw.partition(b"Subject: ")[2].partition(b"\r\n")[0].decode()


def subjects_in(imap: Imap, folder: str) -> list[str]:
    """Look into a folder with a connection of one's own, changing nothing."""
    with IMAPClient(imap.host, imap.port, ssl=False, timeout=PATIENCE) as client:
        client.plain_login(imap.username, imap.password.reveal())
        client.select_folder(folder, readonly=True)
        uids = client.search("ALL")
        found = client.fetch(uids, ["BODY.PEEK[]"]) if uids else {}
        return [subject_of(found[uid][b"BODY[]"]) for uid in sorted(found)]
