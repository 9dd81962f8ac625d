"""What our two small mail servers share: connections that can be counted, limited and ended, over aiosmtpd."""

import asyncio
from typing import Any, Final

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP

STOP_PATIENCE: Final = 5.0
"""Seconds that a connection gets to end when its server is stopped."""
Lines = set["Line"]


class Line:
    """One connection; it stays in `lines` while it is open, so that stopping the server can end them all."""

    transport: asyncio.BaseTransport | None
    _handler_coroutine: "asyncio.Task[None] | None"

    def __init__(self, lines: Lines, most: int, *given: Any, **options: Any) -> None:  # noqa: ANN401  aiosmtpd's own
        super().__init__(*given, **options)
        self._lines = lines
        self._most = most
        self._is_refused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the dialogue, unless there are too many already."""
        if len(self._lines) >= self._most and self not in self._lines:
            self._is_refused = True
            if isinstance(transport, asyncio.WriteTransport):
                transport.write(b"421 4.7.0 too many connections, try again later\r\n")
            transport.close()
            return
        super().connection_made(transport)  # type: ignore[misc]  # SMTP's, by the classes below
        if self._handler_coroutine is not None:
            self._lines.add(self)
            self._handler_coroutine.add_done_callback(lambda _: self._lines.discard(self))

    def connection_lost(self, error: Exception | None) -> None:
        """Forget the dialogue, if there was one."""
        if not self._is_refused:
            super().connection_lost(error)  # type: ignore[misc]  # as above

    async def end(self) -> None:
        """End the connection, and wait until nothing of it is left."""
        if self.transport is not None:
            self.transport.close()
        if self._handler_coroutine is not None:
            await asyncio.wait({self._handler_coroutine}, timeout=STOP_PATIENCE)


class SmtpLine(Line, SMTP):
    """A connection that speaks SMTP."""


class LmtpLine(Line, LMTP):
    """A connection that speaks LMTP: each recipient of a mail gets an answer of his own (RFC 2033 section 4.2).

    That holds for a refusal too: a sending server that waits for more answers than come would try again for ever.
    """

    _answers = 1

    async def push(self, status: str | bytes) -> None:
        """Send a reply, and the one that follows the mail itself as often as it has recipients."""
        answers, self._answers = self._answers, 1
        text = status.decode() if isinstance(status, bytes) else status
        if text.startswith("354") and self.envelope is not None:
            self._answers = len(self.envelope.rcpt_tos)
        await super().push("\r\n".join([text] * answers))


async def stop_serving(server: asyncio.Server, lines: Lines) -> None:
    """Stop listening and end all connections; when it returns no task is left."""
    server.close()
    await asyncio.gather(*(line.end() for line in tuple(lines)))
    await server.wait_closed()
