"""The mailbox reader at IMAP servers that can do less than the sandbox's."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from service.errors import MailboxLoginRefused
from service.mail.sandbox import Sandbox
from tests.transport.proxy import proxied
from tests.transport.rows import Rows, mail, running, subjects_in

PutReply = Callable[[bytes], None]


def without(capability: bytes) -> Callable[[bytes], bytes]:
    """Take a capability out of everything that the server says."""
    return lambda answer: answer.replace(b" " + capability, b"")


def test_a_server_that_cannot_push_is_polled(sandbox: Sandbox, put_reply: PutReply) -> None:
    rows = Rows()
    with proxied(sandbox.imap.port, without(b"IDLE")) as proxy:
        reader = rows.reader(replace(sandbox.imap, port=proxy.port), idle_slice=600, poll_pause=0.05)
        with running(reader):
            for subject in ("one", "two"):
                put_reply(mail(subject))
                rows.next_mail()
    assert rows.subjects == ["one", "two"]


def test_without_move_mails_are_copied_and_expunged(sandbox: Sandbox, put_reply: PutReply) -> None:
    rows = Rows()
    put_reply(mail("one"))
    with proxied(sandbox.imap.port, without(b"MOVE")) as proxy:
        reader = rows.reader(replace(sandbox.imap, port=proxy.port))
        reader.poll_once()
        reader.close()
    assert subjects_in(sandbox.imap, "INBOX") == []
    assert subjects_in(sandbox.imap, "Processed") == ["one"]


def test_without_uidplus_nothing_is_expunged_and_nothing_is_copied_twice(
    sandbox: Sandbox, put_reply: PutReply
) -> None:
    rows = Rows()
    put_reply(mail("one"))

    def alter(answer: bytes) -> bytes:
        return without(b"MOVE")(without(b"UIDPLUS")(answer))

    with proxied(sandbox.imap.port, alter) as proxy:
        for _ in range(2):
            reader = rows.reader(replace(sandbox.imap, port=proxy.port))
            reader.poll_once()
            reader.close()
    assert subjects_in(sandbox.imap, "INBOX") == ["one"]
    assert subjects_in(sandbox.imap, "Processed") == ["one"]


def test_a_server_without_plain_authentication_gets_a_quoted_login(
    sandbox: Sandbox, put_reply: PutReply
) -> None:
    rows = Rows()
    put_reply(mail("one"))
    with proxied(sandbox.imap.port, without(b"AUTH=PLAIN")) as proxy:
        reader = rows.reader(replace(sandbox.imap, port=proxy.port))
        assert reader.poll_once() == 1
        reader.close()


def test_a_server_that_forbids_passwords_is_not_sent_one(sandbox: Sandbox) -> None:
    def alter(answer: bytes) -> bytes:
        return answer.replace(b" LITERAL+", b" LITERAL+ LOGINDISABLED")

    with proxied(sandbox.imap.port, alter) as proxy:
        reader = Rows().reader(replace(sandbox.imap, port=proxy.port))
        with pytest.raises(MailboxLoginRefused, match="set security to starttls or tls"):
            reader.poll_once()
