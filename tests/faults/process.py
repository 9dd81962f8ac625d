"""The real service as a process of its own, and a mail server that outlives it."""

import asyncio
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self, TypeVar

from service.mail.sandbox import Sandbox
from tests.rooms import CONFIG, OWN_ADDRESS

T = TypeVar("T")
PATIENCE = 60.0
"""Seconds after which what does not happen counts as never."""


class WatchedSandbox(Sandbox):
    """An embedded mail server that wakes who waits for a mail."""

    def __init__(self, *given: object) -> None:
        super().__init__(*given)  # type: ignore[arg-type]  # passes on whatever `start` gives
        self._arrived = asyncio.Event()

    async def put(self, sender: str, recipient: str, raw: bytes) -> None:
        """Put a mail where it belongs, and wake who waits."""
        await super().put(sender, recipient, raw)
        self._arrived.set()

    async def wait_for(self, look: Callable[[], T | None]) -> T:
        """Wait until a look at the mails finds something."""
        async with asyncio.timeout(PATIENCE):
            while not (found := look()):
                self._arrived.clear()
                await self._arrived.wait()
        return found


def write_config(folder: Path, sandbox: Sandbox, address: str, monitors: str = CONFIG) -> Path:
    """Write a config.yaml whose mails go through a mail server in this process."""
    imap = sandbox.imap
    mail = f"""\
mail:
  from: "Acme Status <{OWN_ADDRESS}>"
  smtp: {{host: 127.0.0.1, port: {sandbox.smtp.port}, security: none}}
  imap: {{host: 127.0.0.1, port: {imap.port}, security: none, username: "{imap.username}",
         password: "{imap.password.reveal()}"}}
database: "{address}"
"""
    path = folder / "config.yaml"
    path.write_text(mail + monitors)
    return path


class ServiceProcess:
    """A running `replycast serve`."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self._process = process
        self._log = log
        self._was_ended = False
        self.url = ""

    async def __aenter__(self) -> Self:
        """Give it to a block of code."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """End it, however the block ended."""
        await self.kill()

    @classmethod
    async def start(
        cls,
        config: Path,
        log: Path,
        *more: str,
        by: Sequence[str] = (),
        program: Sequence[str] = ("-m", "service"),
    ) -> "ServiceProcess":
        """Start it on a free port, with further options, and wait until it listens.

        `by` is the command that runs it elsewhere, `program` what Python is to run.
        """
        command = [*by, sys.executable, *program, "serve", "--config", str(config), "--port", "0", *more]
        with log.open("ab") as opened:
            process = await asyncio.create_subprocess_exec(
                *command, stdout=asyncio.subprocess.PIPE, stderr=opened
            )
        assert process.stdout is not None
        started = cls(process, log)
        async with asyncio.timeout(PATIENCE):
            line = (await process.stdout.readline()).decode()
        assert line.startswith("listening on "), f"it did not start, see {log}"
        started.url = line.removeprefix("listening on ").strip()
        return started

    async def kill(self) -> None:
        """Kill it as a power cut would: it gets no chance to do anything; it may be dead already.

        That it was though nobody ended it, its log says: a failed test shows that.
        """
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGKILL)
        elif not self._was_ended:
            with self._log.open("a") as log:
                log.write(f"{self.url} had ended by itself, with {self._process.returncode}\n")
        self._was_ended = True
        await self._process.wait()

    async def stop(self) -> int:
        """Ask it to stop, and give its exit code."""
        self._process.terminate()
        self._was_ended = True
        async with asyncio.timeout(PATIENCE):
            return await self._process.wait()
