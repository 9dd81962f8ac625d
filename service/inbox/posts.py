"""Stores posts in groups: those that arrive together are committed together, since one sync to disk costs the same."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import structlog
from anyio import to_thread

from service.errors import StoreUnavailable
from service.store.adding_posts import add_posts
from service.store.database import Store
from service.store.inbox_rows import Arrival

MOST_TOGETHER = 256
MOST_WAITING = 10_000
PATIENCE = 5.0
"""Seconds that a post waits to be stored: as long as for any lock. VictorOps does not say how long it waits."""
RUSH = 8
"""Posts within RUSH_LASTS seconds that are a rush: hundreds a second."""
RUSH_LASTS = 0.02
FLOOD = 8
"""Posts that came while one group of them was stored: thousands a second."""
FLOOD_LASTS = 0.1
"""Seconds for which it is still a flood after such a group."""
FULL = 24
"""Posts of a flood with which a group is full enough to be stored at once."""
LINGER = 0.001
"""Seconds for which one that is not waits for more: a flood is stored in fewer groups, each of which has its price."""

_log = structlog.get_logger()
_now = time.monotonic


@dataclass(eq=False, slots=True)
class _WaitingPost:
    arrival: Arrival
    stored: asyncio.Future[int]
    """Done with the inbox id, or with why there is none."""
    until: float
    """When it is given up, by the loop's clock."""


class PostIntake:
    """Stores posts in groups: each `receive` returns once its own row is on disk."""

    def __init__(self, store: Store, *, stored: Callable[[], None]) -> None:
        self._store = store
        self._stored = stored
        self.take_alone: Callable[[Arrival], int | None] = lambda _arrival: None
        """Asked first, in a thread, to take in a post that comes alone and see to all else; gives its id, or None."""
        self._waiting: deque[_WaitingPost] = deque()
        self._writer: asyncio.Task[None] | None = None
        self._latest: deque[float] = deque(maxlen=RUSH)
        """When the latest ones came, by the monotonic clock."""
        self._flooded_at = float("-inf")
        self._unanswered: deque[_WaitingPost] = deque()
        self._giving_up: asyncio.TimerHandle | None = None
        self._lingering: asyncio.Future[None] | None = None

    @property
    def is_rushed(self) -> bool:
        """Whether posts come so fast that whoever decides about them should make room for taking them in."""
        return len(self._latest) == RUSH and _now() - self._latest[0] < RUSH_LASTS

    async def receive(self, arrival: Arrival) -> int:
        """Store a post and return its inbox id.

        Raises StoreUnavailable, within PATIENCE seconds however long the database stands still. Nothing was accepted
        then, save where the database had the post already and comes back to it: that one is stored before all that
        arrive later, and its sender, who was told to, may send it again. A repetition has no effect where its product
        numbers its posts (the content key), nor as a recovery; it joins the alert of its entity id, or with *combine
        alerts* the open incident. Only without either does it open one of its own, as whatever is sent twice does.
        """
        if len(self._waiting) >= MOST_WAITING:
            raise StoreUnavailable("more posts arrive than the disk can take; try again")
        loop = asyncio.get_running_loop()
        waiting = _WaitingPost(arrival, loop.create_future(), loop.time() + PATIENCE)
        self._latest.append(_now())
        self._waiting.append(waiting)
        self._unanswered.append(waiting)
        if self._giving_up is None:
            self._giving_up = loop.call_at(waiting.until, self._give_up)
        if self._writer is None or self._writer.done():
            self._writer = loop.create_task(self._write())
        elif self._lingering is not None and len(self._waiting) >= FULL:
            _end(self._lingering)
        return await waiting.stored

    def _forget_answered(self) -> None:
        while self._unanswered and self._unanswered[0].stored.done():
            self._unanswered.popleft()

    def _give_up(self) -> None:
        """Answer for a database that does not, and take back what it was not given yet: it is sent again.

        One timer does for all: each of its own would cost a tenth of what taking a post in does.
        """
        loop, self._giving_up = asyncio.get_running_loop(), None
        overdue = [one for one in self._unanswered if one.until <= loop.time() and not one.stored.done()]
        for one in overdue:
            with suppress(ValueError):
                self._waiting.remove(one)
        _settle(overdue, StoreUnavailable(f"the database did not answer for {PATIENCE:g} seconds; try again"))
        self._forget_answered()
        if self._unanswered:
            self._giving_up = loop.call_at(self._unanswered[0].until, self._give_up)

    async def _write(self) -> None:
        is_first = True
        while self._waiting:
            group: list[_WaitingPost] = []
            try:
                is_flood = _now() - self._flooded_at < FLOOD_LASTS
                if is_flood and len(self._waiting) < FULL:
                    await self._linger()
                group = self._next_group()
                # what comes while others are stored is not alone, nor do we run within its request
                is_alone, is_first = is_first and len(group) == 1 and not self.is_rushed, False
                ids, is_seen_to = await to_thread.run_sync(self._take, group, is_alone)
            except StoreUnavailable as error:
                _settle(group, error)
            except asyncio.CancelledError:
                _settle([*group, *self._waiting], StoreUnavailable("the service is stopping; try again"))
                self._waiting.clear()
                raise
            except Exception:  # noqa: BLE001  the outermost loop of all posts: the next group must go on
                _log.exception("inbox: posts could not be stored", posts=len(group))
                _settle(group, StoreUnavailable("the post could not be stored; try again"))
            else:
                for one, inbox_id in zip(group, ids, strict=True):
                    if not one.stored.done():
                        one.stored.set_result(inbox_id)
                if not is_seen_to:
                    self._stored()
            self._forget_answered()

    def _take(self, group: list[_WaitingPost], is_alone: bool) -> tuple[list[int], bool]:  # noqa: FBT001  for a thread
        """Store some posts, in a thread; gives their ids, and whether all else was seen to."""
        if is_alone:
            inbox_id = self.take_alone(group[0].arrival)
            if inbox_id is not None:
                return [inbox_id], True
            if group[0].stored.done():
                raise StoreUnavailable("its sender was told meanwhile to send it again")
        arrivals = [one.arrival for one in group]
        return add_posts(self._store, arrivals) if arrivals else [], False

    async def _linger(self) -> None:
        """Wait until there are enough for a group, but not for long."""
        loop = asyncio.get_running_loop()
        self._lingering = loop.create_future()
        timer = loop.call_later(LINGER, _end, self._lingering)
        try:
            await self._lingering
        finally:
            timer.cancel()
            self._lingering = None

    def _next_group(self) -> list[_WaitingPost]:
        """Take the next ones to be stored; none where all were given up meanwhile."""
        group = [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST_TOGETHER))]
        if len(group) >= FLOOD:
            self._flooded_at = _now()
        return group


def _end(lingering: asyncio.Future[None]) -> None:
    if not lingering.done():
        lingering.set_result(None)


def _settle(group: Sequence[_WaitingPost], error: StoreUnavailable) -> None:
    for one in group:
        if not one.stored.done():
            one.stored.set_exception(error)
