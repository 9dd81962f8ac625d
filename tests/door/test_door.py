"""The second door: what it takes, what it refuses, and that a 250 means that the mail is on disk."""

import asyncio
import smtplib
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from anyio import to_thread

from service.config.settings import Door, Protocol
from service.errors import StoreUnavailable
from service.mail.door import MOST_CONNECTIONS, MOST_RECIPIENTS, SIZE_LIMIT, is_ours, open_door
from service.mail.imap_batches import FETCH_LIMIT
from tests.mailservers.processes import certificate

pytestmark = pytest.mark.anyio

OWN = "status@acme.example"
TAGGED = "status+mfrggzdfmztwq2lknnwg23tpob@acme.example"
RAW = b"From: jordan@acme.example\r\nSubject: Re: x\r\n\r\npublish\r\n"
LMTP = Door(Protocol.LMTP, "127.0.0.1", 0)


class Disk:
    """Stands in for the store; it may be full."""

    def __init__(self) -> None:
        self.kept: list[tuple[bytes, int]] = []
        self.is_full = False

    async def take(self, raw: bytes, size: int) -> None:
        """Keep a mail."""
        if self.is_full:
            raise StoreUnavailable("the disk is full")
        self.kept.append((raw, size))


async def through(disk: Disk, work: Callable[[smtplib.SMTP], Any], door: Door = LMTP) -> Any:  # noqa: ANN401  whatever the work gives
    """Let a mail server work at the door."""

    def connect(port: int) -> Any:  # noqa: ANN401  as above
        client = smtplib.LMTP if door.protocol is Protocol.LMTP else smtplib.SMTP
        line = client("127.0.0.1", port, local_hostname="mx.acme.example")
        try:
            return work(line)
        finally:
            line.close()  # without QUIT: smtplib reads one answer to DATA, where LMTP gives one for each recipient

    async with open_door(door, OWN, disk.take) as port:
        return await to_thread.run_sync(connect, port)


def send(*recipients: str, raw: bytes = RAW) -> Callable[[smtplib.SMTP], dict[str, tuple[int, bytes]]]:
    """Give the work of handing one mail over; it gives the recipients that were refused."""
    return lambda line: line.sendmail("jordan@acme.example", list(recipients), raw)


@pytest.mark.parametrize("protocol", Protocol)
async def test_a_mail_is_taken_with_the_address_it_was_for(protocol: Protocol) -> None:
    disk = Disk()
    assert await through(disk, send(TAGGED), Door(protocol, "127.0.0.1", 0)) == {}
    [(raw, size)] = disk.kept
    assert raw.startswith(f"Return-Path: <jordan@acme.example>\r\nDelivered-To: {TAGGED}\r\nFrom:".encode())
    assert size == len(RAW)


async def test_of_several_recipients_the_one_with_a_token_is_kept() -> None:
    disk = Disk()
    await through(disk, send(OWN, TAGGED))
    [(raw, _)] = disk.kept
    assert f"Delivered-To: {TAGGED}".encode() in raw


@pytest.mark.parametrize("stranger", ["ana@acme.example", "status@evil.example", "xstatus@acme.example"])
async def test_nothing_is_relayed(stranger: str) -> None:
    disk = Disk()
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        await through(disk, send(stranger))
    assert refused.value.recipients[stranger][0] == 550
    assert disk.kept == []


async def test_what_cannot_be_stored_is_not_accepted() -> None:
    disk = Disk()
    disk.is_full = True
    with pytest.raises(smtplib.SMTPDataError) as refused:
        await through(disk, send(TAGGED))
    assert refused.value.smtp_code == 451


async def test_a_mail_over_the_limit_is_refused() -> None:
    disk = Disk()
    with pytest.raises(smtplib.SMTPResponseException) as refused:
        await through(
            disk, send(TAGGED, raw=RAW + b"x" * 70 * 1 + (b"y" * 70 + b"\r\n") * (SIZE_LIMIT // 72 + 1))
        )
    assert refused.value.smtp_code == 552
    assert disk.kept == []


async def test_of_a_large_mail_as_much_is_kept_as_of_one_in_a_mailbox() -> None:
    disk = Disk()
    await through(disk, send(TAGGED, raw=RAW + (b"y" * 70 + b"\r\n") * 8_000))
    [(raw, size)] = disk.kept
    assert len(raw) == FETCH_LIMIT
    assert size > FETCH_LIMIT


async def test_too_many_recipients_are_put_off() -> None:
    recipients = [f"status+{number}@acme.example" for number in range(MOST_RECIPIENTS + 1)]
    refused = await through(Disk(), send(*recipients))
    assert {code for code, _ in refused.values()} == {452}
    assert len(refused) == 1


async def test_too_many_connections_are_put_off() -> None:
    async with open_door(LMTP, OWN, Disk().take) as port:
        lines = [await asyncio.open_connection("127.0.0.1", port) for _ in range(MOST_CONNECTIONS)]
        for reader, _ in lines:
            assert (await reader.readline()).startswith(b"220")
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        assert (await reader.readline()).startswith(b"421")
        for one in (writer, *(writer for _, writer in lines)):
            one.close()


@pytest.mark.parametrize("command", ["AUTH PLAIN AGEAYg==", "HELO x", "EXPN all", "NONSENSE", "DATA"])
async def test_what_is_out_of_place_is_refused_and_the_door_stays_open(command: str) -> None:
    disk = Disk()

    def work(line: smtplib.SMTP) -> int:
        line.ehlo_or_helo_if_needed()
        code = line.docmd(command)[0]
        line.sendmail("jordan@acme.example", [TAGGED], RAW)
        return code

    assert await through(disk, work) >= 500
    assert len(disk.kept) == 1


async def test_tls_is_offered_with_a_certificate(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    disk = Disk()
    context = ssl.create_default_context(cafile=str(cert))
    context.check_hostname = False

    def work(line: smtplib.SMTP) -> None:
        line.starttls(context=context)
        line.sendmail("jordan@acme.example", [TAGGED], RAW)

    await through(disk, work, Door(Protocol.SMTP, "127.0.0.1", 0, cert, key))
    assert len(disk.kept) == 1


@pytest.mark.parametrize(
    ("recipient", "is_so"),
    [
        (OWN, True),
        (TAGGED.upper(), True),
        ("status+b-abc@acme.example", True),
        ("statusx@acme.example", False),
        ("status@acme.example.evil.example", False),
        ("", False),
    ],
)
def test_our_addresses_are_known(recipient: str, *, is_so: bool) -> None:
    assert is_ours(recipient, OWN) is is_so
