"""A PostgreSQL that stands still: replies that mail servers hand over are put off soon, and count once in the end."""

import asyncio
import smtplib
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes

import httpx2
import psycopg
import pytest
from sqlalchemy import select

from service.mail.sandbox_client import SandboxMail, reply_to
from service.model import Phase
from service.store.database import open_store
from service.store.inbox_rows import Door, InboxState
from service.store.schema import inbox, timeline
from tests.faults.cluster import paused
from tests.faults.employee import ADDRESS
from tests.faults.one_incident import open_an_incident, phase_of_the_incident, until_phase
from tests.faults.process import PATIENCE, ServiceProcess
from tests.faults.scene import LOOK_AGAIN, Scene
from tests.mailservers.processes import LOOPBACK, free_port
from tests.rooms import OWN_ADDRESS
from tests.store.databases import needs_postgresql
from tests.store.postgres import Server

pytestmark = [pytest.mark.anyio, needs_postgresql, pytest.mark.xdist_group("processes")]

CROWD = 48
"""Mails at a time: more than there are threads to store them in, and as many as the door lets in."""
LEAVE = 4711
"""The number of a lock of PostgreSQL."""
WAIT_AT_COMMIT = f"""
CREATE FUNCTION wait_for_leave() RETURNS trigger LANGUAGE plpgsql SET lock_timeout = 0
    AS 'BEGIN PERFORM pg_advisory_xact_lock_shared({LEAVE}); RETURN NULL; END';
CREATE CONSTRAINT TRIGGER wait_for_leave AFTER INSERT ON inbox
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.door = 'mail') EXECUTE FUNCTION wait_for_leave();
"""
"""Lets the server be silent as it is to commit a mail, and commit it all the same later."""


@dataclass
class MailServer:
    """Hands mails over, as one does that keeps what was put off."""

    port: int
    asked: list[SandboxMail] = field(default_factory=list)
    """What the employee was sent."""

    def got(self, recipient: str, raw: bytes) -> None:
        """Hear of a mail that was sent to anybody."""
        if recipient == ADDRESS:
            self.asked.append(SandboxMail(1, OWN_ADDRESS, recipient, raw))

    async def reply(self) -> bytes:
        """Wait for the mail that asks, and write the reply that publishes."""
        async with asyncio.timeout(PATIENCE):
            while not self.asked:  # noqa: ASYNC110  the relay hears of it
                await asyncio.sleep(LOOK_AGAIN)
        return reply_to(self.asked[0], "publish", now=datetime.now(UTC))

    def hand_over(self, raw: bytes) -> str:
        """Hand a mail over once; gives the answer."""
        to = str(message_from_bytes(raw)["To"])
        try:
            with smtplib.LMTP(
                LOOPBACK, self.port, local_hostname="mx.acme.example", timeout=PATIENCE
            ) as line:
                line.sendmail(ADDRESS, [to], raw)
        except smtplib.SMTPDataError as refused:
            said = refused.smtp_error
            return f"{refused.smtp_code} {said if isinstance(said, str) else said.decode()}"
        return "250"

    async def hand_over_until_taken(self, raw: bytes) -> None:
        """Hand a mail over again and again."""
        async with asyncio.timeout(PATIENCE):
            while await asyncio.to_thread(self.hand_over, raw) != "250":  # noqa: ASYNC110  as above
                await asyncio.sleep(LOOK_AGAIN)


@pytest.fixture
def mail_server(scene: Scene) -> MailServer:
    made = MailServer(free_port())
    scene.door_port, scene.relay.told = made.port, made.got
    scene.write_config()
    return made


@pytest.fixture
async def service(scene: Scene, mail_server: MailServer) -> AsyncIterator[ServiceProcess]:
    """Give a service with one incident, which an employee must publish."""
    assert mail_server.port == scene.door_port
    async with (
        await ServiceProcess.start(scene.folder / "config.yaml", scene.log) as started,
        httpx2.AsyncClient(base_url=started.url, timeout=PATIENCE) as client,
    ):
        await open_an_incident(client, scene)
        yield started


@contextmanager
def no_mail_is_committed(address: str) -> Iterator[None]:
    """Let the server be silent whenever it is to commit a mail, until the block ends."""
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(WAIT_AT_COMMIT.encode())
        connection.execute("SELECT pg_advisory_lock(%s)", [LEAVE])
        yield


def mail_numbered(number: int) -> bytes:
    """Write a mail that orders nothing."""
    head = f"From: ana@reader.example\r\nTo: {OWN_ADDRESS}\r\nMessage-ID: <{number}@reader.example>\r\n"
    return f"{head}Subject: A question\r\n\r\nHow are you?\r\n".encode()


def mails_of(address: str) -> Counter[str]:
    """Count the mails that are stored, by their Message-IDs."""
    store = open_store(address)
    with store.reading() as connection:
        found = connection.execute(select(inbox.c.raw).where(inbox.c.door == Door.MAIL)).scalars().all()
    store.close()
    return Counter(str(message_from_bytes(raw)["Message-ID"]) for raw in found)


def times_published(address: str) -> int:
    store = open_store(address)
    with store.reading() as connection:
        reasons = connection.execute(select(timeline.c.reason)).scalars().all()
    store.close()
    return reasons.count("published")


def is_all_done(address: str) -> bool:
    store = open_store(address)
    with store.reading() as connection:
        states = set(connection.execute(select(inbox.c.state)).scalars())
    store.close()
    return InboxState.PENDING not in states


async def until_all_is_done(address: str) -> None:
    async with asyncio.timeout(PATIENCE):
        while not await asyncio.to_thread(is_all_done, address):  # noqa: ASYNC110  the service's doing
            await asyncio.sleep(LOOK_AGAIN)


async def test_replies_are_put_off_while_the_database_stands_still_and_each_counts_once(
    server: Server, scene: Scene, mail_server: MailServer, service: ServiceProcess
) -> None:
    mails = [await mail_server.reply(), *map(mail_numbered, range(1, CROWD))]
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(CROWD) as threads, paused(server):
        # the server goes on only after all of this was answered
        answers = await asyncio.gather(
            *(loop.run_in_executor(threads, mail_server.hand_over, one) for one in mails)
        )
        async with httpx2.AsyncClient(base_url=service.url, timeout=PATIENCE) as client:
            page = await client.get(f"/unsubscribe/{'a' * 26}")
    assert page.status_code == 503, "they hold up nobody who asks for a page"
    assert {answer[:10] for answer in answers} == {"451 4.3.0 "}
    for one in mails:
        await mail_server.hand_over_until_taken(one)
    await until_phase(scene, Phase.PUBLISHED)
    await until_all_is_done(scene.address)
    assert mails_of(scene.address) == Counter(str(message_from_bytes(one)["Message-ID"]) for one in mails)
    assert times_published(scene.address) == 1
    assert await service.stop() == 0


async def test_a_reply_that_was_put_off_and_stored_all_the_same_has_no_second_effect_when_it_comes_again(
    scene: Scene, mail_server: MailServer, service: ServiceProcess
) -> None:
    reply = await mail_server.reply()
    with no_mail_is_committed(scene.address):
        assert (await asyncio.to_thread(mail_server.hand_over, reply)).startswith("451 4.3.0 ")
        assert phase_of_the_incident(scene.address) is Phase.UNPUBLISHED
        assert mails_of(scene.address).total() == 0
    await until_phase(scene, Phase.PUBLISHED)
    await mail_server.hand_over_until_taken(reply)
    await until_all_is_done(scene.address)
    assert mails_of(scene.address).total() == 1
    assert times_published(scene.address) == 1
    assert await service.stop() == 0
