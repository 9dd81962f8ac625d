"""All that a configuration needs to work, built and connected, and each of the steps that its loops take."""

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from anyio import to_thread
from starlette.applications import Starlette

from service import inbox, jobs
from service.actions.fan_out import queue_next_chunk
from service.actions.house import House
from service.actions.watchdog import Seen
from service.actions.watching import watch
from service.app.instruments import Instruments
from service.app.making_room import Courtesy
from service.app.roles import ServeRole
from service.calls.calling import Caller
from service.errors import StoreUnavailable
from service.inbox import PostIntake
from service.inbox.uncounted import uncounted_of
from service.mail.compose import PostOffice
from service.mail.imap import FetchedMail, MailboxReader
from service.outbox import Courier, Relay, call_due, fan_out, unrecorded_of
from service.store.inbox_rows import Arrival
from service.store.leases import Lease
from service.store.senders import Sender
from service.store.tidings import ToSend
from service.store.whats_due import to_send
from service.web.public.exporting import Exporter

if TYPE_CHECKING:
    from service.mail.sandbox import Sandbox


@dataclass(slots=True)
class Service:
    """Everything, built and connected, but with nothing running yet."""

    house: House
    office: PostOffice
    relay: Relay
    courier: Courier
    """Sends what somebody waits for."""
    mailbox: MailboxReader | None
    sandbox: "Sandbox | None"
    clock: Callable[[], datetime]
    decide: asyncio.Event
    """Set when there may be something to decide."""
    send: asyncio.Event
    """Set when there may be something to send."""
    fan_out: asyncio.Event
    """Set when there may be an update for subscribers."""
    caller: Caller
    """Calls subscribers' webhooks."""
    part: Lease
    """Of several instances on one database, only the one that holds it decides; all that may work send."""
    sender: Sender
    """We among those that send."""
    role: ServeRole
    instruments: Instruments
    call: asyncio.Event
    """Set when there may be a webhook to call."""
    intake: PostIntake
    """Takes in the posts."""
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)
    """In which it works."""
    stop_fan_out: threading.Event = field(default_factory=threading.Event)
    """Set to end a fan-out after the mails and calls that are on their way."""
    is_at_work: bool = False
    """Whether its decider is at work."""
    has_decided: bool = False
    """Whether it has decided anything yet: a post that ended the process before comes again, and its attempts are to
    be counted."""
    _deciding: threading.Lock = field(default_factory=threading.Lock)
    """Held by whoever decides: one at a time."""
    courtesy: Courtesy = field(default_factory=Courtesy)
    """Between the decider and the courier."""
    web: Starlette = field(default_factory=Starlette)
    exporter: Exporter | None = None
    """Writes the status page as files, where config.yaml says so."""
    door_port: int | None = None
    """Where mail servers hand replies over, if anywhere."""

    def wake(self) -> None:
        """Look at once whether there is something to decide or to send."""
        self.decide.set()
        self.send.set()
        self.fan_out.set()
        self.call.set()

    def wake_decider(self) -> None:
        """Look at once whether there is something to decide, from whichever thread."""
        self._from_thread(self.decide)

    def wake_sender(self, of: ToSend) -> None:
        """Look at once whether there is something to send, from whichever thread."""
        self._from_thread(
            {ToSend.MAILS: self.send, ToSend.UPDATES: self.fan_out, ToSend.CALLS: self.call}[of]
        )

    def _from_thread(self, due: asyncio.Event) -> None:
        with suppress(RuntimeError):  # the loop ended, and whoever would have been woken
            self.loop.call_soon_threadsafe(due.set)

    def look_what_to_send(self) -> None:
        """Wake the senders who have something to do, from a thread. Raises StoreUnavailable."""
        store = self.house.store
        if unrecorded_of(store):
            due = frozenset(ToSend)  # each of them settles that first
        else:
            with store.reading() as connection:
                due = to_send(connection, self.clock())
        if self.courier.keeps_too_long:
            due |= {ToSend.MAILS}
        for what in due:
            self.wake_sender(what)

    def hear(self) -> None:
        """Look what there is to do since another instance stored something, from a thread; at a tick if not now."""
        self.wake_decider()
        if self.role.works:
            with suppress(StoreUnavailable):
                self.look_what_to_send()

    async def decide_next(self, most: int = jobs.ARRIVALS_AT_ONCE) -> jobs.Turn:
        """Decide what is due next, about so many arrivals at most; nothing where that falls to another one."""
        store = self.house.store
        if uncounted := uncounted_of(store):
            # whoever decides by now counts on from there
            with suppress(StoreUnavailable):
                await to_thread.run_sync(uncounted.settle, store)
        if not await self.may_work():
            return jobs.Turn(did=False, may_go_on=False)
        turn = await to_thread.run_sync(self._decide, most)
        self.has_decided |= turn.did
        return turn

    async def may_work(self) -> bool:
        """Tell whether it falls to us to decide, and take that part where nobody has it."""
        return self.has_part() if self.part.is_sure else await to_thread.run_sync(self.has_part)

    def has_part(self) -> bool:
        """Tell the same to any thread but the loop's."""
        may = self.role.works and (self.part.is_sure or self.part.is_held())
        self.instruments.play(self.clock(), is_standby=not may)
        return may

    async def may_send(self) -> bool:
        """Tell whether we may claim what is to be sent, and make sure of it where we are not."""
        if self.role.works and self.sender.number is None:
            await to_thread.run_sync(self.sender.look, self.clock())
        return self.sender.number is not None

    def _decide(self, most: int) -> jobs.Turn:
        with self.courtesy.turn(), self._deciding:
            began = time.monotonic()
            turn = self.instruments.turn(
                lambda: jobs.decide_what_is_due(self.house, self.clock(), most), self.clock
            )
            return replace(turn, took=time.monotonic() - began)

    def seen(self) -> Seen:
        """Tell what only this process knows of its own work."""
        return self.instruments.seen(self.mailbox, self.relay)

    def watch(self) -> None:
        """Look for what keeps us from our work, and tell the admins where that is new. Raises StoreUnavailable."""
        self.instruments.problems = watch(self.house, self.seen(), self.clock())

    def take_mails(self, mails: Sequence[FetchedMail]) -> None:
        """Take in mails of the mailbox, from whichever thread. Raises StoreUnavailable.

        One alone is decided about by the thread that brings it, which spares an employee the way to another one;
        where somebody decides just now, it is left to him.
        """
        now = self.clock()
        if len(mails) == 1 and self.has_part() and self._deciding.acquire(blocking=False):
            try:
                jobs.receive_and_decide(self.house, mails[0], now)
            finally:
                self._deciding.release()
        else:
            inbox.receive_mails(self.house.store, mails, now=now)

    def take_post(self, post: Arrival) -> int | None:
        """Take in a post that comes alone, from a thread, and decide about it in the same transaction; give its id.

        None where somebody else decides, or decides just now, and until something was decided otherwise, whose attempts
        are counted: it is to be taken in like all others. Raises StoreUnavailable, and OutcomeUnknown.
        """
        # as last known, since to ask who has the part may take as long as the database is away
        may = self.is_at_work and self.has_decided and not self.instruments.is_standby
        if not (may and self._deciding.acquire(blocking=False)):
            return None
        try:
            taken = jobs.receive_post_and_decide(self.house, post, self.clock())
        finally:
            self._deciding.release()
        if taken is None:
            return None
        inbox_id, is_done = taken
        if not is_done:
            self.wake_decider()
        return inbox_id

    async def send_next(self) -> bool:
        """Send the next batch of mails that somebody waits for; False where none is due."""
        if not await self.may_send():
            return False
        return await self.courier.send_due() > 0

    async def fan_out_next(self) -> bool:
        """Send updates to subscribers until there are none left; False where there were none."""
        if not await self.may_send():
            return False
        next_chunk = partial(queue_next_chunk, self.house)
        given = self.house.store, self.office, self.relay, self.clock, next_chunk, self.stop_fan_out
        sent = await to_thread.run_sync(fan_out, *given, self.sender) > 0
        self.call.set()
        return sent

    async def call_next(self) -> bool:
        """Call the next webhooks; False where none is due."""
        if not await self.may_send():
            return False
        house = self.house
        given = house.store, house.config.site, house.key, self.caller, self.clock
        return await call_due(*given, self.stop_fan_out.is_set, self.relay.noted, self.sender) > 0

    async def settle(self) -> None:
        """Read, decide and send until there is nothing left to do at this time of the clock."""
        busy = True
        while busy:
            mailbox = self.mailbox if await self.may_work() else None
            busy = mailbox is not None and await to_thread.run_sync(mailbox.poll_once) > 0
            while await self.decide_next():
                busy = True
            while await self.send_next():
                busy = True
            while await self.fan_out_next():
                busy = True
            while await self.call_next():
                busy = True
