"""A receiver of webhooks on loopback: it keeps what it got and answers as it is told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

ANSWERED = b"HTTP/1.1 %d Answer\r\nContent-Length: %d\r\nConnection: close\r\n%s\r\n%s"


@dataclass
class Call:
    """A request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """What it got, and what it answers: a status, a text and headers; None: nothing at all."""

    url: str = ""
    status: int | None = 204
    text: bytes = b""
    extra: bytes = b""
    calls: list[Call] = field(default_factory=list)
    held: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read one request and answer it."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines if line)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self.calls.append(Call(first.split()[1], headers, body))
        if self.status is None:
            await self.held.wait()
        else:
            writer.write(ANSWERED % (self.status, len(self.text), self.extra, self.text))
            await writer.drain()
        writer.close()


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """Receive until the block ends."""
    receiver = Receiver()
    server = await asyncio.start_server(receiver.answer, "127.0.0.1", 0)
    receiver.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    try:
        yield receiver
    finally:
        receiver.held.set()
        server.close()
        await server.wait_closed()
