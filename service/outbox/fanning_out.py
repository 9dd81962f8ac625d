"""Sends updates to all their subscribers, through several sessions at once.

Each mail is recorded before the text of the next goes out in its session: a kill repeats one mail a session at most.
"""

import asyncio
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from functools import partial
from threading import Event

import structlog

from service.errors import (
    RecipientRefused,
    RecipientRefusedForNow,
    RelayUnavailable,
    ReplycastError,
    StoreUnavailable,
)
from service.mail.compose import PostOffice
from service.mail.pipelining import PipelinedSession, open_pipelined
from service.outbox.outcomes import SUSPICIOUS_AFTER, put_off
from service.outbox.recording import Recorder
from service.outbox.relay import FIRST_PAUSE, Relay, retry_after
from service.outbox.supply import Mail, NextChunk, Supply
from service.outbox.unrecorded import Attempt, unrecorded_of
from service.store.database import Store
from service.store.senders import THE_ONLY, Claimant
from service.store.sent_marks import SentMarks

MAILS_A_SESSION = 10
"""For so many mails that wait another session is opened."""

_log = structlog.get_logger()


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
    loop and writes to the database between two mails. Raises StoreUnavailable; what was sent or claimed by then is
    remembered, and made up for by the next call. Once the claimant must not send any more it gives back what it has.
    """
    unrecorded = unrecorded_of(store)
    unrecorded.settle(store, clock())
    if relay.is_paused(clock()):
        # who is told by other means than mail does not wait for the relay
        while not stop.is_set() and next_chunk(clock()):
            pass
        return 0
    rate = relay.smtp.limits.rate and relay.smtp.limits.rate / claimant.among
    supply = Supply(store, office, clock, next_chunk, rate=rate, stop=stop, claimant=claimant)
    try:
        if not supply.claim():
            return 0  # asked after each decision, and a loop and its connections take their time to make
        with closing(SentMarks(store)) as marks, asyncio.Runner(loop_factory=new_event_loop) as runner:
            recorder = Recorder(store, marks, clock, relay.noted)
            runner.run(_FanOut(store, relay, clock, supply, recorder, claimant).run())
    except StoreUnavailable:
        unrecorded.keep_claims(supply.left())
        raise
    return supply.claimed


def new_event_loop() -> asyncio.AbstractEventLoop:
    """Make the fastest event loop that this system has."""
    try:
        import uvloop  # noqa: PLC0415  not to be had on every system
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


class _FanOut:
    """The sessions at work, and what they share."""

    def __init__(
        self,
        store: Store,
        relay: Relay,
        clock: Callable[[], datetime],
        supply: Supply,
        recorder: Recorder,
        claimant: Claimant,
    ) -> None:
        self._store = store
        self._relay = relay
        self._clock = clock
        self._supply = supply
        self._limits = relay.smtp.limits
        self._recorder = recorder
        self._claimant = claimant
        self._turn_at = 0.0
        self._fault: RelayUnavailable | None = None
        self._is_open = asyncio.Event()
        """Set when a session could be opened: a login that is refused is to be refused once."""

    async def run(self) -> None:
        """Work until there is nothing to do or no session can be had any more."""
        try:
            first = self._take()
            if first is not None:
                self._supply.put_back(first)
                await self._work_together()
        finally:
            self._recorder.commit()
        now, left = self._clock(), len(self._supply)
        if self._fault is not None and left:
            _log.warning("outbox: the relay is unavailable", error=str(self._fault), waiting=left)
            self._supply.give_back(self._relay.pause(now, because=self._fault), str(self._fault))
        else:
            self._supply.give_back(now, "")
        self._store.checkpoint()

    async def _work_together(self) -> None:
        leading, opened = asyncio.create_task(self._work()), asyncio.create_task(self._is_open.wait())
        await asyncio.wait({leading, opened}, return_when=asyncio.FIRST_COMPLETED)
        opened.cancel()
        more = min(self._limits.connections - 1, len(self._supply) // MAILS_A_SESSION)
        others = [self._work() for _ in range(more if self._is_open.is_set() else 0)]
        # half of the sessions wait for a commit while the relay is busy with the other half
        self._recorder.together = max((1 + len(others)) // 2, 1)
        for outcome in await asyncio.gather(leading, *others, return_exceptions=True):
            if outcome is not None:
                raise outcome

    def _take(self) -> Mail | None:
        return self._supply.take(refuse=self._recorder.note)

    async def _work(self) -> None:
        """Send through one session after another, as long as each sends something."""
        while await self._one_session():
            pass

    async def _one_session(self) -> bool:
        """Send through one session until it is over; gives whether another one may be of use."""
        sent, mail, following = 0, self._take(), None
        session: PipelinedSession | None = None
        if mail is None:
            return False
        try:
            opening = open_pipelined(self._relay.smtp, tokens=self._relay.tokens, now=self._clock())
            async with opening as session:
                self._is_open.set()
                while mail is not None and session.is_open:
                    is_last = sent + 1 >= self._limits.mails_per_connection
                    following = None if is_last else self._take()
                    error = await self._send(session, mail, following)
                    done, mail, following = mail, following, None
                    await self._recorder.note(done.delivery, error)
                    self._relay.works()
                    sent += 1
        except RelayUnavailable as fault:
            self._fault = fault
            if session is not None and mail is not None:
                broken, mail = mail, None
                self._settle(broken, session, fault)
        finally:
            for left in (following, mail):
                if left is not None:
                    self._supply.put_back(left)
        return sent > 0

    async def _send(
        self, session: PipelinedSession, mail: Mail, following: Mail | None
    ) -> ReplycastError | None:
        """Send a mail; gives the refusal, if it was refused. Raises RelayUnavailable."""
        ahead = following.envelope if following is not None and self._limits.rate is None else None
        await self._wait_for_turn()
        try:
            await session.send(mail.envelope, then=ahead)
        except (RecipientRefused, RecipientRefusedForNow) as refusal:
            return refusal
        return None

    def _settle(self, mail: Mail, session: PipelinedSession, fault: RelayUnavailable) -> None:
        """Put off the mail under which a session broke; the attempt counts, for it may be to blame."""
        now, delivery = self._clock(), mail.delivery
        if delivery.attempts >= SUSPICIOUS_AFTER:
            # it steps back, so that the others go on
            self._recorder.note(delivery, RecipientRefusedForNow(str(fault)))
            return
        if session.is_in_doubt:
            due_at, said = now + retry_after(delivery.attempts), ""
        else:
            due_at, said = now + FIRST_PAUSE, str(fault)
        write = partial(put_off, claimed=delivery, due_at=due_at, error=said)
        unrecorded_of(self._store).record(self._store, Attempt(delivery, write))

    async def _wait_for_turn(self) -> None:
        """Keep to the rate that config.yaml allows, over all sessions and all who send side by side."""
        if self._limits.rate is not None:
            now = asyncio.get_running_loop().time()
            turn_at = max(self._turn_at, now)
            self._turn_at = turn_at + self._claimant.among / self._limits.rate
            await asyncio.sleep(turn_at - now)
