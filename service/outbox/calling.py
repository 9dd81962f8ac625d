"""Calls subscribers' webhooks, and gives up those that have taken nothing for days. It never decides whom to tell."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import structlog
from anyio import to_thread
from sqlalchemy import Connection

from service.calls.calling import Caller
from service.calls.payloads import News, Subject, payload
from service.calls.signing import signed
from service.config.settings import Site
from service.errors import (
    PermanentFault,
    RecipientRefused,
    RecipientRefusedForNow,
    ReplycastError,
    StoreUnavailable,
    TemporaryFault,
)
from service.model import ComponentState, Delivery, MaintenancePhase, Subscriber, SubscriberState
from service.outbox.attempts import Noted, Outcome, nobody
from service.outbox.outcomes import LEASE, USEFUL_FOR, record
from service.outbox.relay import LONGEST_RETRY
from service.outbox.turns import Turns
from service.outbox.unrecorded import Attempt, unrecorded_of
from service.store import deliveries, incidents, maintenances, narrative, subscribers
from service.store.database import Store
from service.store.senders import THE_ONLY, Claimant

BATCH: Final = 100
LOOK_AGAIN: Final = 1.0
"""Seconds until what fell due meanwhile is looked for, while calls are under way that take their time."""
ASKED_AGAIN_AFTER: Final = timedelta(minutes=1)
"""When those are claimed anew that would wait too long for their turn."""
GIVEN_UP_AFTER: Final = USEFUL_FOR - 2 * LONGEST_RETRY
"""How long nothing was taken, where a call was tried for all of its time in vain, until nothing more is sent.

The last attempt comes by up to a pause before that time is over, and the first one may have waited for its turn.
"""
FEWEST_FAILURES: Final = 3
"""So often must that have been besides: while the service is stopped nobody calls."""

_log = structlog.get_logger()


class UpdateGone(PermanentFault):
    """What a webhook was to be told is no longer public, or whom it was for is gone."""


async def call_due(
    store: Store,
    site: Site,
    key: bytes,
    caller: Caller,
    clock: Callable[[], datetime],
    stopping: Callable[[], bool] = lambda: False,
    noted: Noted = nobody,
    claimant: Claimant = THE_ONLY,
) -> int:
    """Call the webhooks whose calls are due, and those that fall due meanwhile; returns how many were claimed.

    Ends when none is left, or once `stopping` says so or the claimant must not send any more, and those under way
    have ended. Raises StoreUnavailable and MachineExhausted, but
    only then: what was taken is to be noted, or it is said twice. What could not be is remembered, as is what was
    claimed, and made up for by the next call.
    """
    unrecorded = unrecorded_of(store)
    if unrecorded:
        await to_thread.run_sync(unrecorded.settle, store, clock())
    number = claimant.number
    if number is None:
        return 0
    say = partial(_call, store, site, key, caller)
    calls = _Calls(store, clock, lambda: stopping() or claimant.number != number, say, noted, number)
    await calls.run()
    return calls.claimed


class _Calls:
    """The calls that wait and those under way."""

    def __init__(
        self,
        store: Store,
        clock: Callable[[], datetime],
        stopping: Callable[[], bool],
        say: Callable[[Delivery, datetime], Awaitable[ReplycastError | None]],
        noted: Noted,
        number: int,
    ) -> None:
        self.claimed = 0
        """How many were claimed so far."""
        self._store = store
        self._clock = clock
        self._stopping = stopping
        self._say = say
        self._noted = noted
        self._number = number
        self._turns = Turns()
        self._under_way: set[asyncio.Task[None]] = set()
        self._faults: list[BaseException] = []

    async def run(self) -> None:
        """Call until nothing is left, or something cannot be noted and those under way have ended."""
        try:
            while True:
                await self._begin()
                if not self._under_way:
                    break
                done, self._under_way = await asyncio.wait(
                    self._under_way, timeout=LOOK_AGAIN, return_when=asyncio.FIRST_COMPLETED
                )
                self._faults += [fault for one in done if (fault := one.exception()) is not None]
        finally:
            for one in self._under_way:
                one.cancel()
        if self._faults:
            raise self._faults[0]

    async def _begin(self) -> None:
        """Begin the calls whose turn it is; after a fault none any more."""
        try:
            if not self._faults:
                await self._begin_next()
        except StoreUnavailable as fault:
            self._faults.append(fault)
        if self._faults:
            unrecorded_of(self._store).keep_claims(self._turns.leave())

    async def _begin_next(self) -> None:
        if self._turns.has_room and not self._stopping():
            claimed, failing = await to_thread.run_sync(_claim, self._store, self._clock(), self._number)
            self.claimed += len(claimed)
            self._turns.add(claimed, failing)
        if self._stopping() and (left := self._turns.leave()):
            await to_thread.run_sync(_give_back, self._store, left, self._clock())
        self._under_way |= {asyncio.create_task(self._call(one)) for one in self._turns.begin()}
        if too_many := self._turns.too_many():
            await to_thread.run_sync(_give_back, self._store, too_many, self._clock() + ASKED_AGAIN_AFTER)

    async def _call(self, delivery: Delivery) -> None:
        error: ReplycastError | None = None
        try:
            error = await self._say(delivery, self._clock())
            write = partial(_write, delivery=delivery, error=error, now=self._clock())
            attempt = Attempt(delivery, write, is_sent=error is None, noted=self._noted)
            await to_thread.run_sync(unrecorded_of(self._store).record, self._store, attempt)
        finally:
            self._turns.end(delivery, is_taken=error is None)


def _give_back(store: Store, given: Sequence[Delivery], due_at: datetime) -> None:
    try:
        with store.transaction(alone=False) as connection:
            ids = deliveries.still_claimed(connection, given)
            deliveries.give_back(connection, ids, due_at, "others are called first")
    except StoreUnavailable:
        unrecorded_of(store).keep_claims(given)
        raise


def _claim(store: Store, now: datetime, number: int) -> tuple[tuple[Delivery, ...], frozenset[int]]:
    """Claim what is due; gives it, and the subscribers among them whose last call failed."""
    with store.reading() as connection:
        next_due_at = deliveries.next_call_due_at(connection)
    if next_due_at is None or next_due_at > now:
        return (), frozenset()
    with store.transaction(alone=False) as connection:
        claimed = deliveries.claim_calls(connection, now, lease=LEASE, limit=BATCH, claimed_by=number)
        return claimed, subscribers.failing(connection, [one.subscriber_id or 0 for one in claimed])


async def _call(
    store: Store, site: Site, key: bytes, caller: Caller, delivery: Delivery, now: datetime
) -> RecipientRefused | RecipientRefusedForNow | UpdateGone | None:
    try:
        subscriber, news = await to_thread.run_sync(_news, store, site, delivery)
        body = payload(subscriber.channel, news, site_name=site.name, site_url=site.url)
        # the id is the same at each attempt, so that a receiver knows what it had before
        headers = signed(key, subscriber.public_id, call_id=delivery.public_id, at=now, body=body)
        await caller.call(subscriber.address, body, headers)
    except (RecipientRefused, RecipientRefusedForNow, UpdateGone) as refusal:
        return refusal
    except TemporaryFault:
        unrecorded_of(store).keep_claims([delivery])
        raise
    return None


def _news(store: Store, site: Site, delivery: Delivery) -> tuple[Subscriber, News]:
    with store.reading() as connection:
        subscriber = subscribers.get(connection, delivery.subscriber_id or 0)
        update = narrative.get_update(connection, delivery.update_id or 0)
        if subscriber is None or update is None:
            raise UpdateGone("whom or what it is about is gone")
        if subscriber.state is not SubscriberState.CONFIRMED or subscriber.suppressed_at is not None:
            raise UpdateGone("the webhook is not called any more")
        about = _about(connection, site, update.incident_id, update.maintenance_id)
        first_id = narrative.first_update_id(connection, update.incident_id, update.maintenance_id)
    is_first = first_id == update.id
    is_correction = update.corrects_id is not None
    return subscriber, News(about, update.status, update.body, update.posted_at, is_first, is_correction)


def _about(
    connection: Connection, site: Site, incident_id: int | None, maintenance_id: int | None
) -> Subject:
    if maintenance_id is not None and (work := maintenances.get(connection, maintenance_id)):
        state = ComponentState.UNDER_MAINTENANCE
        return Subject(
            id=work.id,
            name=work.subject,
            components=tuple((name, state) for name in work.components),
            starts_at=work.started_at or work.starts_at,
            ends_at=work.ended_at or work.ends_at,
            url=f"{site.url}/maintenance/{work.id}",
            is_maintenance=True,
            is_called_off=work.phase is MaintenancePhase.CANCELLED,
        )
    incident = incidents.get_public(connection, incident_id or 0)
    if incident is None:
        raise UpdateGone("what it is about is not public")
    return Subject(
        id=incident.id,
        name=incident.subject,
        components=tuple(incident.components.items()),
        starts_at=incident.started_at,
        ends_at=incident.ended_at,
        url=f"{site.url}/incidents/{incident.id}",
    )


def _write(
    connection: Connection, delivery: Delivery, error: ReplycastError | None, now: datetime
) -> Outcome:
    outcome = record(connection, delivery, error, now)
    if delivery.subscriber_id is None or isinstance(error, UpdateGone):
        return outcome
    since = subscribers.note_call(connection, delivery.subscriber_id, now, is_taken=error is None)
    if error is None or since is None:
        return outcome
    # between two incidents nobody calls it: only this call's own time counts
    has_failed_long = now - max(since, delivery.created_at) >= GIVEN_UP_AFTER
    is_in_vain = outcome is Outcome.FAILED and has_failed_long and delivery.attempts >= FEWEST_FAILURES
    if isinstance(error, RecipientRefused) or is_in_vain:
        subscribers.suppress(connection, delivery.subscriber_id, now, str(error))
        deliveries.cancel_of_subscriber(connection, delivery.subscriber_id, "the webhook takes nothing")
        _log.warning("outbox: a webhook is given up", subscriber=delivery.subscriber_id, error=str(error))
    return outcome
