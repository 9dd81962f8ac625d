"""Sends the mails of a supply through several sessions at once.

Each mail is recorded before the text of the next goes out in its session: a kill repeats one mail a session at most.
"""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime

import structlog

from service.errors import (
    RecipientRefused,
    RecipientRefusedForNow,
    RelayUnavailable,
    ReplycastError,
    TemporaryFault,
)
from service.mail.pipelining import PipelinedSession
from service.mail.smtp_answers import RelayWantsLogin
from service.outbox.broken_off import settle, try_later
from service.outbox.hands import Hand, sessions_wanted
from service.outbox.pace import LOOK_AGAIN, Pace
from service.outbox.patience import Patience
from service.outbox.recording import Recorder
from service.outbox.relay import Relay
from service.outbox.supply import Mail, Supply
from service.store.database import Store

_log = structlog.get_logger()


class Dispatch:
    """The sessions at work, and what they share; for one run in one event loop.

    `seconds_a_mail` is the least time between two mails, over all sessions; None: as fast as it goes. Where it
    `takes_long_to_compose`, one mail is composed at a time, and what the relay says to other sessions goes first.

    `look_anew` is given where somebody waits for each of these mails: none waits behind another one that the relay
    takes its time with. It lets the supply claim what fell due since it had no more.
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
        look_anew: Callable[[], None] | None = None,
    ) -> None:
        self._store = store
        self._relay = relay
        self._clock = clock
        self._supply = supply
        self._limits = relay.smtp.limits
        self._recorder = recorder
        self._open_session = open_session
        self._pace = Pace(seconds_a_mail) if seconds_a_mail is not None else None
        self._takes_long_to_compose = takes_long_to_compose
        self._composing = asyncio.Lock()
        self._look_anew = look_anew
        self._hands: set[Hand] = set()
        self._patience = Patience()
        self._look_failed: TemporaryFault | None = None
        self._at_work: set[asyncio.Task[None]] = set()
        self._is_open = False
        """Whether a session could be opened: a login that is refused is to be refused once."""
        self._is_vain = True
        """Whether the relay has said of no mail what becomes of it."""

    async def run(self) -> None:
        """Work until there is nothing to do or no session can be had any more. Raises StoreUnavailable."""
        try:
            # where it wants a login for the first one, it may take the others as we come
            self._supply.sort(self._relay.logins_wanted.likelihood)
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
        now, left, fault = self._clock(), len(self._supply), self._patience.fault
        if fault is None or not (left or self._is_vain):
            self._supply.give_back(now, "")
            return
        _log.warning("outbox: the relay is unavailable", error=str(fault), waiting=left)
        self._supply.give_back(self._relay.pause(now, because=fault), str(fault))

    async def _work_together(self) -> None:
        faults: list[BaseException] = []
        self._begin_another()
        try:
            while self._at_work:
                # those at work begin others meanwhile
                done, _ = await asyncio.wait(
                    set(self._at_work), timeout=LOOK_AGAIN, return_when=asyncio.FIRST_COMPLETED
                )
                self._at_work -= done
                faults += [fault for one in done if (fault := one.exception()) is not None]
                if not faults:
                    self._relieve_the_slow()
        finally:
            for one in self._at_work:
                one.cancel()
            await asyncio.gather(*self._at_work, return_exceptions=True)
        if fault := next(iter(faults), self._look_failed):
            raise fault

    def _begin_another(self) -> None:
        self._at_work.add(asyncio.create_task(self._work()))
        # half of the sessions wait for a commit while the relay is busy with the other half
        self._recorder.together = max(len(self._at_work) // 2, 1)

    def _grow(self, slow: int = 0) -> None:
        """Begin as many sessions as there is work for."""
        most = self._limits.connections if self._is_urgent else self._relay.most_for_updates
        wanted = sessions_wanted(len(self._supply), slow, most)
        while self._is_open and len(self._at_work) < wanted and (slow or self._patience.fault is None):
            self._begin_another()
            if self._patience.fault is not None:  # one is enough to find out whether the relay has room again
                self._patience.tries(asyncio.get_running_loop().time())
                return

    def _relieve_the_slow(self) -> None:
        """Let others send what waits behind a mail that takes long, and what fell due meanwhile.

        After a fault that is tried again later; where a login was refused, it is not.
        """
        now = asyncio.get_running_loop().time()
        slow = [hand for hand in self._hands if hand.is_slow(now)]
        if self._look_anew is None or not slow or not self._patience.may_try(now):
            return
        for mail in [mail for hand in slow for mail in hand.let_go()]:
            self._supply.put_back(mail)
        try:
            if not self._supply:
                self._look_anew()
                self._supply.claim()
                self._look_failed = None
        except TemporaryFault as fault:
            self._look_failed = fault
        self._grow(sum(not hand.is_opening for hand in slow))

    @property
    def _is_urgent(self) -> bool:
        """Whether somebody waits for these mails."""
        return self._look_anew is not None

    def _is_crowded(self, besides: int = 0) -> bool:
        """Tell whether there are more sessions for updates, with those `besides`, than the relay has room for."""
        return not self._is_urgent and self._relay.held_by_updates + besides > self._relay.most_for_updates

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
        if self._is_crowded(besides=1):
            return False
        mail, session = await self._take(), None
        if mail is None:
            return False
        hand = Hand(mail, asyncio.get_running_loop().time())
        self._hands.add(hand)
        try:
            async with self._open_session() as session:
                self._is_open, hand.is_opening = True, False
                await self._send_through(session, hand)
        except RelayWantsLogin as fault:
            return await self._note_wish(fault, hand)
        except RelayUnavailable as fault:
            if session is not None and session.mails and not hand.sent and not session.is_in_doubt:
                return True  # it had been kept, and the relay had ended it meanwhile: a new one tells more
            await self._note_fault(fault, session, hand)
        except asyncio.CancelledError:
            if session is not None and hand.mail is not None and session.is_in_doubt:
                doubtful, hand.mail = self._supply.as_claimed(hand.mail), None
                said = "the service ended before the relay had answered"
                try_later(self._store, doubtful.delivery, said, self._clock(), is_in_doubt=True)
            raise
        finally:
            self._hands.discard(hand)
            for left in (hand.following, hand.mail):
                if left is not None:
                    self._supply.put_back(left)
        return hand.sent > 0

    async def _send_through(self, session: PipelinedSession, hand: Hand) -> None:
        """Send one mail after the other as long as there are any, the session is open, and it is our turn."""
        loop = asyncio.get_running_loop()
        if hand.mail is None:
            hand.mail = await self._take()
        while hand.mail is not None and session.is_open and await self._has_turn(hand.mail):
            hand.is_at_it = True
            if hand.following is None and session.mails + 1 < self._limits.mails_per_connection:
                hand.following = await self._take()
            self._grow()
            # nothing is awaited from here until it begins, lest its claim end under it
            mail = self._supply.confirmed(hand.mail)
            if mail is None and hand.is_ahead:
                hand.mail = None
                session.close("the mail that was to follow is not to be sent any more")
                return
            if mail is None:
                hand.mail, hand.following = hand.following, None
                continue
            hand.mail, hand.since = mail, loop.time()
            following = hand.following
            error = await self._send(session, mail, following)
            done, hand.mail, hand.following = self._supply.as_claimed(mail), hand.following, None
            is_ahead = following is not None and session.is_pipelining and self._pace is None
            hand.is_ahead, hand.is_at_it, hand.since = is_ahead, False, loop.time()
            await self._recorder.note(done.delivery, error)
            self._supply.done(done)
            self._relay.works(for_updates=not self._is_urgent)
            self._is_vain = False
            hand.sent += 1
            if self._is_urgent:  # a fan-out does with the sessions it has
                self._patience.sent(hand)
            is_over = self._is_crowded()
            if is_ahead and (is_over or hand.mail is None):
                session.close("the mail that was to follow is sent through another session")
            if is_over:
                return
            if following is not None and hand.mail is None and not is_ahead:
                hand.mail = await self._take()

    async def _send(
        self, session: PipelinedSession, mail: Mail, following: Mail | None
    ) -> ReplycastError | None:
        """Send a mail; gives the refusal, if it was refused. Raises RelayUnavailable."""
        ahead = following.envelope if following is not None and self._pace is None else None
        try:
            await session.send(mail.envelope, then=ahead)
        except (RecipientRefused, RecipientRefusedForNow) as refusal:
            return refusal
        return None

    async def _note_fault(
        self, fault: RelayUnavailable, session: PipelinedSession | None, hand: Hand
    ) -> None:
        """Note that a session broke, or could not be had."""
        self._patience.note(fault, asyncio.get_running_loop().time())
        if session is None:
            if self._is_urgent:
                self._relay.ask_for_room(because=fault)
        elif hand.mail is not None:
            broken, hand.mail = self._supply.as_claimed(hand.mail), None
            now, is_in_doubt = self._clock(), session.is_in_doubt
            await settle(
                self._store, self._recorder, broken.delivery, str(fault), now, is_in_doubt=is_in_doubt
            )
            self._supply.done(broken)

    async def _note_wish(self, fault: RelayWantsLogin, hand: Hand) -> bool:
        """Note that the relay wants a login for a mail, whose own that is, or all wait; gives whether to go on."""
        if hand.mail is None:
            return False
        mail, hand.mail = self._supply.as_claimed(hand.mail), None
        if not self._relay.logins_wanted.is_for(mail.delivery.recipient):
            self._patience.note(fault, asyncio.get_running_loop().time())
            self._supply.put_back(mail, is_last=True)
            return hand.sent > 0
        await self._recorder.note(mail.delivery, RecipientRefusedForNow(str(fault)))
        self._supply.done(mail)
        return True

    async def _has_turn(self, mail: Mail) -> bool:
        """Wait for the turn of a mail; False where it is ours no longer, or we are told to stop meanwhile."""
        if self._pace is None:
            return self._supply.is_ours(mail)
        return await self._pace.has_turn(lambda: self._supply.is_to_be_sent(mail))
