"""A long line: passes bytes on to a server on the loopback interface after a while, as many as there are.

It runs as a process of its own (`python -m tests.transport.slow_line PORT SECONDS` says where it listens), so that
what it costs is not taken for what is measured over it.
"""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

LOOPBACK = "127.0.0.1"


class _End(asyncio.Protocol):
    """One end of a connection; what comes in goes out at the other end, `delay` seconds later."""

    def __init__(self, delay: float) -> None:
        self.other: _End | None = None
        self._delay = delay
        self._transport: asyncio.Transport | None = None
        self._early: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        for data in self._early:
            self._transport.write(data)

    def data_received(self, data: bytes) -> None:
        if self.other is not None:
            asyncio.get_running_loop().call_later(self._delay, self.other.write, data)

    def write(self, data: bytes) -> None:
        """Send it on, or keep it until there is a connection."""
        if self._transport is None:
            self._early.append(data)
        else:
            self._transport.write(data)

    def connection_lost(self, _: Exception | None) -> None:
        if self.other is not None:
            asyncio.get_running_loop().call_later(self._delay, self.other.close)

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()


class _Entrance(_End):
    """The end that clients come in by."""

    def __init__(self, port: int, delay: float) -> None:
        super().__init__(delay)
        self._port = port
        self._exit = _End(delay)
        self.other, self._exit.other = self._exit, self
        self._connecting: asyncio.Task[object] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        loop = asyncio.get_running_loop()
        connected = loop.create_connection(lambda: self._exit, LOOPBACK, self._port)
        self._connecting = loop.create_task(connected)


async def _serve(port: int, round_trip: float) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Entrance(port, round_trip / 2), LOOPBACK, 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


@contextmanager
def slow_line(port: int, round_trip: float) -> Iterator[int]:
    """Put a line of so many seconds of round trip before a server; gives the port where it begins."""
    command = [sys.executable, "-m", "tests.transport.slow_line", str(port), str(round_trip)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield int(process.stdout.readline())
        finally:
            process.kill()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), float(sys.argv[2])))
