"""The pages that everybody reads, rendered before anybody asks and swapped whole when the public view changed.

Nobody is shown an older state than what this process had committed when the request came in; what another
process commits, and midnight, show within a second. Only renderers that use the store's public queries are here.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Final

import structlog
from anyio import CapacityLimiter, to_thread
from sqlalchemy import Connection

from service.errors import StoreUnavailable
from service.store.patience import waiting_at_most
from service.store.public_stamp import public_stamp
from service.web.front import Front
from service.web.public.prepared import Prepared, Rendering, prepare

Renderer = Callable[[Connection, Front, datetime], Mapping[str, Rendering]]
"""Gives the renderings of some paths, as they are to be read now. A path that it leaves out is there no longer."""

LIVE: Final = "/"
"""The path whose version /events tells."""
LOOK_AGAIN: Final = timedelta(seconds=1)
"""How long nobody looks whether another process changed something."""
OLDEST: Final = timedelta(minutes=5)
"""After so long all is rendered anew: an outage that goes on is counted in the figures of its day."""
PATIENCE: Final = 2.0
"""Seconds that a reader waits for a database that does not answer, before he gets what is there."""
TICK: Final = 0.1
"""Seconds between two looks on behalf of those who watch."""

_log = structlog.get_logger()


def render_all(
    renderers: Iterable[Renderer], connection: Connection, front: Front, now: datetime
) -> dict[str, Rendering]:
    """Render every public path, for instance to write them into files."""
    return {path: one for render in renderers for path, one in render(connection, front, now).items()}


class PublicPages:
    """Holds what stands at each public path, and keeps it as new as the database is."""

    def __init__(self, front: Front, renderers: Sequence[Renderer], guards: Mapping[str, str]) -> None:
        self._front, self._store, self._clock = front, front.house.store, front.clock
        self._renderers = tuple(renderers)
        self._guards = guards
        self.prepared: Mapping[str, Prepared] = MappingProxyType({})
        """By path; replaced whole, never changed."""
        self._stamp: object = None
        self._seen = -1
        self._looked_at = self._look_again_at = datetime.min.replace(tzinfo=UTC)
        self._looking: asyncio.Task[None] | None = None
        self._one_at_a_time: CapacityLimiter | None = None
        self._changed = asyncio.Event()
        self._watching = 0
        self._ticking: asyncio.Task[None] | None = None
        self._is_closed = False

    @property
    def version(self) -> str:
        """What the status page shows now, in a short word."""
        live = self.prepared.get(LIVE)
        return live.rendering.version if live else ""

    @property
    def watching(self) -> int:
        """How many watch at the moment."""
        return self._watching

    def is_fresh(self) -> bool:
        """Tell whether nothing can have changed since it was last looked; costs no more than a look at the clock."""
        return self._seen == self._store.commits and self._looked_at <= self._clock() < self._look_again_at

    async def refresh(self) -> None:
        """Look into the database, and render anew if it changed; many who ask at once share one look.

        Raises StoreUnavailable where nothing was ever rendered; else what is there stays, since a database that
        cannot be read has taken in nothing new.
        """
        wanted = self._store.commits
        while True:
            if self._looking is None:
                self._looking = asyncio.create_task(self._look())
            looking = self._looking
            if self.prepared:
                await asyncio.wait([looking], timeout=PATIENCE)
                if not looking.done():
                    return
                looking.result()
            else:
                await asyncio.shield(looking)
            # a look that had begun before this request came in may have missed what was committed meanwhile
            if self._seen >= wanted:
                return

    async def _look(self) -> None:
        if self._one_at_a_time is None:
            self._one_at_a_time = CapacityLimiter(1)  # of its own: other pages' threads may all be busy
        seen, now = self._store.commits, self._clock()
        try:
            with waiting_at_most():
                found = await to_thread.run_sync(self._render_if_changed, now, limiter=self._one_at_a_time)
        except StoreUnavailable as error:
            if not self.prepared:
                raise
            _log.warning("the status page shows what it last knew", error=str(error))
            found = None
        finally:
            self._looking = None
        self._seen, self._looked_at, self._look_again_at = seen, now, now + LOOK_AGAIN
        if found is not None:
            self._swap(*found)

    def _render_if_changed(self, now: datetime) -> tuple[object, Mapping[str, Prepared]] | None:
        house = self._front.house
        with house.store.reading() as connection:
            day = now.astimezone(house.config.site.timezone).date()
            stamp = (public_stamp(connection), day, int(now.timestamp() // OLDEST.total_seconds()))
            if stamp == self._stamp:
                return None
            renderings = render_all(self._renderers, connection, self._front, now)
        # here, in the thread of the look: compressing many pages would hold up whoever asks for one meanwhile
        before = self.prepared
        ready = {
            path: prepare(rendering, now, self._guards, before.get(path))
            for path, rendering in renderings.items()
        }
        return stamp, MappingProxyType(ready)

    def _swap(self, stamp: object, prepared: Mapping[str, Prepared]) -> None:
        version = self.version
        self.prepared, self._stamp = prepared, stamp
        if self.version != version:
            self._changed.set()
            self._changed = asyncio.Event()

    async def watch(self, *, heartbeat: float) -> AsyncGenerator[str]:
        """Give the version now and at each change, and "" after so many seconds of silence; ends at the close."""
        self._watching += 1
        if self._ticking is None:
            self._ticking = asyncio.create_task(self._tick())
        try:
            told = self.version
            yield told
            while not self._is_closed:
                changed = self._changed
                if self.version == told:
                    try:
                        async with asyncio.timeout(heartbeat):
                            await changed.wait()
                    except TimeoutError:
                        yield ""
                        continue
                if self.version != told and not self._is_closed:
                    told = self.version
                    yield told
        finally:
            self._watching -= 1
            if self._watching == 0 and self._ticking is not None:
                self._ticking.cancel()
                self._ticking = None

    async def _tick(self) -> None:
        """Keep the pages new for those who watch without asking, and notice the close."""
        while not self._is_closed:
            try:
                if not self.is_fresh():
                    await self.refresh()
            except Exception:  # noqa: BLE001  the outermost loop: it is logged, and the next tick tries again
                _log.exception("the status page cannot be rendered")
            await asyncio.sleep(TICK)
        self._changed.set()

    def close(self) -> None:
        """End all watching; may be called from any thread."""
        self._is_closed = True
