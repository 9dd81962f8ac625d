"""How long one look at a mailbox takes where nothing happens, by the number of old mails in it, on a real Dovecot.

Beside it stand what other programs do (SEARCH UNSEEN, with the old mails read and unread, and SELECT), and what
an idling reader costs the processor. Run it as root: `python -m bench.idle_poll [--cpu-seconds 20]`.
"""

import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import click
from imapclient import IMAPClient

from bench.peers.figures import cpu_seconds, percentile
from service import inbox
from service.config.settings import Imap
from service.mail.imap import FetchedMail, MailboxReader
from service.store.database import Store, open_store
from tests.mailservers.maildir import put_copies
from tests.mailservers.servers import MailServers, running_mail_servers

SIZES = (0, 1_000, 10_000, 100_000)
TIMES = 300
FEW_TIMES = 5
OLD = b"From: ana@acme.example\r\nTo: status@acme.example\r\nSubject: old\r\n\r\nold\r\n"
NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


@click.command()
@click.option("--cpu-seconds", default=20.0, help="How long to watch an idling reader; 0 leaves it out.")
def main(cpu_seconds: float) -> None:
    """Measure and print a table in milliseconds."""
    click.echo("old mails   idle poll p50 / p99   SEARCH UNSEEN read / unread   SELECT   (ms)")
    with running_mail_servers() as servers, new_store() as store:
        for count in SIZES:
            # marked as deleted, as they stay on a server that knows neither MOVE nor UIDPLUS
            imap = _mailbox_with(servers, count, flags="ST")
            unread = _mailbox_with(servers, count, flags="T")
            reader = _reader(imap, store, count)
            reader.poll_once()
            polls = _times(reader.poll_once, TIMES)
            reader.close()
            searches = [_peer(box, TIMES if count < max(SIZES) else FEW_TIMES) for box in (imap, unread)]
            (read, select), (unseen, _) = searches
            click.echo(
                f"{count:9,}   {median(polls):9.3f} / {percentile(polls, 99):.3f}"
                f"   {read:18.3f} / {unseen:.3f}   {select:13.3f}"
            )
        if cpu_seconds:
            reader = _reader(_mailbox_with(servers, 0, flags=""), store, 0)
            click.echo(f"an idling reader uses {_cpu_share(reader, cpu_seconds):.2%} of one processor")


@contextmanager
def new_store() -> Iterator[Store]:
    """Give a fresh database on the disk."""
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(f"sqlite:///{Path(folder) / 'bench.db'}")
        try:
            yield store
        finally:
            store.close()


def make_reader(imap: Imap, store: Store) -> MailboxReader:
    """Give the reader as the service builds it."""
    return MailboxReader(
        imap,
        last_uid=lambda account, folder, validity: inbox.last_uid(store, account, folder, validity),
        take=lambda mails: _ignore(inbox.receive_mails(store, mails, now=NOW)),
        notice=_ignore,
        warn=click.echo,
        clock=lambda: NOW,
    )


def _ignore(_: object) -> None:
    pass


def _mailbox_with(servers: MailServers, count: int, *, flags: str) -> Imap:
    address = servers.new_address()
    put_copies(servers.dovecot.maildir(address), OLD, count, flags=flags)
    return servers.imap_for(address)


def _reader(imap: Imap, store: Store, count: int) -> MailboxReader:
    """Give a reader that took all old mails long ago."""
    with _connected(imap) as client:
        validity = client.select_folder(imap.folder)[b"UIDVALIDITY"]
    last = FetchedMail(
        account=f"{imap.username}@{imap.host}",
        folder=imap.folder,
        uidvalidity=validity,
        uid=count,
        raw=imap.username.encode(),
        size=len(imap.username),
        truncated=False,
    )
    if count:
        inbox.receive_mails(store, [last], now=NOW)
    return make_reader(imap, store)


def _peer(imap: Imap, times: int) -> tuple[float, float]:
    with _connected(imap) as client:
        selects = _times(lambda: client.select_folder(imap.folder), FEW_TIMES)
        return median(_times(lambda: client.search("UNSEEN"), times)), median(selects)


def _connected(imap: Imap) -> IMAPClient:
    client = IMAPClient(imap.host, imap.port, ssl=False, timeout=60)
    client.plain_login(imap.username, imap.password.reveal())
    return client


def _times(act: Callable[[], object], count: int) -> list[float]:
    taken = []
    for _ in range(count):
        before = time.perf_counter()
        act()
        taken.append((time.perf_counter() - before) * 1000)
    return taken


def _cpu_share(reader: MailboxReader, seconds: float) -> float:
    stop = threading.Event()
    thread = threading.Thread(target=reader.run, args=(stop,))
    thread.start()
    time.sleep(1.0)  # connecting is not idling
    before = cpu_seconds(os.getpid())
    time.sleep(seconds)
    used = cpu_seconds(os.getpid()) - before
    stop.set()
    thread.join()
    return used / seconds


if __name__ == "__main__":
    main()
