"""A real Postfix hands replies over to the door of the real service: at once, late, twice, or not at all."""

import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import anyio
import httpx2
import pytest
from anyio import to_thread

from service.app import wall_clock
from service.app.building import build
from service.app.service import Service
from service.config import Mail, parse
from service.config.settings import Door, Protocol
from service.mail.smtp import open_session
from service.mail.tokens import make_token, reply_address
from service.model import Phase
from service.store import deliveries, inbox_rows, incidents, narrative
from tests.faults.process import PATIENCE
from tests.mailservers.processes import LOOPBACK, free_port
from tests.mailservers.servers import MailServers
from tests.rooms import CONFIG, OWN_ADDRESS
from tests.transport.proxy import proxied
from tests.transport.rows import Rows, running

pytestmark = [pytest.mark.mailservers, pytest.mark.anyio]

AT_ONCE = CONFIG.replace("wait_time: 5m", "wait_time: 0").replace("[jordan, sam]", "[jordan]")
LOOK_AGAIN = 0.05
TICK = 1.0
"""Seconds after which `replycast serve` looks for what is due even if nothing wakes it."""
PUT_OFF = "said: 451 4.3.0 it cannot be stored just now, try again"
ON_DISK = b"250 2.0.0 Ok: it is on disk"


@dataclass
class Desk:
    """The service with its door, which can be shut and opened again, and the employee who answers."""

    folder: Path
    servers: MailServers
    employee: str
    door: Door

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Service]:
        """Run the service as `replycast serve` builds it, on the same database each time."""
        config = parse(AT_ONCE.replace("jordan@acme.example", self.employee), self.folder / "config.yaml", {})
        mail = Mail("Acme Status", OWN_ADDRESS, self.servers.smtp, None, door=self.door)
        config = replace(config, mail=mail, database=f"sqlite:///{self.folder}/replycast.db")
        async with build(config, wall_clock) as service:
            yield service

    async def send(self, to: str, text: str = "publish") -> None:
        """Let Postfix take a mail of the employee."""
        head = f"From: {self.employee}\r\nTo: {to}\r\nMessage-ID: <{to}>\r\nSubject: Re: x\r\n\r\n"
        async with open_session(self.servers.smtp) as session:
            await session.send(sender=self.employee, recipient=to, message=f"{head}{text}\r\n".encode())


@pytest.fixture
def postfix_routes(mail_servers: MailServers) -> Iterator[Callable[[dict[str, str]], None]]:
    """Route addresses until the test ends."""
    yield mail_servers.postfix.route
    mail_servers.postfix.route({})


@pytest.fixture
def desk(mail_servers: MailServers, tmp_path: Path) -> Desk:
    door = Door(Protocol.LMTP, LOOPBACK, free_port())
    return Desk(tmp_path, mail_servers, mail_servers.new_address(), door)


def lmtp(port: int) -> str:
    return f"lmtp:inet:{LOOPBACK}:{port}"


async def ask(service: Service) -> str:
    """Let a monitor fire and the employee be written to; give the address that answers go to."""
    transport = httpx2.ASGITransport(app=service.web)
    async with httpx2.AsyncClient(transport=transport, base_url=service.house.config.site.url) as client:
        post = json.dumps({"monitorName": "Email Server", "state": "CRITICAL"})
        assert (await client.post("/webhook/victorops", content=post)).status_code == 202
    await service.settle()
    with service.house.store.reading() as connection:
        (asked,) = deliveries.of_incident_to_employees(connection, 1)
    return reply_address(OWN_ADDRESS, make_token(service.house.key, asked.public_id))


def phases(service: Service) -> list[Phase]:
    with service.house.store.reading() as connection:
        return [incident.phase for incident in incidents.listed(connection, limit=10)]


def reasons(service: Service) -> list[str]:
    with service.house.store.reading() as connection:
        return [str(entry.reason) for entry in narrative.timeline_of(connection, 1)]


def mails_taken_in(service: Service) -> int:
    with service.house.store.reading() as connection:
        rows = inbox_rows.listed(connection, limit=10)
    return sum(row.door is inbox_rows.Door.MAIL for row in rows)


async def until_published(service: Service, servers: MailServers) -> None:
    """Decide whatever arrives until the incident is public, and have Postfix try again what it put off.

    When Postfix tries again by itself is its own affair: a destination that failed it may leave alone for a minute.
    """
    with anyio.fail_after(PATIENCE):
        while phases(service) != [Phase.PUBLISHED]:
            await to_thread.run_sync(servers.postfix.flush)
            with anyio.move_on_after(TICK):
                await service.decide.wait()
            service.decide.clear()
            await service.settle()


async def until_logged(servers: MailServers, text: str) -> None:
    """Wait until Postfix has written this into its log."""
    for _ in range(int(PATIENCE / LOOK_AGAIN)):
        if text in servers.postfix.log():
            return
        await anyio.sleep(LOOK_AGAIN)  # between two looks; the condition, not the time, ends the loop
    pytest.fail(f"Postfix never said: {text}")


async def bounce_to(desk: Desk) -> str:
    """Wait for the mail by which Postfix gives another one up."""
    rows = Rows()
    with running(rows.reader(desk.servers.imap_for(desk.employee))):
        while b"\r\nSubject: Undelivered Mail" not in (raw := (await to_thread.run_sync(rows.next_mail)).raw):
            pass
    return " ".join(raw.decode().split())


async def test_a_reply_that_postfix_hands_over_publishes(
    desk: Desk, postfix_routes: Callable[[dict[str, str]], None]
) -> None:
    postfix_routes({OWN_ADDRESS: lmtp(desk.door.port)})
    async with desk.opened() as service:
        await desk.send(await ask(service))
        await until_published(service, desk.servers)
        assert mails_taken_in(service) == 1


async def test_a_reply_comes_by_smtp_and_is_encrypted(
    desk: Desk, postfix_routes: Callable[[dict[str, str]], None]
) -> None:
    certificate = desk.servers.certificate
    desk.door = Door(Protocol.SMTP, LOOPBACK, free_port(), certificate, certificate.with_name("key.pem"))
    postfix_routes({OWN_ADDRESS: f"encrypted:[{LOOPBACK}]:{desk.door.port}"})
    async with desk.opened() as service:
        await desk.send(await ask(service))
        await until_published(service, desk.servers)
    established = f"TLS connection established to {LOOPBACK}[{LOOPBACK}]:{desk.door.port}: TLSv1.3"
    assert established in desk.servers.postfix.log()


async def test_a_reply_waits_in_the_queue_of_postfix_while_the_service_is_down(
    desk: Desk, postfix_routes: Callable[[dict[str, str]], None]
) -> None:
    postfix_routes({OWN_ADDRESS: lmtp(desk.door.port)})
    async with desk.opened() as service:
        to = await ask(service)
    await desk.send(to)
    await until_logged(
        desk.servers, f"connect to {LOOPBACK}[{LOOPBACK}]:{desk.door.port}: Connection refused"
    )
    async with desk.opened() as service:
        assert phases(service) == [Phase.UNPUBLISHED]
        await until_published(service, desk.servers)


async def test_a_reply_that_cannot_be_stored_waits_until_it_can(
    desk: Desk, postfix_routes: Callable[[dict[str, str]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> bool:
        raise ValueError("nobody thought of this")

    postfix_routes({OWN_ADDRESS: lmtp(desk.door.port)})
    async with desk.opened() as service:
        to = await ask(service)
        with monkeypatch.context() as broken:
            broken.setattr("service.inbox.receive_handed", fail)
            await desk.send(to)
            await until_logged(desk.servers, f"status=deferred (host {LOOPBACK}[{LOOPBACK}] {PUT_OFF}")
        await until_published(service, desk.servers)


async def test_a_mail_to_a_stranger_is_sent_back(
    desk: Desk, postfix_routes: Callable[[dict[str, str]], None]
) -> None:
    stranger = desk.servers.new_address()
    postfix_routes({stranger: lmtp(desk.door.port)})
    async with desk.opened() as service:
        await desk.send(stranger)
        assert f"<{stranger}>: host" in (said := await bounce_to(desk))
        assert "550 5.1.1 there is no such mailbox here" in said
        assert mails_taken_in(service) == 0


async def test_a_mail_that_is_too_large_is_sent_back_and_not_lost(
    desk: Desk, postfix_routes: Callable[[dict[str, str]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.mail.door.SIZE_LIMIT", 50_000)
    postfix_routes({OWN_ADDRESS: lmtp(desk.door.port)})
    async with desk.opened() as service:
        to = await ask(service)
        await desk.send(to, text="publish\r\n" + "a picture\r\n" * 6_000)
        assert "exceeds size limit 50000" in await bounce_to(desk)
        assert (phases(service), mails_taken_in(service)) == ([Phase.UNPUBLISHED], 0)


async def test_a_reply_that_postfix_hands_over_again_after_a_lost_answer_has_one_effect(
    desk: Desk, postfix_routes: Callable[[dict[str, str]], None]
) -> None:
    answered = [threading.Event(), threading.Event()]
    waiting = iter(answered)

    def lose_the_first(answer: bytes) -> bytes:
        if answer.startswith(ON_DISK):
            (one := next(waiting)).set()
            if one is answered[0]:
                raise OSError("the connection breaks")
        return answer

    with proxied(desk.door.port, lose_the_first) as proxy:
        postfix_routes({OWN_ADDRESS: lmtp(proxy.port)})
        async with desk.opened() as service:
            await desk.send(await ask(service))
            await until_published(service, desk.servers)
            assert await to_thread.run_sync(answered[1].wait, PATIENCE)
            await service.settle()
            assert mails_taken_in(service) == 1
            assert reasons(service).count("published") == 1
