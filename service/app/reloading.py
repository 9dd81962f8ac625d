"""Reads config.yaml anew when it was changed or somebody asks for it; a faulty file never replaces what runs.

It gives the next configuration and says what came of each attempt; putting it in force is for others.
"""

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Final

import structlog
from anyio import to_thread

from service.config import Config, load
from service.config.differences import Reloaded, differences
from service.errors import ConfigFaulty, MachineExhausted, PermanentFault, ReplycastError

LOOK: Final = 1.0
"""Seconds between two looks at the file. It is read once two looks in a row saw the same change: written to its end."""

_log = structlog.get_logger()
_Seen = tuple[int, int, int] | None
_ENDING: Final = Reloaded(faults=("the service is being stopped",))


@dataclass(slots=True)
class ReloadState:
    """What came of the last attempt to put a configuration in force; kept from one to the next."""

    succeeded_at: datetime
    failed_at: datetime | None = None
    """None: the last attempt succeeded."""
    why: str = ""
    """Why it failed: the first fault."""


class Reloader:
    """Looks for the next configuration.

    `fit` makes of a configuration what this process can run, and raises a PermanentFault that says why it cannot.
    """

    def __init__(
        self,
        running: Config,
        state: ReloadState,
        fit: Callable[[Config], Config],
        clock: Callable[[], datetime],
    ) -> None:
        self.state = state
        self._running = running
        self._fit = fit
        self._clock = clock
        self._asked = asyncio.Event()
        self._waiting: list[asyncio.Future[Reloaded]] = []
        self._answered: list[asyncio.Future[Reloaded]] = []
        self._needs_restart: tuple[str, ...] = ()
        self._has_ended = False
        self._read = self._last = _seen(running)

    def ask(self) -> None:
        """Have the file read anew now, changed or not: a file that it names may have changed."""
        self._asked.set()

    async def reload(self) -> Reloaded:
        """Have the file read anew, and wait for what comes of it; what somebody asks meanwhile has its own turn."""
        if self._has_ended:
            return _ENDING
        waiting: asyncio.Future[Reloaded] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        self.ask()
        return await waiting

    def end(self) -> None:
        """Tell all who wait, and whoever still asks, that the service stops."""
        self._has_ended = True
        self._answered += self._waiting
        self._answer(_ENDING)

    async def next_config(self) -> tuple[Config, tuple[str, ...]]:
        """Wait for a configuration that differs from the one that runs; give it and in what it differs."""
        while True:
            try:
                await asyncio.wait_for(self._asked.wait(), LOOK)
            except TimeoutError:
                is_wanted = self._has_changed()
            else:
                is_wanted = True
            if is_wanted and (found := await self._attempt()) is not None:
                return found

    def in_force(self, config: Config, changes: tuple[str, ...] = ()) -> None:
        """Remember that a configuration runs now, and say so, and what changed, to whoever asked for it."""
        self._running = config
        self.state.succeeded_at, self.state.failed_at, self.state.why = self._clock(), None, ""
        self._answer(Reloaded(changes, self._needs_restart))

    def refused(self, fault: ReplycastError) -> None:
        """Remember that a configuration could not be put in force, or not yet, and why; what ran before runs on."""
        said = fault.faults if isinstance(fault, ConfigFaulty) else (fault,)
        self.state.failed_at, self.state.why = self._clock(), str(said[0])
        for one in said:
            _log.error("config.yaml is not put in force", fault=str(one))
        self._answer(Reloaded(faults=tuple(map(str, said))))

    def _answer(self, outcome: Reloaded) -> None:
        for waiting in self._answered:
            if not waiting.done():  # whoever asked may have gone
                waiting.set_result(outcome)
        self._answered = []

    def _has_changed(self) -> bool:
        seen, before = _seen(self._running), self._last
        self._last = seen
        return seen not in {None, self._read} and seen == before

    async def _attempt(self) -> tuple[Config, tuple[str, ...]] | None:
        self._asked.clear()
        self._answered, self._waiting = self._waiting, []
        self._read = self._last = _seen(self._running)
        try:
            read = await to_thread.run_sync(partial(load, is_to_serve=True), self._running.path, os.environ)
            config = self._fit(read)
        except PermanentFault as fault:
            self.refused(fault)
            return None
        except MachineExhausted as fault:
            self.refused(fault)
            self._read = None  # what the file says is not known yet: it is read again at the next look
            return None
        self._needs_restart = ("database",) if config.database != self._running.database else ()
        if self._needs_restart:
            _log.warning("the database stays as it is until the service is started anew")
            config = replace(config, database=self._running.database)
        changes = differences(self._running, config)
        if not changes:
            self.in_force(config)
            _log.info("config.yaml was read anew, and nothing in it changed")
            return None
        return config, changes


def _seen(config: Config) -> _Seen:
    """Tell what is to be seen of the file without reading it."""
    try:
        stat = config.path.stat()
    except (OSError, ValueError):
        return None
    return stat.st_ino, stat.st_mtime_ns, stat.st_size
