"""The mailbox reader against the sandbox's IMAP server, also through a proxy that spoils the connection."""

import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from service.config.settings import Secret, Security
from service.errors import MailboxLoginRefused, MailboxUnavailable, StoreUnavailable
from service.mail import imap_batches, imap_connection
from service.mail.imap import FetchedMail
from service.mail.imap_batches import FETCH_LIMIT, SMALL
from service.mail.imap_connection import FEW, open_mailbox
from service.mail.sandbox import Sandbox
from tests.transport.proxy import proxied
from tests.transport.rows import PATIENCE, Rows, mail, running, subjects_in

PutReply = Callable[[bytes], None]

ADDED = len(b"Return-Path: <ana@acme.example>\r\nDelivered-To: status@acme.example\r\n")
"""Bytes that the sandbox puts before a mail."""


def test_a_mail_is_taken_once_and_then_moved(sandbox: Sandbox, put_reply: PutReply) -> None:
    rows = Rows()
    reader = rows.reader(sandbox.imap)
    put_reply(mail("one"))
    assert (reader.poll_once(), reader.poll_once()) == (1, 0)
    reader.close()
    assert rows.subjects == ["one"]
    assert subjects_in(sandbox.imap, "INBOX") == []
    assert subjects_in(sandbox.imap, "Processed") == ["one"]


def test_many_mails_are_taken_in_the_order_of_arrival(sandbox: Sandbox, put_reply: PutReply) -> None:
    rows = Rows()
    reader = rows.reader(sandbox.imap)
    expected = [f"number {number}" for number in range(FEW * 2 + 3)]
    for subject in expected:
        put_reply(mail(subject))
    assert reader.poll_once() == len(expected)
    reader.close()
    assert rows.subjects == expected
    assert rows.batches == [len(expected)]


def test_mails_are_taken_in_batches_each_fetched_before_the_last_is_moved(
    sandbox: Sandbox, put_reply: PutReply, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imap_batches, "MOST_TOGETHER", 5)
    rows = Rows()
    expected = [f"number {number}" for number in range(12)]
    for subject in expected:
        put_reply(mail(subject))
    with proxied(sandbox.imap.port) as proxy:
        reader = rows.reader(replace(sandbox.imap, port=proxy.port))
        assert reader.poll_once() == 12
        reader.close()
    assert (rows.batches, rows.subjects) == ([5, 5, 2], expected)
    traffic = [command for command in proxy.commands if command in {"FETCH", "MOVE"}]
    assert traffic == ["FETCH", "FETCH", "MOVE", "FETCH", "MOVE", "MOVE"]
    assert subjects_in(sandbox.imap, "INBOX") == []
    assert subjects_in(sandbox.imap, "Processed") == expected


def test_large_mails_among_many_are_fetched_apart(
    sandbox: Sandbox, put_reply: PutReply, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imap_connection, "FEW", 2)
    monkeypatch.setattr(imap_batches, "MOST_BYTES", FETCH_LIMIT)
    rows = Rows()
    for number in range(6):
        put_reply(mail(f"number {number}").ljust(SMALL + 1 if number in {1, 4} else 200, b"x"))
    reader = rows.reader(sandbox.imap)
    assert reader.poll_once() == 6
    reader.close()
    assert rows.batches == [1, 1, 2, 1, 1]
    assert rows.subjects == [f"number {number}" for number in range(6)]


def test_a_search_over_more_mails_than_one_line_holds_is_cut(
    sandbox: Sandbox, put_reply: PutReply, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imap_connection, "SEARCH_SPAN", 3)
    rows = Rows()
    rows.last_uid = lambda *_: 104  # type: ignore[method-assign] # the first four UIDs of pymap are 101 to 104
    reader = rows.reader(sandbox.imap)
    for number in range(12):
        put_reply(mail(f"number {number}"))
    assert reader.poll_once() == 12
    reader.close()
    assert subjects_in(sandbox.imap, "INBOX") == []


def test_a_mail_that_the_server_will_not_give_does_not_hold_up_the_others(
    sandbox: Sandbox, put_reply: PutReply
) -> None:
    rows = Rows()
    for subject in ("one", "broken", "three"):
        put_reply(mail(subject))

    def misspell(line: bytes) -> bytes:  # the UIDs of pymap begin with 101
        return line.replace(b"FETCH", b"FETSH") if b"102" in line else line

    with proxied(sandbox.imap.port, alter_line=misspell) as proxy:
        reader = rows.reader(replace(sandbox.imap, port=proxy.port))
        assert (reader.poll_once(), reader.poll_once()) == (2, 0)
        reader.close()
    assert rows.subjects == ["one", "three"]
    assert subjects_in(sandbox.imap, "INBOX") == ["broken"]
    (warning,) = rows.warnings
    assert warning.startswith("mail 102 of INBOX stays there, for it cannot be fetched: ")


def test_a_last_mail_that_the_server_will_not_give_is_told_of_once(
    sandbox: Sandbox, put_reply: PutReply
) -> None:
    rows = Rows()
    put_reply(mail("broken"))
    with proxied(sandbox.imap.port, alter_line=lambda line: line.replace(b"FETCH", b"FETSH")) as proxy:
        reader = rows.reader(replace(sandbox.imap, port=proxy.port))
        assert (reader.poll_once(), reader.poll_once()) == (0, 0)
        reader.close()
    assert len(rows.warnings) == 1


@pytest.mark.parametrize("length", [FETCH_LIMIT - 1, FETCH_LIMIT, FETCH_LIMIT + 1, 900_000])
def test_no_more_than_256_kib_of_a_mail_are_fetched(
    sandbox: Sandbox, put_reply: PutReply, length: int
) -> None:
    rows = Rows()
    put_reply(mail("large").ljust(length - ADDED, b"x"))
    reader = rows.reader(sandbox.imap)
    reader.poll_once()
    reader.close()
    (kept,) = rows.rows.values()
    assert (len(kept.raw), kept.size) == (min(length, FETCH_LIMIT), length)
    assert kept.truncated == (length > FETCH_LIMIT)


def test_where_the_store_is_unavailable_nothing_is_moved(sandbox: Sandbox, put_reply: PutReply) -> None:
    rows = Rows()
    rows.is_available = False
    put_reply(mail("one"))
    reader = rows.reader(sandbox.imap)
    with pytest.raises(StoreUnavailable):
        reader.poll_once()
    assert subjects_in(sandbox.imap, "INBOX") == ["one"]
    rows.is_available = True
    assert reader.poll_once() == 1
    reader.close()
    assert subjects_in(sandbox.imap, "INBOX") == []


def test_the_batches_taken_before_the_store_failed_are_moved(
    sandbox: Sandbox, put_reply: PutReply, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imap_batches, "MOST_TOGETHER", 2)
    rows = Rows()

    def take(mails: Sequence[FetchedMail]) -> None:
        rows.is_available = not rows.rows
        rows.take(mails)

    for subject in ("one", "two", "three"):
        put_reply(mail(subject))
    reader = rows.reader(sandbox.imap, take=take)
    with pytest.raises(StoreUnavailable):
        reader.poll_once()
    reader.close()
    assert subjects_in(sandbox.imap, "INBOX") == ["three"]


def test_an_unavailable_store_is_tried_again_at_the_next_slice(sandbox: Sandbox, put_reply: PutReply) -> None:
    rows = Rows()
    rows.is_available = False
    put_reply(mail("one"))
    with running(rows.reader(sandbox.imap, idle_slice=0.1)):
        rows.next_refusal()
        rows.is_available = True
        rows.next_mail()
    assert rows.subjects == ["one"]
    assert any("stay in the mailbox" in warning for warning in rows.warnings)


def test_a_mail_that_was_taken_but_not_moved_is_moved_after_a_crash(
    sandbox: Sandbox, put_reply: PutReply
) -> None:
    rows = Rows()

    def take_and_crash(mails: Sequence[FetchedMail]) -> None:
        rows.take(mails)
        raise KeyboardInterrupt

    put_reply(mail("one"))
    crashing = rows.reader(sandbox.imap, take=take_and_crash)
    with pytest.raises(KeyboardInterrupt):
        crashing.poll_once()
    crashing.close()
    assert subjects_in(sandbox.imap, "INBOX") == ["one"]

    reader = rows.reader(sandbox.imap)
    reader.poll_once()
    reader.close()
    assert subjects_in(sandbox.imap, "INBOX") == []
    assert subjects_in(sandbox.imap, "Processed") == ["one"]
    assert rows.subjects == ["one"]


def test_replies_are_read_as_they_come(sandbox: Sandbox, put_reply: PutReply) -> None:
    rows = Rows()
    with running(rows.reader(sandbox.imap, idle_slice=600)):
        for subject in ("one", "two", "three"):
            put_reply(mail(subject))
            rows.next_mail()
    assert rows.subjects == ["one", "two", "three"]


def test_a_mail_that_is_announced_is_asked_for_at_once_and_only_once(
    sandbox: Sandbox, put_reply: PutReply
) -> None:
    rows = Rows()
    with proxied(sandbox.imap.port) as proxy:
        reader = rows.reader(replace(sandbox.imap, port=proxy.port), idle_slice=600)
        with running(reader):
            for subject in ("one", "two"):
                assert proxy.is_idling.wait(PATIENCE)
                put_reply(mail(subject))
                rows.next_mail()
    asked = [words for line in proxy.lines for words in re.findall(rb"DONE|UID SEARCH|UID FETCH 102", line)]
    assert rows.subjects == ["one", "two"]
    assert asked.count(b"UID FETCH 102") == 1
    assert asked[asked.index(b"UID FETCH 102") - 1] == b"DONE"


def test_a_mail_that_came_otherwise_than_expected_is_left_for_the_search(
    sandbox: Sandbox, put_reply: PutReply
) -> None:
    for subject in ("one", "two", "three"):
        put_reply(mail(subject))
    mailbox = open_mailbox(sandbox.imap)
    for asked, given in ((101, [101]), (102, [102]), (999, [])):
        mailbox._wire.send(mailbox.batches.prepare(asked))  # noqa: SLF001  as `await_news` does
        assert [part.uid for part in mailbox.batches.expected()] == given
    assert not mailbox.batches.expected()
    assert [part.uid for parts in mailbox.batches.fetch([[101, 103]]) for part in parts] == [101, 103]
    mailbox.hang_up()


def test_a_pushed_line_in_two_segments_needs_no_second_connection(
    sandbox: Sandbox, put_reply: PutReply
) -> None:
    rows = Rows()
    with proxied(sandbox.imap.port) as proxy:
        with running(rows.reader(replace(sandbox.imap, port=proxy.port), idle_slice=600)):
            for number in range(20):
                put_reply(mail(f"number {number}"))
                rows.next_mail()
                if proxy.was_split.is_set():
                    break
                assert proxy.is_idling.wait(PATIENCE)
                proxy.split_at = b" EXISTS"
        assert proxy.was_split.is_set()
        assert proxy.connections == 1


def test_a_connection_lost_while_idling_misses_nothing(sandbox: Sandbox, put_reply: PutReply) -> None:
    rows = Rows()
    with proxied(sandbox.imap.port) as proxy:
        put_reply(mail("one"))
        with running(rows.reader(replace(sandbox.imap, port=proxy.port), idle_slice=600)):
            rows.next_mail()
            assert proxy.is_idling.wait(PATIENCE)
            proxy.cut()
            put_reply(mail("two"))
            rows.next_mail()
        assert proxy.connections >= 2
    assert rows.subjects == ["one", "two"]


def test_a_wrong_password_is_a_refused_login_that_does_not_show_it(sandbox: Sandbox) -> None:
    wrong = "not the password"
    reader = Rows().reader(replace(sandbox.imap, password=Secret(wrong)))
    with pytest.raises(MailboxLoginRefused) as refusal:
        reader.poll_once()
    assert sandbox.imap.username in str(refusal.value)
    assert wrong not in str(refusal.value)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"port": 1}, "refused"),
        ({"host": "mail.invalid"}, "mail.invalid"),
        ({"folder": "No such folder"}, "not exist"),
        ({"security": Security.STARTTLS}, "STARTTLS"),
        ({"security": Security.TLS}, "SSL"),
    ],
)
def test_a_mailbox_that_cannot_be_read_says_why(
    sandbox: Sandbox, change: dict[str, object], reason: str
) -> None:
    reader = Rows().reader(replace(sandbox.imap, **change))  # type: ignore[arg-type] # a table of fields
    with pytest.raises(MailboxUnavailable, match=reason):
        reader.poll_once()


def test_stopping_while_idling_waits_for_no_slice(sandbox: Sandbox, put_reply: PutReply) -> None:
    rows = Rows()
    put_reply(mail("one"))
    with running(rows.reader(sandbox.imap, idle_slice=600)) as stop:
        rows.next_mail()
        stop.set()


def test_close_ends_a_read_from_a_server_that_fell_silent(sandbox: Sandbox) -> None:
    rows = Rows()
    with proxied(sandbox.imap.port) as proxy:
        reader = rows.reader(replace(sandbox.imap, port=proxy.port))
        reader.poll_once()
        proxy.fall_silent()
        faults: list[MailboxUnavailable] = []

        def poll() -> None:
            try:
                reader.poll_once()
            except MailboxUnavailable as fault:
                faults.append(fault)

        thread = threading.Thread(target=poll, daemon=True)
        thread.start()
        reader.close()
        thread.join(2.0)
        assert not thread.is_alive()
        assert len(faults) == 1


def test_only_a_read_that_succeeded_is_dated(sandbox: Sandbox) -> None:
    rows = Rows()
    good, bad = rows.reader(sandbox.imap), rows.reader(replace(sandbox.imap, port=1))
    good.poll_once()
    good.close()
    with pytest.raises(MailboxUnavailable):
        bad.poll_once()
    assert (good.last_success_at, bad.last_success_at) == (rows.now, None)
