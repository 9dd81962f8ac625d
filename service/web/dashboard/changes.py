"""Notices every change that employees see, whoever made it, and tells it to all who watch. It reads no texts.

What this process commits is noticed within a tenth of a second, what another one commits within a second. All
streams together cost one look; while nobody watches nobody looks.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import structlog
from anyio import CapacityLimiter, to_thread

from service.errors import StoreUnavailable
from service.store.database import Store
from service.store.employee_stamp import Stamp, employee_stamp, incidents_since, living
from service.web.dashboard.pulse import Mark

MOST_STREAMS: Final = 400
MOST_OF_A_SESSION: Final = 4
"""A browser has six connections to a site for all its tabs, and some have to be left for the pages."""
TICK: Final = 0.1
LOOK_AGAIN: Final = 1.0
"""Seconds after which it is looked whether another process changed something, and whose session has ended."""
PAUSE: Final = 0.4
"""Seconds after an event in which further ones are gathered: a storm of alerts is no storm of requests."""

INCIDENTS: Final = "incidents"
INBOX: Final = "inbox"
MAINTENANCE: Final = "maintenance"
AUDIT: Final = "audit"
DELIVERIES: Final = "deliveries"
AUDIENCE: Final = "audience"
"""Other subscribers hear of incidents than before."""
SERVICE: Final = "service"
"""How the parts of this process are, or config.yaml on its disk."""
ALL: Final = "all"
"""Anything may have changed."""
OVER: Final = "over"
"""The session has ended, and with it the stream."""
REST: Final = "rest"
"""The same browser opened so many others since that this one ends; it may come back once it is looked at."""

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Told:
    """What a stream is told at one moment; without names it is only a sign of life."""

    names: frozenset[str]
    mark: Mark


@dataclass(slots=True, eq=False)
class _Stream:
    session: str
    names: set[str] = field(default_factory=set)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    is_ending: bool = False

    def tell(self, *names: str) -> None:
        self.names.update(names)
        self.news.set()

    def end(self, *names: str) -> None:
        self.is_ending = True
        self.tell(*names)


def names_of(before: Stamp, after: Stamp, incidents: frozenset[int] | None) -> frozenset[str]:
    """Name what changed between two stamps, given the incidents of `incidents_since`."""
    if incidents is None:
        return frozenset({ALL})
    names = {f"incident-{one}" for one in incidents}
    if before[:3] != after[:3]:
        names.add(INCIDENTS)
    if before[3:6] != after[3:6]:
        names.add(INBOX)
    if before[6:10] != after[6:10]:
        names.add(MAINTENANCE)
    if before.acts != after.acts:
        names.add(AUDIT)
    if before.urgent != after.urgent:
        names.add(DELIVERIES)
    if before.audience != after.audience:
        names.add(AUDIENCE)
    return frozenset(names)


class Changes:
    """Holds who watches, and how new everything was at the last look.

    `pulse` gives what differs once something changed that stands in no row.
    """

    def __init__(
        self, store: Store, clock: Callable[[], datetime], pulse: Callable[[], int] = lambda: 0
    ) -> None:
        self._store, self._clock, self._pulse = store, clock, pulse
        self._felt = 0
        self._streams: list[_Stream] = []
        self._stamp: Stamp | None = None
        self._seen = -1
        self._looked_at = float("-inf")
        self._one_at_a_time: CapacityLimiter | None = None
        self._looking = asyncio.Lock()
        self._ticking: asyncio.Task[None] | None = None
        self._is_closed = False

    @property
    def watching(self) -> int:
        """How many streams there are."""
        return len(self._streams)

    @property
    def is_full(self) -> bool:
        """Whether no further stream is taken in."""
        return len(self._streams) >= MOST_STREAMS

    async def watch(self, session: str, since: Mark | None, *, heartbeat: float) -> AsyncGenerator[Told]:
        """Tell what changed since a page was rendered (None: nobody knows when), and then each change.

        Ends with the session, at the close, where the database cannot be read, and where the same session has too
        many other streams.
        """
        stream = self._enter(session)
        try:
            with suppress(StoreUnavailable):
                stamp, names = await self._first(since)
                yield Told(names, Mark(stamp, self._felt))
                while stream.names or not (self._is_closed or stream.is_ending):
                    names = await _next(stream, heartbeat)
                    yield Told(names, Mark(self._stamp or stamp, self._felt))
                    if names and not stream.is_ending:
                        await asyncio.sleep(PAUSE)
        finally:
            self._streams.remove(stream)
            if not self._streams and self._ticking is not None:
                self._ticking.cancel()
                self._ticking, self._stamp = None, None

    def _enter(self, session: str) -> _Stream:
        own = [one for one in self._streams if one.session == session and not one.is_ending]
        if len(own) >= MOST_OF_A_SESSION:
            own[0].end(REST)
        stream = _Stream(session)
        self._streams.append(stream)
        return stream

    async def _first(self, since: Mark | None) -> tuple[Stamp, frozenset[str]]:
        if self._stamp is None:
            await self._look()
        if self._ticking is None:
            self._ticking = asyncio.create_task(self._tick())
        # after the look, from which on the stream is told all: so nothing falls between the two
        stamp, names, _ = await self._read(self._compared, since.stamp if since else None, frozenset())
        if since is not None and since.pulse not in (None, self._felt):
            names |= {SERVICE}
        return stamp, names

    async def _look(self) -> None:
        async with self._looking:
            self._seen, self._looked_at = self._store.commits, asyncio.get_running_loop().time()
            sessions = frozenset(one.session for one in self._streams)
            before = self._stamp
            stamp, names, alive = await self._read(self._compared, before, sessions)
            felt = await to_thread.run_sync(self._pulse, limiter=self._one_at_a_time)
            if felt != self._felt:
                names |= {SERVICE}
            self._stamp, self._felt = stamp, felt
        for stream in self._streams:
            if stream.session in sessions - alive:
                stream.end(OVER)
            elif before is not None and names:
                stream.tell(*names)

    async def _read(
        self,
        read: Callable[[Stamp | None, frozenset[str]], tuple[Stamp, frozenset[str], frozenset[str]]],
        before: Stamp | None,
        sessions: frozenset[str],
    ) -> tuple[Stamp, frozenset[str], frozenset[str]]:
        if self._one_at_a_time is None:
            self._one_at_a_time = CapacityLimiter(1)  # of its own: the pages' threads may all be busy
        return await to_thread.run_sync(read, before, sessions, limiter=self._one_at_a_time)

    def _compared(
        self, before: Stamp | None, sessions: frozenset[str]
    ) -> tuple[Stamp, frozenset[str], frozenset[str]]:
        with self._store.reading() as connection:
            stamp = employee_stamp(connection)
            alive = living(connection, sessions, self._clock()) if sessions else sessions
            if before is None:
                return stamp, frozenset({ALL}), alive
            if before == stamp:
                return stamp, frozenset(), alive
            return stamp, names_of(before, stamp, incidents_since(connection, before, stamp)), alive

    async def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        while not self._is_closed:
            try:
                if self._seen != self._store.commits or loop.time() - self._looked_at >= LOOK_AGAIN:
                    await self._look()
            except StoreUnavailable as error:
                _log.warning("who watches the dashboard is told of changes later", error=str(error))
            except Exception:  # noqa: BLE001  the outermost loop: it is logged, and the next tick tries again
                _log.exception("changes cannot be noticed")
            await asyncio.sleep(TICK)
        for stream in self._streams:
            stream.end()

    def close(self) -> None:
        """End all watching; may be called from any thread."""
        self._is_closed = True


async def _next(stream: _Stream, heartbeat: float) -> frozenset[str]:
    """Wait for what a stream is to be told; nothing after so many seconds of silence."""
    with suppress(TimeoutError):
        async with asyncio.timeout(heartbeat):
            await stream.news.wait()
    names = frozenset(stream.names)
    stream.names.clear()
    stream.news.clear()
    return names
