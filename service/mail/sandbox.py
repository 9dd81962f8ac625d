"""The embedded mail server that stands in where config.yaml names none: it takes all mail and relays none.

It listens on the loopback interface only, keeps everything in memory, and is spoken to through the very
same SMTP and IMAP code as a real mail server. Imported only where it is needed: pymap costs four megabytes of memory.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final

from aiosmtpd.smtp import SMTP, Envelope, Session

from service.config.settings import Security, Smtp
from service.mail.sandbox_client import SandboxMail, answered_address, reply_to
from service.mail.sandbox_mailbox import LOOPBACK, ReplyMailbox
from service.mail.smtp import open_session
from service.mail.smtp_server import Lines, SmtpLine, stop_serving

__all__ = ["Sandbox", "SandboxMail", "reply_to"]

SIZE_LIMIT: Final = 1024 * 1024
"""Bytes of a mail; a larger one is refused with 552."""
MAILS_KEPT: Final = 2000
MOST_CONNECTIONS: Final = 1000
_NULL_SENDER: Final = "<>"

Deliver = Callable[[str, str, bytes], Awaitable[None]]
"""Takes the envelope's sender and recipient and the mail itself."""


class Sandbox:
    """A running embedded mail server; `start` makes it. Mails to its own address go to the reply mailbox."""

    def __init__(self, own_address: str, mailbox: ReplyMailbox) -> None:
        self.imap = mailbox.imap
        """The settings to read the reply mailbox with."""
        self.smtp = Smtp(LOOPBACK, 0, Security.NONE)
        """The settings to send mails with, once it listens."""
        self._own_address = own_address.casefold()
        self._mailbox = mailbox
        self._mails: deque[SandboxMail] = deque(maxlen=MAILS_KEPT)
        self._count = 0
        self._server: asyncio.Server | None = None
        self._lines: Lines = set()

    @classmethod
    async def start(cls, *, own_address: str, smtp_port: int = 0, imap_port: int = 0) -> "Sandbox":
        """Listen on the loopback interface; port 0 takes a free one. Raises OSError where a port is taken."""
        sandbox = cls(own_address, await ReplyMailbox.start(port=imap_port))
        try:
            await sandbox.listen(smtp_port)
        except OSError:
            await sandbox.stop()
            raise
        return sandbox

    async def listen(self, smtp_port: int) -> None:
        """Open the SMTP port, as `start` does."""
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: self._line(loop), LOOPBACK, smtp_port)
        self._server = server
        self.smtp = Smtp(LOOPBACK, server.sockets[0].getsockname()[1], Security.NONE)

    @property
    def mails(self) -> tuple[SandboxMail, ...]:
        """The last 2,000 mails that would have gone out, newest last."""
        return tuple(self._mails)

    async def put(self, sender: str, recipient: str, raw: bytes) -> None:
        """Put one mail where it belongs: into the reply mailbox if it is for us, else to `mails`."""
        if _without_tag(recipient).casefold() == self._own_address:
            received = f"Return-Path: <{sender}>\r\nDelivered-To: {recipient}\r\n"
            await self._mailbox.put(received.encode("utf-8", "surrogateescape") + raw)
            return
        self._count += 1
        self._mails.append(SandboxMail(self._count, sender, recipient, raw))

    async def send_reply(self, mail: SandboxMail, text: str, *, now: datetime) -> None:
        """Answer a kept mail by SMTP, as the mail client of its recipient would.

        Raises AddressInvalid where the mail names nobody to answer, and what `smtp.Session.send` raises.
        """
        raw = reply_to(mail, text, now=now)
        async with open_session(self.smtp) as session:
            await session.send(sender=mail.recipient, recipient=answered_address(mail), message=raw)

    async def stop(self) -> None:
        """Stop listening and end all connections; when it returns no task is left."""
        if self._server is not None:
            await stop_serving(self._server, self._lines)
        await self._mailbox.stop()

    def _line(self, loop: asyncio.AbstractEventLoop) -> SMTP:
        return SmtpLine(
            self._lines,
            MOST_CONNECTIONS,
            _Hooks(self.put),
            data_size_limit=SIZE_LIMIT,
            enable_SMTPUTF8=True,
            hostname="localhost",
            ident="Replycast sandbox",
            loop=loop,
        )


class _Hooks:
    """What aiosmtpd calls while a mail comes in."""

    def __init__(self, deliver: Deliver) -> None:
        self._deliver = deliver

    async def handle_MAIL(  # noqa: N802 # aiosmtpd finds it by this name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address or _NULL_SENDER  # aiosmtpd takes "" for a MAIL that never came
        envelope.mail_options.extend(options)
        return "250 2.1.0 Ok"

    async def handle_DATA(  # noqa: N802 # as above
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        sender = "" if envelope.mail_from in {None, _NULL_SENDER} else str(envelope.mail_from)
        for recipient in envelope.rcpt_tos:
            try:
                await self._deliver(sender, recipient, envelope.original_content or b"")
            except RecursionError:  # pymap reads a mail's parts one within the other
                return "554 5.6.0 the sandbox cannot hold a mail of so many parts within parts"
        return "250 2.0.0 Ok: kept by the sandbox, relayed to nobody"


def _without_tag(address: str) -> str:
    """Give `status@x.example` for `status+TOKEN@x.example` (RFC 5233: the detail of a sub-address)."""
    local, _, domain = address.rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"
