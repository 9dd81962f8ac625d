"""Sends the mails that a person waits for. What a mail says was decided before; it never decides."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager, nullcontext
from contextvars import copy_context
from dataclasses import dataclass
from datetime import datetime
from threading import Event
from time import monotonic
from types import TracebackType
from typing import Final, Self

from service.errors import RecipientRefused
from service.mail.compose import Envelope, PostOffice
from service.mail.pipelining import PipelinedSession, open_pipelined
from service.model import Delivery
from service.outbox.composing import compose_one
from service.outbox.dispatch import Dispatch
from service.outbox.fanning_out import new_event_loop
from service.outbox.outcomes import LEASE, SHORT_LIVED
from service.outbox.recording import Recorder
from service.outbox.relay import Relay
from service.outbox.supply import Supply
from service.outbox.unrecorded import unrecorded_of
from service.store import deliveries, far_ahead
from service.store.database import Store
from service.store.senders import THE_ONLY, Claimant
from service.store.sent_marks import SeenMarks

BATCH: Final = 50
"""Few, so that who sends side by side has a part of them."""
AHEAD_EACH: Final = 60.0
"""Seconds after which it is looked for what is too far ahead, also while something is due: that may wait for it."""
KEPT_FOR: Final = 5.0
"""Seconds that a session waits for the next mail: too few for a relay, or a firewall on the way, to forget it."""

Turn = Callable[[], AbstractContextManager[None]]
"""Waits until no other thread computes for long, and lets this one do so during the block."""


class Courier:
    """Sends in a thread and an event loop of its own, so that nothing else holds it up. It is to be closed.

    A session is kept for some seconds, since to connect and to log in takes longer than to send. `turn` is asked for
    before each stretch of computing.
    """

    def __init__(
        self,
        store: Store,
        office: PostOffice,
        relay: Relay,
        clock: Callable[[], datetime],
        claimant: Claimant = THE_ONLY,
        *,
        turn: Turn = nullcontext,
    ) -> None:
        self._store = store
        self._office = office
        self._turn = turn
        self._relay = relay
        self._clock = clock
        self._claimant = claimant
        self._stop = Event()
        self._keeper = _Keeper(relay, clock)
        self._ahead = _LookAhead()
        self._thread = ThreadPoolExecutor(1, "courier")
        self._runner = asyncio.Runner(loop_factory=new_event_loop)
        self._at_work: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Give itself."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give up what is not on its way, and take leave of the relay."""
        self._stop.set()
        loop = asyncio.get_running_loop()
        if self._at_work is not None:
            self._at_work.get_loop().call_soon_threadsafe(self._at_work.cancel)
        await loop.run_in_executor(self._thread, self._close)
        self._thread.shutdown()

    @property
    def keeps_too_long(self) -> bool:
        """Whether a session is kept that `send_due` would end."""
        return self._keeper.is_stale

    async def send_due(self) -> int:
        """Send all mails that are due and no updates for subscribers; returns how many it claimed.

        Where the relay cannot be reached nothing is lost and no attempt counted: all wait until it is tried again. Once
        the claimant must not send any more, what it has is given back.
        Raises StoreUnavailable and MachineExhausted; what was sent or claimed by then is remembered, and made up for by
        the next call.
        """
        within = copy_context()
        return await asyncio.get_running_loop().run_in_executor(self._thread, within.run, self._send_due)

    def _send_due(self) -> int:
        unrecorded, now = unrecorded_of(self._store), self._clock()
        if unrecorded:
            unrecorded.settle(self._store, now)
        self._runner.get_loop()  # which may not be had: nothing is claimed then
        source = _Urgent(self._store, self._office, self._turn, self._ahead)
        supply = Supply(self._store, source, self._clock, stop=self._stop, claimant=self._claimant)
        try:
            if self._relay.is_paused(now) or not supply.claim():
                if self._keeper.is_stale:
                    self._runner.run(self._keeper.let_go())
                return 0
            self._runner.run(self._send(supply, source.look_anew), context=copy_context())
        except asyncio.CancelledError:  # we were told to leave
            return supply.claimed
        except Exception:
            unrecorded.keep_claims(supply.left())
            raise
        return supply.claimed

    async def _send(self, supply: Supply, look_anew: Callable[[], None]) -> None:
        self._at_work = asyncio.current_task()
        recorder = Recorder(self._store, SeenMarks(self._store), self._clock, self._relay.noted)
        dispatch = Dispatch(
            self._store,
            self._relay,
            self._clock,
            supply,
            recorder,
            self._keeper.session,
            takes_long_to_compose=True,
            look_anew=look_anew,
        )
        try:
            await dispatch.run()
        finally:
            self._at_work = None

    def _close(self) -> None:
        with self._runner:
            self._runner.run(self._keeper.let_go())


@dataclass(slots=True)
class _LookAhead:
    """When it was last looked for what is too far ahead, by the monotonic clock."""

    at: float = float("-inf")


class _Urgent:
    """The mails that a person waits for, as a source for one run."""

    def __init__(self, store: Store, office: PostOffice, turn: Turn, ahead: _LookAhead) -> None:
        self._ahead = ahead
        self._store = store
        self._office = office
        self._turn = turn
        self._is_drained = False
        """Whether there were fewer than might have been: what came since then wakes the courier anew."""

    def look_anew(self) -> None:
        """Let what came since then be claimed as well: a run may take long."""
        self._is_drained = False

    def claim(self, now: datetime, number: int) -> Sequence[Delivery] | None:
        """Claim the next ones."""
        if self._is_drained:
            return None
        with self._turn():
            return self._claimed(now, number)

    def _claimed(self, now: datetime, number: int) -> Sequence[Delivery] | None:
        with self._store.reading() as connection:
            due_at = deliveries.next_due_at(connection, urgent=True)
            is_due = due_at is not None and due_at <= now
            looks_ahead = not is_due or monotonic() - self._ahead.at >= AHEAD_EACH
            was_set_back = looks_ahead and far_ahead.is_any_far_ahead(connection, now)
        if looks_ahead:
            self._ahead.at = monotonic()
        if was_set_back:
            with self._store.transaction(alone=False) as connection:
                far_ahead.bring_back(connection, now)
        elif not is_due:
            return None
        # a power cut may take the claim back, and what was sent by then is not noted as sent either
        with self._store.transaction(durable=False, alone=False) as connection:
            found = deliveries.claim_due(
                connection, now, urgent=True, lease=LEASE, limit=BATCH, claimed_by=number
            )
        self._is_drained = len(found) < BATCH
        return found or None

    def compose(self, delivery: Delivery, now: datetime) -> Envelope:
        """Compose one of them, unless it came to be of no use."""
        if delivery.kind in SHORT_LIVED and now >= delivery.created_at + SHORT_LIVED[delivery.kind]:
            raise RecipientRefused("it waited until it was of no use any more")
        with self._turn():
            return compose_one(self._store, self._office, delivery)


class _Keeper:
    """Keeps a session that is done, for the next one who wants one; for one event loop."""

    def __init__(self, relay: Relay, clock: Callable[[], datetime]) -> None:
        self._relay = relay
        self._clock = clock
        self._kept: PipelinedSession | None = None
        self._of = relay.smtp
        self._since = 0.0
        self._end = AsyncExitStack()
        """Ends what is kept."""

    @property
    def is_stale(self) -> bool:
        """Whether it has kept one for long enough, or one of another relay."""
        is_old = monotonic() - self._since >= KEPT_FOR or self._of is not self._relay.smtp
        return self._kept is not None and is_old

    @asynccontextmanager
    async def session(self) -> AsyncIterator[PipelinedSession]:
        """Give the kept one or open another, and keep it at the end; raises RelayUnavailable."""
        if self.is_stale:
            await self.let_go()
        async with AsyncExitStack() as end:
            session, self._kept = self._kept, None
            if session is not None:
                await end.enter_async_context(self._end.pop_all())
                await _hear(session)
            if session is None or not session.is_open:
                relay = self._relay
                opening = open_pipelined(relay.smtp, tokens=relay.tokens, now=self._clock())
                session = await end.enter_async_context(opening)
            yield session
            self._keep(session, end)

    def _keep(self, session: PipelinedSession, end: AsyncExitStack) -> None:
        most = self._relay.smtp.limits.mails_per_connection
        if self._kept is None and session.is_open and session.mails < most:
            self._kept, self._of, self._since = session, self._relay.smtp, monotonic()
            self._end = end.pop_all()

    async def let_go(self) -> None:
        """End what is kept."""
        self._kept = None
        await self._end.aclose()


async def _hear(session: PipelinedSession) -> None:
    """Let the loop, which stood still meanwhile, find out whether the relay has hung up."""
    for _ in range(2):
        if session.is_open:
            await asyncio.sleep(0)
