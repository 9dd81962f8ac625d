"""What goes wrong with a real IMAP server, and what it costs to look at one where nothing happens."""

import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest
from imapclient import IMAPClient

from service.config.settings import Imap
from service.mail import imap_login
from service.mail.imap import LONGEST_SESSION, PATIENCE_WITH_CHATTER
from service.mail.imap_connection import open_mailbox
from tests.mailservers.maildir import put_copies
from tests.mailservers.servers import MailServers
from tests.transport.proxy import Proxy, proxied
from tests.transport.rows import PATIENCE, Rows, mail, running

pytestmark = pytest.mark.mailservers

OLD = 100_000


@pytest.fixture
def imap(mail_servers: MailServers) -> Imap:
    return mail_servers.imap_for(mail_servers.new_address())


@pytest.fixture
def proxy(imap: Imap) -> Iterator[Proxy]:
    with proxied(imap.port) as running_proxy:
        yield running_proxy


def connected(imap: Imap) -> IMAPClient:
    client = IMAPClient(imap.host, imap.port, ssl=False, timeout=PATIENCE)
    client.plain_login(imap.username, imap.password.reveal())
    return client


def test_a_connection_that_is_dropped_silently_costs_a_slice_and_a_read_timeout(
    mail_servers: MailServers, imap: Imap, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imap_login, "READ_TIMEOUT", 0.5)
    rows = Rows()
    with running(rows.reader(replace(imap, port=proxy.port), idle_slice=0.2)):
        mail_servers.deliver(imap.username, mail("one"))
        rows.next_mail()
        proxy.fall_silent()
        mail_servers.deliver(imap.username, mail("two"))
        rows.next_mail()
    assert rows.subjects == ["one", "two"]
    assert proxy.connections == 2
    (warning,) = rows.warnings
    assert "timed out; connecting again in 0 s" in warning


@pytest.mark.parametrize("moment", ["idling", "searching"])
def test_a_farewell_is_followed_by_another_connection(
    mail_servers: MailServers, imap: Imap, proxy: Proxy, moment: str
) -> None:
    rows = Rows()
    idle_slice = 600 if moment == "idling" else 0.01
    with running(rows.reader(replace(imap, port=proxy.port), idle_slice=idle_slice)):
        mail_servers.deliver(imap.username, mail("one"))
        rows.next_mail()
        assert proxy.is_idling.wait(PATIENCE)
        proxy.say(b"* BYE server is shutting down\r\n")
        mail_servers.deliver(imap.username, mail("two"))
        rows.next_mail()
    assert rows.subjects == ["one", "two"]
    assert proxy.connections == 2
    assert "server is shutting down" in rows.warnings[0]


@pytest.mark.parametrize("fate", ["deleted", "renamed"])
def test_a_folder_that_is_made_anew_while_it_is_read_is_read_from_its_start(
    mail_servers: MailServers, imap: Imap, proxy: Proxy, fate: str
) -> None:
    imap = replace(imap, folder="Replies")
    same = mail("publish it")
    rows = Rows()
    with connected(imap) as client:
        for folder in ("Replies", "Another"):
            client.create_folder(folder)
        client.append("Another", same)
        with running(rows.reader(replace(imap, port=proxy.port), idle_slice=0.2)):
            client.append("Replies", same)
            first = rows.next_mail()
            proxy.is_idling.clear()
            assert proxy.is_idling.wait(PATIENCE)  # so it was moved
            if fate == "deleted":
                client.delete_folder("Replies")
            else:
                client.rename_folder("Replies", "Old")
            client.rename_folder("Another", "Replies")
            rows.now += LONGEST_SESSION  # Dovecot goes on to show the old one until we connect anew
            second = rows.next_mail()
    assert (first.uid, second.uid) == (1, 1)
    assert first.uidvalidity != second.uidvalidity
    assert first.raw == second.raw


def test_a_slice_costs_one_idle_and_one_search_and_switches_pushing_on_and_off(
    imap: Imap, proxy: Proxy
) -> None:
    rows = Rows()
    with running(rows.reader(replace(imap, port=proxy.port), idle_slice=0.05)):
        for _ in range(8):
            proxy.is_idling.clear()
            assert proxy.is_idling.wait(PATIENCE)
    slices = proxy.commands[proxy.commands.index("IDLE") :]
    searches = slices.count("SEARCH")
    assert searches >= 5
    assert slices[: 4 * searches - 1] == (["IDLE", "NOTIFY", "SEARCH", "NOTIFY"] * searches)[:-1]


class Pauses(threading.Event):
    """A `stop` that records pauses instead of spending them, and is set after some."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.spent: list[float] = []
        self._count = count

    def wait(self, timeout: float | None = None) -> bool:
        """Record a pause."""
        self.spent.append(timeout or 0.0)
        if len(self.spent) == self._count:
            self.set()
        return self.is_set()


def test_a_server_that_pushes_without_cause_does_not_keep_us_busy(imap: Imap) -> None:
    def chatter(answer: bytes) -> bytes:
        return answer + b"* OK still here\r\n" if answer.startswith(b"+ idling") else answer

    stop = Pauses(7)
    with proxied(imap.port, chatter) as proxy:
        Rows().reader(replace(imap, port=proxy.port), poll_pause=3.0).run(stop)
    assert stop.spent == [0.25, 0.5, 1.0, 2.0, 3.0, 3.0, 3.0]
    assert proxy.commands.count("IDLE") == PATIENCE_WITH_CHATTER + len(stop.spent)


def test_a_server_that_refuses_to_idle_is_polled(mail_servers: MailServers, imap: Imap) -> None:
    def misspell(line: bytes) -> bytes:
        return line.replace(b" IDLE", b" IDEL")

    rows = Rows()
    with (
        proxied(imap.port, alter_line=misspell) as proxy,
        running(rows.reader(replace(imap, port=proxy.port), idle_slice=600, poll_pause=0.05)),
    ):
        for subject in ("one", "two"):
            mail_servers.deliver(imap.username, mail(subject))
            rows.next_mail()
    assert rows.subjects == ["one", "two"]
    assert (proxy.connections, proxy.commands.count("IDLE")) == (1, 1)
    assert rows.warnings == []


def test_news_before_the_server_lets_us_idle_end_the_idling(mail_servers: MailServers, imap: Imap) -> None:
    def announce(answer: bytes) -> bytes:
        return answer.replace(b"+ idling", b"* 1 EXISTS\r\n+ idling")

    with proxied(imap.port, announce) as proxy:
        mailbox = open_mailbox(replace(imap, port=proxy.port))
        assert mailbox.await_news(threading.Event(), 600.0, 1)
        assert list(mailbox.uids_after(0)) == [[]]
        mailbox.hang_up()


def test_a_hundred_thousand_old_mails_do_not_slow_an_idle_poll_down(
    mail_servers: MailServers, imap: Imap
) -> None:
    # marked as deleted, as they stay on a server that knows neither MOVE nor UIDPLUS
    put_copies(mail_servers.dovecot.maildir(imap.username), mail("old"), OLD, flags="ST")
    rows = Rows()
    rows.last_uid = lambda *_: OLD  # type: ignore[method-assign] # they were taken before
    with proxied(imap.port) as proxy:
        reader = rows.reader(replace(imap, port=proxy.port))
        assert reader.poll_once() == 0
        proxy.lines.clear()
        assert reader.poll_once() == 0
        assert [line.split(maxsplit=1)[1] for line in proxy.lines] == [b"UID SEARCH UID 100001:*"]
        mail_servers.deliver(imap.username, mail("new"))
        assert reader.poll_once() == 1
        reader.close()
    assert rows.subjects == ["new"]
