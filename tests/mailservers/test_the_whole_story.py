"""The main story with the real process, a real Postfix and a real Dovecot, on the real clock."""

import json
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path

import anyio
import httpx2
import pytest
from anyio import to_thread

from service.mail.imap import FetchedMail
from service.mail.sandbox_client import SandboxMail, reply_to
from service.mail.smtp import open_session
from service.model import SubscriberState
from service.store import subscribers
from service.store.database import open_store
from tests.faults.process import PATIENCE, ServiceProcess
from tests.mailservers.servers import MailServers
from tests.rooms import CONFIG
from tests.transport.rows import Rows, running

pytestmark = [pytest.mark.mailservers, pytest.mark.anyio]

JORDAN, READER, OWN = "jordan@acme.example", "lee@acme.example", "status@acme.example"


def write_config(folder: Path, servers: MailServers) -> Path:
    """Write a config.yaml that sends by Postfix and reads replies from Dovecot."""
    imap = servers.imap_for(OWN)
    path = folder / "config.yaml"
    monitors = CONFIG.replace("wait_time: 5m", "wait_time: 1s").replace("[jordan, sam]", "[jordan]")
    path.write_text(
        f"""\
mail:
  from: "Acme Status <{OWN}>"
  smtp: {{host: 127.0.0.1, port: {servers.smtp.port}, security: none}}
  imap: {{host: 127.0.0.1, port: {imap.port}, security: none, username: "{imap.username}",
         password: {json.dumps(imap.password.reveal())}}}
database: "sqlite:///{folder}/replycast.db"
{monitors}"""
    )
    return path


def subscribe(folder: Path) -> None:
    """Put a confirmed subscriber into the fresh database."""
    store = open_store(f"sqlite:///{folder}/replycast.db")
    since = datetime.now(UTC) - timedelta(days=1)
    with store.transaction() as connection:
        one = subscribers.add(connection, public_id="a" * 32, address=READER, unsubscribe_hash="h", now=since)
        subscribers.set_state(connection, one.id, SubscriberState.CONFIRMED, confirmed_at=since)
    store.close()


def text_of(mail: FetchedMail) -> str:
    """Give a mail's text part."""
    body = message_from_bytes(mail.raw, policy=policy.default).get_body(("plain",))
    assert body is not None
    return str(body.get_content())


async def next_mail(rows: Rows, saying: str) -> FetchedMail:
    """Wait for a mail that says something."""
    with anyio.fail_after(PATIENCE):
        while True:
            mail = await to_thread.run_sync(rows.next_mail)
            if saying in text_of(mail):
                return mail


async def test_from_the_webhook_to_the_closing_mail(mail_servers: MailServers, tmp_path: Path) -> None:
    subscribe(tmp_path)
    config = write_config(tmp_path, mail_servers)
    jordans, readers = Rows(), Rows()
    async with await ServiceProcess.start(config, tmp_path / "log") as process:
        with (
            running(jordans.reader(mail_servers.imap_for(JORDAN))),
            running(readers.reader(mail_servers.imap_for(READER))),
        ):
            client = httpx2.AsyncClient(base_url=process.url)
            firing = b'{\nmonitorName: "Email Server",\nstate: "CRITICAL"\n}'
            assert (await client.post("/webhook/victorops", content=firing)).status_code == 202
            asked = await next_mail(jordans, "waits for your decision")
            assert "Email is unavailable" not in (await client.get("/")).text
            answer = reply_to(
                SandboxMail(1, OWN, JORDAN, asked.raw), "Publish.\n\nJordan", now=datetime.now(UTC)
            )
            to = message_from_bytes(asked.raw)["Reply-To"]
            async with open_session(mail_servers.smtp) as session:
                await session.send(sender=JORDAN, recipient=to, message=answer)
            await next_mail(readers, "We are looking into")
            await next_mail(jordans, "INC-1 is published")
            assert "Email is unavailable" in (await client.get("/")).text
            recovering = firing.replace(b"CRITICAL", b"UP")
            assert (await client.post("/webhook/victorops", content=recovering)).status_code == 202
            await next_mail(readers, "Email works again.")
            assert "Email works again." in (await client.get("/incidents/1")).text
            await client.aclose()
        assert await process.stop() == 0
