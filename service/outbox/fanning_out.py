"""Sends updates to all their subscribers, through several sessions at once."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, closing, suppress
from datetime import datetime, timedelta
from functools import partial
from threading import Event
from typing import Protocol

from service.errors import exhaustion_named
from service.mail.compose import Envelope, PostOffice
from service.mail.pipelining import PipelinedSession, open_pipelined
from service.model import Delivery
from service.outbox.claims import BEGUN_WITHIN
from service.outbox.composing import BulkComposer
from service.outbox.dispatch import Dispatch
from service.outbox.outcomes import LEASE
from service.outbox.pace import LOOK_AGAIN
from service.outbox.recording import Recorder
from service.outbox.relay import Relay
from service.outbox.supply import Supply
from service.outbox.unrecorded import unrecorded_of
from service.store import deliveries
from service.store.database import Store
from service.store.deliveries import ALONE
from service.store.fan_outs import Chunk
from service.store.senders import THE_ONLY, Claimant
from service.store.sent_marks import SentMarks

CLAIMED_AT_ONCE = 1_000
LEAVES_AFTER = 5.0
"""Seconds that mails under way get once it is told to stop: the service has ten, and a relay may take minutes."""


class NextChunk(Protocol):
    """Queues the next deliveries of an update, and with a lease claims its mails; None: no update has any left."""

    def __call__(
        self,
        now: datetime,
        *,
        chunk: int = CLAIMED_AT_ONCE,
        lease: timedelta | None = None,
        claimed_by: int = ALONE,
    ) -> Chunk | None:
        """Queue so many at most."""


def fan_out(
    store: Store,
    office: PostOffice,
    relay: Relay,
    clock: Callable[[], datetime],
    next_chunk: NextChunk,
    stop: Event,
    claimant: Claimant = THE_ONLY,
) -> int:
    """Send every update that is due to be sent to subscribers; returns how many mails it claimed.

    It ends when there are no more, when `stop` is set, or when the relay cannot be reached: then nothing is lost,
    no attempt counted, and all wait until it is tried again. It is for a thread of its own, where it runs an event
    loop and writes to the database between two mails. Raises StoreUnavailable and MachineExhausted; what was sent or
    claimed by then is remembered, and made up for by the next call. Once the claimant must not send any more it gives
    back what it has.
    """
    unrecorded = unrecorded_of(store)
    unrecorded.settle(store, clock())
    if relay.is_paused(clock()) or not relay.most_for_updates:
        # who is told by other means than mail does not wait for the relay, or for its having room
        while not stop.is_set() and next_chunk(clock()):
            pass
        return 0
    rate = relay.smtp.limits.rate and relay.smtp.limits.rate / claimant.among
    source = _Updates(store, office, next_chunk, rate)
    supply = Supply(store, source, clock, stop=stop, claimant=claimant)
    try:
        if not supply.claim():
            return 0  # asked after each decision, and a loop and its connections take their time to make
        # first what may not be had: the marks take a connection from those that others use
        with asyncio.Runner(loop_factory=new_event_loop) as runner, closing(SentMarks(store)) as marks:
            dispatch = Dispatch(
                store,
                relay,
                clock,
                supply,
                Recorder(store, marks, clock, relay.noted),
                partial(_session, relay, clock),
                seconds_a_mail=_pace(relay, claimant),
            )
            runner.run(_until_told_to_leave(dispatch, stop))
            store.checkpoint()
    except Exception:
        unrecorded.keep_claims(supply.left())
        raise
    return supply.claimed


async def _until_told_to_leave(dispatch: Dispatch, stop: Event) -> None:
    """Send; once told to stop, wait for the relay no longer than LEAVES_AFTER."""
    sending = asyncio.create_task(dispatch.run())
    while not sending.done():
        await asyncio.wait({sending}, timeout=LOOK_AGAIN)
        if stop.is_set():
            await asyncio.wait({sending}, timeout=LEAVES_AFTER)
            sending.cancel()
            await asyncio.wait({sending})
    with suppress(asyncio.CancelledError):
        await sending


@asynccontextmanager
async def _session(relay: Relay, clock: Callable[[], datetime]) -> AsyncIterator[PipelinedSession]:
    """Open a session that counts as one for updates."""
    async with open_pipelined(relay.smtp, tokens=relay.tokens, now=clock()) as session:
        relay.held_by_updates += 1
        try:
            yield session
        finally:
            relay.held_by_updates -= 1


def _pace(relay: Relay, claimant: Claimant) -> Callable[[], float] | None:
    """Give the least time between two mails of ours, where config.yaml sets a rate for all who send side by side."""
    rate = relay.smtp.limits.rate
    return None if rate is None else lambda: claimant.among / rate


@exhaustion_named()
def new_event_loop() -> asyncio.AbstractEventLoop:
    """Make the fastest event loop that this system has. Raises MachineExhausted."""
    try:
        import uvloop  # noqa: PLC0415  not to be had on every system
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


class _Updates:
    """The deliveries of updates, as a source of mails: what is due again, or else the next of an update."""

    def __init__(self, store: Store, office: PostOffice, next_chunk: NextChunk, rate: float | None) -> None:
        self._store = store
        self._next_chunk = next_chunk
        # no more than can be sent before it would have to be claimed anew
        most = CLAIMED_AT_ONCE if rate is None else rate * BEGUN_WITHIN.total_seconds() / 2
        self._most = max(min(int(most), CLAIMED_AT_ONCE), 1)
        self._composer = BulkComposer(store, office)

    def claim(self, now: datetime, number: int) -> Sequence[Delivery] | None:
        """Claim the next ones."""
        claimed: Sequence[Delivery] = self._claim_due(now, number)
        if not claimed:
            chunk = self._next_chunk(now, chunk=self._most, lease=LEASE, claimed_by=number)
            if chunk is None:
                return None
            claimed = chunk.claimed
        self._composer.begin(claimed)
        return claimed

    def compose(self, delivery: Delivery, _now: datetime) -> Envelope:
        """Compose one of them."""
        return self._composer.compose(delivery)

    def _claim_due(self, now: datetime, number: int) -> tuple[Delivery, ...]:
        with self._store.reading() as connection:
            due_at = deliveries.next_due_at(connection, urgent=False)
        if due_at is None or due_at > now:
            return ()
        with self._store.transaction(alone=False) as connection:
            return deliveries.claim_due(
                connection, now, urgent=False, lease=LEASE, limit=self._most, claimed_by=number
            )
