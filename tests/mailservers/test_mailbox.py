"""Reading replies from a real Dovecot, delivered by a real Postfix."""

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import pytest
from imapclient import IMAPClient

from service.config.settings import Imap, Secret, Security
from service.errors import MailboxLoginRefused, MailboxUnavailable, StoreUnavailable
from service.mail.imap import FetchedMail
from service.mail.imap_batches import FETCH_LIMIT, MOST_TOGETHER, Part
from service.mail.imap_connection import Mailbox, open_mailbox
from service.mail.smtp import open_session
from tests.mailservers.dovecot import PREFIXED
from tests.mailservers.maildir import put_mails
from tests.mailservers.servers import MailServers
from tests.transport.proxy import Proxy, proxied
from tests.transport.rows import PATIENCE, Rows, mail, running, subject_of, subjects_in

pytestmark = pytest.mark.mailservers

TOKEN = "mfrggzdfmztwq2lknnwg23tpob"


def read_once(rows: Rows, imap: Imap) -> int:
    """Read with a connection of its own."""
    reader = rows.reader(imap)
    try:
        return reader.poll_once()
    finally:
        reader.close()


def connected(imap: Imap) -> IMAPClient:
    client = IMAPClient(imap.host, imap.port, ssl=False, timeout=PATIENCE)
    client.plain_login(imap.username, imap.password.reveal())
    return client


def test_a_reply_through_postfix_keeps_its_token_and_is_moved(mail_servers: MailServers) -> None:
    address = mail_servers.new_address()
    tagged = address.replace("@", f"+{TOKEN}@")
    imap = mail_servers.imap_for(address)
    rows = Rows()

    async def send() -> None:
        async with open_session(mail_servers.smtp) as session:
            await session.send(sender="ana@acme.example", recipient=tagged, message=mail("Re: outage"))

    reader = rows.reader(imap)
    with running(reader):
        asyncio.run(send())
        kept = rows.next_mail()
    assert f"Delivered-To: {tagged}".encode() in kept.raw.splitlines()
    assert (kept.account, kept.folder) == (f"{address}@{imap.host}", "INBOX")
    assert read_once(rows, imap) == 0
    assert (subjects_in(imap, "INBOX"), subjects_in(imap, "Processed")) == ([], ["Re: outage"])


def test_a_mail_that_was_read_is_still_unread_for_people(mail_servers: MailServers) -> None:
    imap = mail_servers.imap_for(mail_servers.new_address())
    mail_servers.deliver(imap.username, mail("one"))
    read_once(Rows(), imap)
    with connected(imap) as client:
        client.select_folder("Processed", readonly=True)
        assert len(client.search("UNSEEN")) == 1


def test_news_end_the_idling_long_before_its_slice(mail_servers: MailServers) -> None:
    imap = mail_servers.imap_for(mail_servers.new_address())
    with proxied(imap.port) as proxy:
        mailbox = open_mailbox(replace(imap, port=proxy.port))
        thread = threading.Thread(target=mailbox.await_news, args=(threading.Event(), 600.0, 1), daemon=True)
        thread.start()
        assert proxy.is_idling.wait(PATIENCE)
        assert thread.is_alive()
        mail_servers.deliver(imap.username, mail("one"))
        thread.join(PATIENCE)
        assert not thread.is_alive()
        assert list(mailbox.uids_after(0)) == [[1]]
        mailbox.hang_up()


def test_news_that_come_with_the_answer_to_idle_are_seen(mail_servers: MailServers) -> None:
    imap = mail_servers.imap_for(mail_servers.new_address())
    mailbox = open_mailbox(imap)
    mail_servers.deliver(imap.username, mail("one"))
    thread = threading.Thread(target=mailbox.await_news, args=(threading.Event(), 600.0, 1), daemon=True)
    thread.start()
    thread.join(PATIENCE)
    assert not thread.is_alive()
    mailbox.hang_up()


def news_when(mailbox: Mailbox, proxy: Proxy, come: Callable[[], object], *, expected: int) -> list[Part]:
    """Let something come while the mailbox idles and expects a UID; gives what the news brought."""
    proxy.is_idling.clear()
    waiting = threading.Thread(
        target=mailbox.await_news, args=(threading.Event(), 600.0, expected), daemon=True
    )
    waiting.start()
    assert proxy.is_idling.wait(PATIENCE)
    come()
    waiting.join(PATIENCE)
    assert not waiting.is_alive()
    return mailbox.news()


@contextmanager
def watched(imap: Imap) -> Iterator[tuple[Mailbox, Proxy]]:
    """Open a mailbox of which is known what it says."""
    with proxied(imap.port) as proxy:
        mailbox = open_mailbox(replace(imap, port=proxy.port))
        yield mailbox, proxy
        mailbox.hang_up()


def test_a_mail_comes_with_its_news_and_is_not_asked_for(mail_servers: MailServers) -> None:
    imap = mail_servers.imap_for(mail_servers.new_address())
    with watched(imap) as (mailbox, proxy):
        for uid, subject in ((1, "one"), (2, "two")):
            come = partial(mail_servers.deliver, imap.username, mail(subject))
            [part] = news_when(mailbox, proxy, come, expected=uid)
            assert (part.uid, subject_of(part.raw)) == (uid, subject)
            assert proxy.is_idling.is_set()
            mailbox.rouse()
            assert (mailbox.batches.file_away([uid]), mailbox.batches.settle()) == ("", "")
            mailbox.has_heard_of_more()
        assert "FETCH" not in proxy.commands
    assert subjects_in(imap, "Processed") == ["one", "two"]


def test_whoever_does_nothing_about_news_can_wait_for_more(mail_servers: MailServers) -> None:
    imap = mail_servers.imap_for(mail_servers.new_address())
    with watched(imap) as (mailbox, proxy):
        for uid, subject in ((1, "one"), (2, "two")):
            come = partial(mail_servers.deliver, imap.username, mail(subject))
            [part] = news_when(mailbox, proxy, come, expected=uid)
            assert subject_of(part.raw) == subject
            mailbox.has_heard_of_more()
        assert list(mailbox.uids_after(0)) == [[1, 2]]


def test_a_mail_too_long_to_come_with_its_news_is_asked_for(mail_servers: MailServers) -> None:
    imap = mail_servers.imap_for(mail_servers.new_address())
    with watched(imap) as (mailbox, proxy):
        long = mail("one", body="publish\r\n" * 4_000)
        [part] = news_when(mailbox, proxy, partial(mail_servers.deliver, imap.username, long), expected=1)
        assert part.raw.count(b"publish") == 4_000
        assert proxy.commands.count("FETCH") == 1


def test_news_of_another_mail_than_was_expected_are_left_for_the_search(mail_servers: MailServers) -> None:
    imap = mail_servers.imap_for(mail_servers.new_address())
    with watched(imap) as (mailbox, proxy):
        come = partial(mail_servers.deliver, imap.username, mail("one"))
        assert news_when(mailbox, proxy, come, expected=7) == []
        assert [part.uid for parts in mailbox.batches.fetch(mailbox.uids_after(0)) for part in parts] == [1]


def test_very_many_mails_that_come_while_idling_are_all_taken_in_their_order(
    mail_servers: MailServers,
) -> None:
    imap, rows = mail_servers.imap_for(mail_servers.new_address()), Rows()
    subjects = [f"number {number}" for number in range(300)]
    with proxied(imap.port) as proxy, running(rows.reader(replace(imap, port=proxy.port), idle_slice=600)):
        assert proxy.is_idling.wait(PATIENCE)
        put_mails(mail_servers.dovecot.maildir(imap.username), map(mail, subjects))
        for _ in subjects:
            rows.next_mail()
    assert sorted(rows.subjects) == sorted(subjects)
    assert max(rows.batches) <= MOST_TOGETHER


def test_a_mail_that_could_not_be_stored_when_it_came_is_taken_later(mail_servers: MailServers) -> None:
    imap, rows = mail_servers.imap_for(mail_servers.new_address()), Rows()
    with proxied(imap.port) as proxy, running(rows.reader(replace(imap, port=proxy.port), idle_slice=1)):
        assert proxy.is_idling.wait(PATIENCE)
        rows.is_available = False
        mail_servers.deliver(imap.username, mail("one"))
        rows.next_refusal()
        assert subjects_in(imap, "INBOX") == ["one"]
        rows.is_available = True
        rows.next_mail()
    assert subjects_in(imap, "Processed") == ["one"]


def test_a_restart_of_the_server_misses_nothing(mail_servers: MailServers) -> None:
    imap = mail_servers.imap_for(mail_servers.new_address())
    rows = Rows()

    async def send() -> None:
        async with open_session(mail_servers.smtp) as session:
            await session.send(sender="", recipient=imap.username, message=mail("sent meanwhile"))

    with running(rows.reader(imap, idle_slice=600)):
        mail_servers.deliver(imap.username, mail("before"))
        rows.next_mail()
        mail_servers.dovecot.stop()
        try:
            asyncio.run(send())
        finally:
            mail_servers.dovecot.start()
        mail_servers.postfix.flush()
        mail_servers.deliver(imap.username, mail("after"))
        rows.next_mail()
        rows.next_mail()
    assert sorted(rows.subjects) == ["after", "before", "sent meanwhile"]
    assert any("connecting again" in warning for warning in rows.warnings)


def test_where_the_store_is_unavailable_nothing_is_moved_until_it_is_back(mail_servers: MailServers) -> None:
    imap = mail_servers.imap_for(mail_servers.new_address())
    rows = Rows()
    rows.is_available = False
    mail_servers.deliver(imap.username, mail("one"))
    with pytest.raises(StoreUnavailable):
        read_once(rows, imap)
    assert subjects_in(imap, "INBOX") == ["one"]
    with running(rows.reader(imap, idle_slice=0.2)):
        rows.next_refusal()
        rows.is_available = True
        rows.next_mail()
    assert rows.subjects == ["one"]


def test_a_crash_between_taking_and_moving_is_made_good(mail_servers: MailServers) -> None:
    imap = mail_servers.imap_for(mail_servers.new_address())
    rows = Rows()

    def take_and_crash(fetched: Sequence[FetchedMail]) -> None:
        rows.take(fetched)
        raise KeyboardInterrupt

    mail_servers.deliver(imap.username, mail("one"))
    crashing = rows.reader(imap, take=take_and_crash)
    with pytest.raises(KeyboardInterrupt):
        crashing.poll_once()
    crashing.close()
    mail_servers.deliver(imap.username, mail("two"))
    read_once(rows, imap)
    assert rows.subjects == ["one", "two"]
    assert (subjects_in(imap, "INBOX"), subjects_in(imap, "Processed")) == ([], ["one", "two"])


def test_a_large_mail_is_cut_at_256_kib(mail_servers: MailServers) -> None:
    imap = mail_servers.imap_for(mail_servers.new_address())
    rows = Rows()
    mail_servers.deliver(imap.username, mail("large", body="0123456789\r\n" * 40_000))
    read_once(rows, imap)
    (kept,) = rows.rows.values()
    assert (len(kept.raw), kept.truncated) == (FETCH_LIMIT, True)
    assert kept.size > 480_000


def test_a_folder_that_was_made_anew_is_read_from_its_start(mail_servers: MailServers) -> None:
    address = mail_servers.new_address()
    imap = replace(mail_servers.imap_for(address), folder="Replies")
    rows = Rows()
    for subject in ("first life", "second life"):
        with connected(imap) as client:
            if client.folder_exists("Replies"):
                client.delete_folder("Replies")
            client.create_folder("Replies")
            client.append("Replies", mail(subject))
        assert read_once(rows, imap) == 1
    assert rows.subjects == ["first life", "second life"]
    first, second = rows.rows.values()
    assert first.uidvalidity != second.uidvalidity


def test_a_server_that_wants_a_prefix_gets_its_folder_below_it(mail_servers: MailServers) -> None:
    imap = mail_servers.imap_for(f"{PREFIXED}@acme.example")
    mail_servers.deliver(imap.username, mail("one"))
    read_once(Rows(), imap)
    assert subjects_in(imap, "INBOX.Processed") == ["one"]


def test_where_mails_cannot_be_moved_they_are_read_all_the_same(mail_servers: MailServers) -> None:
    imap = replace(mail_servers.imap_for(mail_servers.new_address()), processed_folder="no/such.\x01")
    rows = Rows()
    for subject in ("one", "two"):
        mail_servers.deliver(imap.username, mail(subject))
        read_once(rows, imap)
    assert rows.subjects == ["one", "two"]
    assert subjects_in(imap, "INBOX") == ["one", "two"]
    assert any("cannot be moved" in warning for warning in rows.warnings)


@pytest.mark.parametrize("security", list(Security))
def test_a_mailbox_is_read_with_each_kind_of_protection(
    mail_servers: MailServers, trust: None, security: Security
) -> None:
    imap = mail_servers.imap_for(mail_servers.new_address(), security=security)
    rows = Rows()
    with running(rows.reader(imap, idle_slice=600)):
        for subject in ("one", "two"):
            mail_servers.deliver(imap.username, mail(subject))
            rows.next_mail()
    assert rows.subjects == ["one", "two"]


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
def test_a_certificate_that_nobody_vouches_for_makes_the_mailbox_unavailable(
    mail_servers: MailServers, security: Security
) -> None:
    with pytest.raises(MailboxUnavailable, match="certificate"):
        read_once(Rows(), mail_servers.imap_for("ana@acme.example", security=security))


def test_a_wrong_password_is_a_refused_login(mail_servers: MailServers) -> None:
    imap = replace(mail_servers.imap_for("ana@acme.example"), password=Secret("wrong wörd"))
    with pytest.raises(MailboxLoginRefused, match=r"ana@acme\.example") as fault:
        read_once(Rows(), imap)
    assert "wrong wörd" not in str(fault.value)
