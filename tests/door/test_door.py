"""The second door: what it takes, what it refuses, and that a 250 means that the mail is on disk."""

import asyncio
import smtplib
import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from anyio import to_thread
from structlog.testing import capture_logs

from service.config.settings import Authenticity, Door, Policy, Profile, Protocol
from service.errors import StoreUnavailable
from service.mail.authenticity import Verdict, judge
from service.mail.door import MOST_CONNECTIONS, MOST_RECIPIENTS, SIZE_LIMIT, is_ours, open_door
from service.mail.imap_batches import FETCH_LIMIT
from tests.mailservers.processes import certificate

pytestmark = pytest.mark.anyio

OWN = "status@acme.example"
TAGGED = "status+mfrggzdfmztwq2lknnwg23tpob@acme.example"
RAW = b"From: jordan@acme.example\r\nSubject: Re: x\r\n\r\npublish\r\n"
LMTP = Door(Protocol.LMTP, "127.0.0.1", 0)


class Disk:
    """Stands in for the store; it may be full, or stand still."""

    def __init__(self) -> None:
        self.kept: list[tuple[bytes, int]] = []
        self.fault: Exception | None = None
        self.stands_still = False

    async def take(self, raw: bytes, size: int) -> None:
        """Keep a mail."""
        if self.stands_still:
            await asyncio.Event().wait()
        if self.fault is not None:
            raise self.fault
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


@pytest.mark.parametrize(
    ("fault", "level"),
    [
        (StoreUnavailable("the disk is full"), "warning"),
        (ValueError("nobody thought of this"), "error"),
        (OSError("input/output error"), "error"),
        (TimeoutError("a disk by way of the network"), "error"),
        (RecursionError(), "error"),
    ],
)
@pytest.mark.parametrize("protocol", Protocol)
async def test_what_cannot_be_stored_is_put_off_and_never_bounced(
    protocol: Protocol, fault: Exception, level: str
) -> None:
    """By a 5xx the sending server would give the mail up; after a 451 it keeps it and tries again."""
    disk = Disk()
    disk.fault = fault
    with capture_logs() as logged, pytest.raises(smtplib.SMTPDataError) as refused:
        await through(disk, send(TAGGED), Door(protocol, "127.0.0.1", 0))
    assert refused.value.smtp_code == 451
    assert [line["log_level"] for line in logged] == [level]
    assert TAGGED not in str(logged), "whoever reads the log could use the token"
    assert "jordan@" not in str(logged), "whoever reads the log need not know who writes"


async def test_what_was_put_off_is_taken_at_the_next_try() -> None:
    disk = Disk()

    def work(line: smtplib.SMTP) -> None:
        disk.fault = ValueError("nobody thought of this")
        with pytest.raises(smtplib.SMTPDataError):
            line.sendmail("jordan@acme.example", [TAGGED], RAW)
        disk.fault = None
        line.sendmail("jordan@acme.example", [TAGGED], RAW)

    await through(disk, work)
    assert len(disk.kept) == 1


@pytest.mark.parametrize("protocol", Protocol)
async def test_what_takes_too_long_to_store_is_put_off_and_the_next_mail_is_taken(
    protocol: Protocol, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.mail.door.PATIENCE", 0.05)
    disk = Disk()

    def work(line: smtplib.SMTP) -> str:
        disk.stands_still = True
        with pytest.raises(smtplib.SMTPDataError) as refused:
            line.sendmail("jordan@acme.example", [TAGGED], RAW)
        disk.stands_still = False
        line.sendmail("jordan@acme.example", [TAGGED], RAW)
        return f"{refused.value.smtp_code} {refused.value.smtp_error!r}"

    with capture_logs() as logged:
        said = await through(disk, work, Door(protocol, "127.0.0.1", 0))
    assert said.startswith("451 b'4.3.0 ")
    assert [line["reason"] for line in logged] == ["it could not be stored within 0.05 seconds"]
    assert len(disk.kept) == 1


@pytest.mark.parametrize(
    ("fault", "raw", "code"),
    [
        (None, RAW, 250),
        (ValueError("nobody thought of this"), RAW, 451),
        (None, RAW + b"y" * 2_000 + b"\r\n", 500),
        (None, RAW + b"y\r\n" * 2_000, 552),
    ],
)
async def test_by_lmtp_each_recipient_gets_an_answer_and_the_next_mail_its_own(
    monkeypatch: pytest.MonkeyPatch, fault: Exception | None, raw: bytes, code: int
) -> None:
    monkeypatch.setattr("service.mail.door.SIZE_LIMIT", 5_000)
    disk = Disk()
    disk.fault = fault

    def work(line: smtplib.SMTP) -> list[int]:
        line.ehlo_or_helo_if_needed()
        line.mail("jordan@acme.example")
        line.rcpt(OWN)
        line.rcpt(TAGGED)
        codes = [line.data(raw)[0], line.getreply()[0]]
        disk.fault = None
        return [*codes, *(() if send(TAGGED)(line) else (line.noop()[0],))]

    assert await through(disk, work) == [code, code, 250]


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


async def test_a_mail_handed_over_is_not_believed_by_the_stamp_of_exchange() -> None:
    """Whoever reaches the door can write that stamp; only in a mailbox at Microsoft it is Exchange's."""
    disk = Disk()
    written = (
        Path(__file__).parent.parent / "mail/authenticity/microsoft365_within_one_company.eml"
    ).read_bytes()
    await through(disk, send(TAGGED, raw=written))
    [(raw, _)] = disk.kept
    microsoft = Authenticity(Policy.REQUIRE, profile=Profile.MICROSOFT365)
    for taken, expected in ((written, Verdict.YES), (raw, Verdict.UNKNOWN)):
        now = datetime(2026, 11, 24, 9, tzinfo=UTC)
        found = judge(taken, "alice@acme.example", microsoft, lambda _: None, now=now, own_address=OWN)
        assert found.verdict is expected


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
