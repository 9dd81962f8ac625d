"""The world of a story: the real service over HTTP, SMTP and IMAP, with a clock that the story moves."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import httpx2

from service.app.building import build
from service.app.roles import ServeRole
from service.app.service import Service
from service.config import Config, Mail
from service.mail.sandbox import Sandbox, SandboxMail
from service.mail.smtp import open_session
from service.model import Incident, Phase, TimelineEntry
from service.store import inbox_rows, incidents, narrative
from service.store.inbox_rows import InboxRow
from tests.rooms import CONFIG, OWN_ADDRESS, Clock, config_in
from tests.store.databases import new_database

JORDAN = "jordan@acme.example"
SAM = "sam@acme.example"
ANA = "ana@reader.example"


@dataclass(frozen=True, slots=True)
class Received:
    """A mail as its recipient got it."""

    kept: SandboxMail
    message: EmailMessage

    @property
    def subject(self) -> str:
        """Its subject line."""
        return str(self.message["Subject"])

    @property
    def text(self) -> str:
        """Its text part."""
        part = self.message.get_body(("plain",))
        return part.get_content() if part is not None else ""

    def header(self, name: str) -> str:
        """Give a header field, unfolded."""
        return str(self.message[name] or "")


@dataclass(slots=True)
class World:
    """Everything that a story needs to happen, and to see what came of it."""

    folder: Path
    config: Config
    clock: Clock
    sandbox: Sandbox
    role: ServeRole = ServeRole.ALL
    service: Service = field(init=False)
    client: httpx2.AsyncClient = field(init=False)
    _running: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def start(self) -> None:
        """Start the service on whatever its database holds."""
        self.service = await self._running.enter_async_context(build(self.config, self.clock, self.role))
        transport = httpx2.ASGITransport(app=self.service.web)
        client = httpx2.AsyncClient(transport=transport, base_url=self.config.site.url)
        self.client = await self._running.enter_async_context(client)

    async def stop(self) -> None:
        """Stop the service; its database and everybody's mailboxes stay."""
        if self.service.mailbox is not None:
            self.service.mailbox.close()
        await self._running.aclose()

    async def restart(self) -> None:
        """Stop and start it again."""
        await self.stop()
        await self.start()

    async def post(self, body: str | bytes, path: str = "/webhook/victorops") -> httpx2.Response:
        """Post a webhook's body, and let nothing else happen."""
        return await self.client.post(path, content=body)

    async def fire(self, name: str = "Email Server", state: str = "CRITICAL", **more: Any) -> None:  # noqa: ANN401
        """Let VictorOps post an alert, and the service settle."""
        answer = await self.post(json.dumps({"monitorName": name, "state": state, **more}))
        assert answer.status_code == 202, answer.text
        await self.service.settle()

    async def recover(self, name: str = "Email Server", **more: Any) -> None:  # noqa: ANN401
        """Let VictorOps post a recovery."""
        await self.fire(name, "UP", **more)

    async def after(self, **span: float) -> None:
        """Let time pass, and the service settle."""
        self.clock.move(timedelta(**span))
        await self.service.settle()

    def mails(self, to: str) -> list[Received]:
        """Look into somebody's mailbox, oldest first."""
        return [
            Received(kept, message_from_bytes(kept.raw, policy=policy.default))
            for kept in self.sandbox.mails
            if kept.recipient == to
        ]

    async def answer(self, mail: Received, text: str) -> None:
        """Let the recipient of a mail answer it, and the service settle."""
        await self.sandbox.send_reply(mail.kept, text, now=self.clock())
        await self.service.settle()

    async def send_mail(self, raw: bytes, *, sender: str, to: str = OWN_ADDRESS) -> None:
        """Let somebody send any mail at all, and the service settle."""
        async with open_session(self.sandbox.smtp) as session:
            await session.send(sender=sender, recipient=to, message=raw)
        await self.service.settle()

    async def page(self, path: str = "/") -> str:
        """Open a page as the public does."""
        answer = await self.client.get(path)
        return answer.text

    async def subscribe(self, email: str) -> None:
        """Let a reader sign up and confirm."""
        await self.client.post("/subscribe", data={"email": email})
        await self.service.settle()
        asked = self.mails(email)[-1].text
        link = next(word for word in asked.split() if "/subscribe/confirm/" in word)
        await self.client.post(link.strip("<>."))
        await self.service.settle()

    def incidents(self) -> tuple[Incident, ...]:
        """Read all incidents, oldest first."""
        with self.service.house.store.reading() as connection:
            return incidents.listed(connection, limit=1000)[::-1]

    def phases(self) -> list[Phase]:
        """Read the phases of all incidents, oldest first."""
        return [incident.phase for incident in self.incidents()]

    def timeline(self, incident_id: int) -> tuple[TimelineEntry, ...]:
        """Read an incident's timeline."""
        with self.service.house.store.reading() as connection:
            return narrative.timeline_of(connection, incident_id)

    def inbox(self) -> tuple[InboxRow, ...]:
        """Read everything that arrived, oldest first."""
        with self.service.house.store.reading() as connection:
            return inbox_rows.listed(connection, limit=1000)[::-1]


@asynccontextmanager
async def make_world(folder: Path, clock: Clock, config: str = CONFIG) -> AsyncIterator[World]:
    """Make a world around a fresh database; everybody's mail goes through the embedded mail server."""
    database = new_database(folder)
    sandbox = await Sandbox.start(own_address=OWN_ADDRESS)
    try:
        parsed = config_in(folder, config)
        mail = Mail("Acme Status", OWN_ADDRESS, sandbox.smtp, sandbox.imap)
        world = World(folder, replace(parsed, mail=mail, database=database), clock, sandbox)
        await world.start()
        try:
            yield world
        finally:
            await world.stop()
    finally:
        await sandbox.stop()
