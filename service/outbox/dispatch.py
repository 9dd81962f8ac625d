"""Sends the mails of a supply through several sessions at once.

Each mail is recorded before the text of the next goes out in its session: a kill repeats one mail a session at most.
"""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from functools import partial

import structlog

from service.errors import RecipientRefused, RecipientRefusedForNow, RelayUnavailable, ReplycastError
from service.mail.pipelining import PipelinedSession
from service.outbox.outcomes import SUSPICIOUS_AFTER, put_off
from service.outbox.recording import Recorder
from service.outbox.relay import FIRST_PAUSE, Relay, retry_after
from service.outbox.supply import Mail, Supply
from service.outbox.unrecorded import Attempt, unrecorded_of
from service.store.database import Store

MAILS_A_SESSION = 5
"""For so many mails that wait another session is opened."""
LOOK_AGAIN = 0.25
"""Seconds after which who waits for his turn looks whether he is still to send."""

_log = structlog.get_logger()


class Dispatch:
    """The sessions at work, and what they share; for one run in one event loop.

    `seconds_a_mail` is the least time between two mails, over all sessions; None: as fast as it goes. Where it
    `takes_long_to_compose`, one mail is composed at a time, and what the relay says to other sessions goes first.
    """

    def __init__(
        self,
        store: Store,
        relay: Relay,
        clock: Callable[[], datetime],
        supply: Supply,
        recorder: Recorder,
        open_session: Callable[[], AbstractAsyncContextManager[PipelinedSession]],
        *,
        seconds_a_mail: Callable[[], float] | None = None,
        takes_long_to_compose: bool = False,
    ) -> None:
        self._store = store
        self._relay = relay
        self._clock = clock
        self._supply = supply
        self._limits = relay.smtp.limits
        self._recorder = recorder
        self._open_session = open_session
        self._seconds_a_mail = seconds_a_mail
        self._turn_at = 0.0
        self._takes_long_to_compose = takes_long_to_compose
        self._composing = asyncio.Lock()
        self._fault: RelayUnavailable | None = None
        self._at_work: set[asyncio.Task[None]] = set()
        self._is_open = False
        """Whether a session could be opened: a login that is refused is to be refused once."""
        self._is_vain = True
        """Whether the relay has said of no mail what becomes of it."""

    async def run(self) -> None:
        """Work until there is nothing to do or no session can be had any more. Raises StoreUnavailable."""
        try:
            first = self._next()
            if first is not None:
                self._supply.put_back(first)
                await self._work_together()
        except asyncio.CancelledError:
            self._recorder.commit()
            self._supply.give_back(self._clock(), "")
            raise
        finally:
            self._recorder.commit()
        now, left = self._clock(), len(self._supply)
        if self._fault is None or not (left or self._is_vain):
            self._supply.give_back(now, "")
            return
        _log.warning("outbox: the relay is unavailable", error=str(self._fault), waiting=left)
        self._supply.give_back(self._relay.pause(now, because=self._fault), str(self._fault))

    async def _work_together(self) -> None:
        faults: list[BaseException] = []
        self._begin_another()
        try:
            while self._at_work:
                # those at work begin others meanwhile
                done, _ = await asyncio.wait(set(self._at_work), return_when=asyncio.FIRST_COMPLETED)
                self._at_work -= done
                faults += [fault for one in done if (fault := one.exception()) is not None]
        finally:
            for one in self._at_work:
                one.cancel()
            await asyncio.gather(*self._at_work, return_exceptions=True)
        if faults:
            raise faults[0]

    def _begin_another(self) -> None:
        self._at_work.add(asyncio.create_task(self._work()))
        # half of the sessions wait for a commit while the relay is busy with the other half
        self._recorder.together = max(len(self._at_work) // 2, 1)

    def _grow(self) -> None:
        """Begin as many sessions as there is work for."""
        most = min(self._limits.connections, 1 + len(self._supply) // MAILS_A_SESSION)
        while self._is_open and self._fault is None and len(self._at_work) < most:
            self._begin_another()

    def _next(self) -> Mail | None:
        return self._supply.take(refuse=self._recorder.note)

    async def _take(self) -> Mail | None:
        """Give the next mail. It is composed, which takes a millisecond, while the relay has to do with the others."""
        if not self._takes_long_to_compose or len(self._at_work) == 1:
            return self._next()
        async with self._composing:
            # until the loop has heard what the relay has said, and whoever waits for that has gone on: uvloop takes two
            # rounds for it, asyncio's own loop three
            for _ in range(3):
                await asyncio.sleep(0)
            return self._next()

    async def _work(self) -> None:
        """Send through one session after another, as long as each sends something."""
        while await self._one_session():
            pass

    async def _one_session(self) -> bool:
        """Send through one session until it is over; gives whether another one may be of use."""
        sent, mail, following = 0, await self._take(), None
        session: PipelinedSession | None = None
        if mail is None:
            return False
        try:
            async with self._open_session() as session:
                self._is_open = True
                while mail is not None and session.is_open and await self._has_turn():
                    is_last = session.mails + 1 >= self._limits.mails_per_connection
                    following = None if is_last else await self._take()
                    self._grow()
                    error = await self._send(session, mail, following)
                    done, mail, following = mail, following, None
                    await self._recorder.note(done.delivery, error)
                    self._relay.works()
                    self._is_vain = False
                    sent += 1
        except RelayUnavailable as fault:
            if session is not None and session.mails and not sent and not session.is_in_doubt:
                return True  # it had been kept, and the relay had ended it meanwhile: a new one tells more
            self._fault = fault
            if session is not None and mail is not None:
                broken, mail = mail, None
                await self._settle(broken, session, fault)
        except asyncio.CancelledError:
            if session is not None and mail is not None and session.is_in_doubt:
                doubtful, mail = mail, None
                self._put_off(doubtful, session, "")
            raise
        finally:
            for left in (following, mail):
                if left is not None:
                    self._supply.put_back(left)
        return sent > 0

    async def _send(
        self, session: PipelinedSession, mail: Mail, following: Mail | None
    ) -> ReplycastError | None:
        """Send a mail; gives the refusal, if it was refused. Raises RelayUnavailable."""
        ahead = following.envelope if following is not None and self._seconds_a_mail is None else None
        try:
            await session.send(mail.envelope, then=ahead)
        except (RecipientRefused, RecipientRefusedForNow) as refusal:
            return refusal
        return None

    async def _settle(self, mail: Mail, session: PipelinedSession, fault: RelayUnavailable) -> None:
        """Put off the mail under which a session broke; the attempt counts, for it may be to blame."""
        if mail.delivery.attempts >= SUSPICIOUS_AFTER:
            # it steps back, so that the others go on
            await self._recorder.note(mail.delivery, RecipientRefusedForNow(str(fault)))
            return
        self._put_off(mail, session, str(fault))

    def _put_off(self, mail: Mail, session: PipelinedSession, said: str) -> None:
        now, delivery = self._clock(), mail.delivery
        if session.is_in_doubt:
            due_at, said = now + retry_after(delivery.attempts), ""
        else:
            due_at = now + FIRST_PAUSE
        write = partial(put_off, claimed=delivery, due_at=due_at, error=said)
        unrecorded_of(self._store).record(self._store, Attempt(delivery, write))

    async def _has_turn(self) -> bool:
        """Keep to the rate that config.yaml allows, over all sessions and all who send side by side.

        False where what was claimed is ours no longer, since somebody else sends it, or we are told to stop meanwhile.
        """
        if self._seconds_a_mail is None:
            return self._supply.is_ours
        loop = asyncio.get_running_loop()
        turn_at = max(self._turn_at, loop.time())
        self._turn_at = turn_at + self._seconds_a_mail()
        while (left := turn_at - loop.time()) > 0 and self._supply.is_to_be_sent:  # noqa: ASYNC110  threads end that
            await asyncio.sleep(min(left, LOOK_AGAIN))
        return self._supply.is_to_be_sent
