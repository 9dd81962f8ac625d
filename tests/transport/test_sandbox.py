"""The embedded mail server: what it keeps, where it delivers, and that it leaves nothing running."""

import asyncio
import threading
from datetime import UTC, datetime

import pytest

from service.errors import RecipientRefused
from service.mail import sandbox as sandbox_module
from service.mail import sandbox_mailbox
from service.mail.sandbox import Sandbox
from service.mail.smtp import open_session
from tests.transport.rows import Rows, mail, subjects_in

pytestmark = pytest.mark.anyio

OWN_ADDRESS = "Status@acme.example"
NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


@pytest.fixture(params=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, bool]]:
    return "asyncio", {"use_uvloop": request.param == "uvloop"}


async def send(sandbox: Sandbox, *recipients: str, raw: bytes = mail("hello")) -> None:
    async with open_session(sandbox.smtp) as session:
        for recipient in recipients:
            await session.send(sender="ana@acme.example", recipient=recipient, message=raw)


async def test_only_mails_to_its_own_address_go_to_the_reply_mailbox() -> None:
    sandbox = await Sandbox.start(own_address=OWN_ADDRESS)
    own = ["status@acme.example", "status+TOKEN@acme.example", "STATUS+token@ACME.example"]
    others = ["ana@acme.example", "status@other.example", "status.x@acme.example"]
    await send(sandbox, *own, *others)
    rows = Rows()
    reader = rows.reader(sandbox.imap)
    assert await asyncio.to_thread(reader.poll_once) == 3
    reader.close()
    await sandbox.stop()
    delivered = [kept.raw.splitlines()[:2] for kept in rows.rows.values()]
    assert delivered == [
        [b"Return-Path: <ana@acme.example>", f"Delivered-To: {address}".encode()] for address in own
    ]
    assert [kept.recipient for kept in sandbox.mails] == others


async def test_an_answer_to_a_kept_mail_reaches_the_reply_mailbox() -> None:
    sandbox = await Sandbox.start(own_address=OWN_ADDRESS)
    ours = b"From: Acme Status <status@acme.example>\r\nReply-To: status+token@acme.example\r\n"
    await send(sandbox, "ana@acme.example", raw=ours + b"Subject: outage\r\n\r\nShall we?\r\n")
    await sandbox.send_reply(sandbox.mails[0], "publish", now=NOW)
    rows = Rows()
    reader = rows.reader(sandbox.imap)
    await asyncio.to_thread(reader.poll_once)
    reader.close()
    await sandbox.stop()
    (kept,) = rows.rows.values()
    assert b"Delivered-To: status+token@acme.example" in kept.raw
    assert b"\r\n\r\npublish\r\n\r\nOn" in kept.raw


async def test_no_installed_package_is_looked_for_to_let_anybody_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """What Python finds none of while it can open nothing, it holds for missing from then on."""

    def find_none(**_: object) -> tuple[()]:
        return ()

    monkeypatch.setattr("pysasl.entry_points", find_none)
    sandbox = await Sandbox.start(own_address=OWN_ADDRESS)
    reader = Rows().reader(sandbox.imap)
    try:
        await send(sandbox, "status@acme.example")
        assert await asyncio.to_thread(reader.poll_once) == 1
    finally:
        reader.close()
        await sandbox.stop()


async def test_only_the_newest_mails_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox_module, "MAILS_KEPT", 3)
    sandbox = await Sandbox.start(own_address=OWN_ADDRESS)
    for _ in range(5):
        await sandbox.put("status@acme.example", "ana@acme.example", mail("hello"))
    await sandbox.stop()
    assert [kept.number for kept in sandbox.mails] == [3, 4, 5]


async def test_only_the_newest_processed_replies_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox_mailbox, "KEPT", 2)
    sandbox = await Sandbox.start(own_address=OWN_ADDRESS)
    reader = Rows().reader(sandbox.imap)
    for number in range(4):
        await sandbox.put("ana@acme.example", OWN_ADDRESS, mail(f"number {number}"))
        await asyncio.to_thread(reader.poll_once)
    reader.close()
    await sandbox.put("ana@acme.example", OWN_ADDRESS, mail("not read yet"))
    kept = [await asyncio.to_thread(subjects_in, sandbox.imap, name) for name in ("Processed", "INBOX")]
    await sandbox.stop()
    assert kept == [["number 2", "number 3"], ["not read yet"]]


async def test_a_mail_over_one_mebibyte_is_refused_and_the_next_one_taken() -> None:
    sandbox = await Sandbox.start(own_address=OWN_ADDRESS)
    large = mail("large", body="0123456789\r\n" * 100_000)
    async with open_session(sandbox.smtp) as session:
        with pytest.raises(RecipientRefused, match="552"):
            await session.send(sender="", recipient="ana@acme.example", message=large)
        await session.send(sender="", recipient="ana@acme.example", message=mail("small"))
    await sandbox.stop()
    assert len(sandbox.mails) == 1


async def test_stopping_ends_every_connection_and_leaves_no_task() -> None:
    before = asyncio.all_tasks()
    sandbox = await Sandbox.start(own_address=OWN_ADDRESS)
    rows = Rows()
    stop = threading.Event()
    thread = threading.Thread(target=rows.reader(sandbox.imap).run, args=(stop,))
    thread.start()
    await sandbox.put("ana@acme.example", OWN_ADDRESS, mail("one"))
    await asyncio.to_thread(rows.next_mail)
    async with open_session(sandbox.smtp) as session:
        await sandbox.stop()
        assert asyncio.all_tasks() == before
        stop.set()
        await asyncio.to_thread(thread.join, 5.0)
        assert not session.is_open


async def test_a_taken_port_is_an_error_that_leaves_nothing_listening() -> None:
    first = await Sandbox.start(own_address=OWN_ADDRESS)
    before = asyncio.all_tasks()
    with pytest.raises(OSError, match=str(first.smtp.port)):
        await Sandbox.start(own_address=OWN_ADDRESS, smtp_port=first.smtp.port)
    assert asyncio.all_tasks() == before
    await first.stop()
