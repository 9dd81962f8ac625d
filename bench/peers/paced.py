"""Posts at a rate that is given, which wrk cannot; and the time each of them takes.

A post is due at its moment whether or not the one before was answered, so a server that stands still is counted in
full for each post that was due meanwhile.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Self
from urllib.parse import urlsplit

import click

from service.outbox.fanning_out import new_event_loop


class Line:
    """A connection that posts JSON, one after the other."""

    def __init__(self, path: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._path = path
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, url: str) -> Self:
        """Connect."""
        parts = urlsplit(url)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        return cls(parts.path, reader, writer)

    async def post(self, body: str) -> None:
        """Post, and wait for the whole answer; raises ClickException where it is no success."""
        self._writer.write(
            f"POST {self._path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}".encode()
        )
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        if not head.startswith(b"http/1.1 2"):
            raise click.ClickException(f"{self._path} answers {head.decode()}")
        await self._reader.readexactly(int(head.partition(b"content-length:")[2].split(b"\r\n")[0]))

    def close(self) -> None:
        """End the connection."""
        self._writer.close()


def post_paced(
    url: str, rate: float, seconds: float, connections: int, body: Callable[[int], str]
) -> list[float]:
    """Post so many a second; gives what each took, in milliseconds, from its moment on.

    Where a connection was idle the clock starts when the post leaves: that this process woke up late is not the
    server's doing.
    """
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(_post_paced(url, rate, seconds, connections, body))


async def _post_paced(
    url: str, rate: float, seconds: float, connections: int, body: Callable[[int], str]
) -> list[float]:
    lines = [await Line.open(url) for _ in range(connections)]
    count, began = max(1, int(rate * seconds)), time.perf_counter()
    taken: list[float] = []

    async def work(line: Line, numbers: Sequence[int]) -> None:
        for number in numbers:
            begin = began + number / rate
            if begin > time.perf_counter():
                await asyncio.sleep(begin - time.perf_counter())
                begin = time.perf_counter()
            await line.post(body(number))
            taken.append((time.perf_counter() - begin) * 1_000)

    await asyncio.gather(*(work(line, range(at, count, connections)) for at, line in enumerate(lines)))
    for line in lines:
        line.close()
    return taken
