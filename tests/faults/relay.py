"""A relay that can be away, slow, or refuse for now, as a test wants it; it keeps what it said 250 to."""

import asyncio
from email import message_from_bytes
from typing import TYPE_CHECKING

from aiosmtpd.smtp import SMTP, Envelope, Session

from service.mail.smtp_server import Lines, SmtpLine, stop_serving
from tests.mailservers.processes import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_CONNECTIONS = 100


class Relay:
    """It listens from `open` to `go_away`, always on the same port."""

    def __init__(self, *hosts: str, pipelining: bool = False) -> None:
        self._hosts = hosts or (LOOPBACK,)
        self._is_pipelining = pipelining
        self.port = 0
        self.mails: list[tuple[str, str]] = []
        """Recipient and Message-ID of each mail that was taken."""
        self.delay = 0.0
        """Seconds that it thinks about a mail."""
        self.refusal = ""
        """What it says instead of 250."""
        self.told: Callable[[str, bytes], None] = lambda _recipient, _raw: None
        """Hears of each mail that was taken."""
        self.refused = 0
        """Mails that it did not take."""
        self._server: asyncio.Server | None = None
        self._lines: Lines = set()

    async def open(self) -> None:
        """Listen."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: self._line(loop), self._hosts, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def go_away(self) -> None:
        """Cut every connection, and take none."""
        if self._server is not None:
            await stop_serving(self._server, self._lines)
        self._server = None

    async def handle_EHLO(  # noqa: N802  likewise
        self, _server: SMTP, session: Session, _envelope: Envelope, hostname: str, answers: list[str]
    ) -> list[str]:
        """Say what it can; commands that are sent ahead (RFC 2920) wait in its stream in any case."""
        session.host_name = hostname
        return [*answers[:-1], "250-PIPELINING", answers[-1]] if self._is_pipelining else answers

    async def handle_DATA(  # noqa: N802  aiosmtpd finds it by this name
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """Answer a mail."""
        if self.delay:
            await asyncio.sleep(self.delay)  # being slow is what is wanted of it
        if self.refusal:
            self.refused += 1
            return self.refusal
        raw = envelope.original_content or b""
        message_id = str(message_from_bytes(raw)["Message-ID"])
        for recipient in envelope.rcpt_tos:
            self.mails.append((recipient, message_id))
            self.told(recipient, raw)
        return "250 2.0.0 Ok"

    def _line(self, loop: asyncio.AbstractEventLoop) -> SMTP:
        return SmtpLine(
            self._lines, MOST_CONNECTIONS, self, enable_SMTPUTF8=True, hostname="localhost", loop=loop
        )
