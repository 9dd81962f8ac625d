"""Sends the mails that a person waits for, one by one. What a mail says was decided before; it never decides."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

import structlog
from anyio import to_thread

from service.errors import (
    AddressInvalid,
    RecipientRefused,
    RecipientRefusedForNow,
    RelayUnavailable,
    ReplycastError,
    StoreUnavailable,
    TemplateFaulty,
)
from service.mail.compose import PostOffice
from service.mail.smtp import open_session
from service.model import Delivery
from service.outbox.composing import compose_one
from service.outbox.outcomes import LEASE, SHORT_LIVED, SUSPICIOUS_AFTER, record
from service.outbox.relay import Relay
from service.outbox.unrecorded import Attempt, unrecorded_of
from service.store import deliveries
from service.store.database import Store
from service.store.senders import THE_ONLY, Claimant

BATCH = 50

_log = structlog.get_logger()


async def send_due(
    store: Store,
    office: PostOffice,
    relay: Relay,
    clock: Callable[[], datetime],
    claimant: Claimant = THE_ONLY,
) -> int:
    """Send the next batch of due mails that are no updates for subscribers; returns how many it claimed.

    Where the relay cannot be reached nothing is lost and no attempt counted: all wait until it is tried again. Once
    the claimant must not send any more, what it has is given back.
    Raises StoreUnavailable; what was sent or claimed by then is remembered, and made up for by the next call.
    """
    unrecorded, now = unrecorded_of(store), clock()
    if unrecorded:
        await to_thread.run_sync(unrecorded.settle, store, now)
    number = claimant.number
    if number is None or relay.is_paused(now):
        return 0
    batch = await to_thread.run_sync(_claim, store, now, number)
    if not batch:
        return 0
    unsent = list(batch)
    try:
        await _send(store, office, relay, clock, unsent, lambda: claimant.number == number)
    except StoreUnavailable:
        unrecorded.keep_claims(unsent)
        raise
    return len(batch)


async def _send(
    store: Store,
    office: PostOffice,
    relay: Relay,
    clock: Callable[[], datetime],
    unsent: list[Delivery],
    is_ours: Callable[[], bool],
) -> None:
    """Send mails as long as the claim is ours, and take each from the list once it is known what came of it."""
    in_flight: Delivery | None = None
    try:
        async with open_session(relay.smtp, tokens=relay.tokens, now=clock()) as session:
            while unsent and is_ours():
                delivery = in_flight = unsent[0]
                error = None
                try:
                    _refuse_if_useless(delivery, clock())
                    envelope = await to_thread.run_sync(compose_one, store, office, delivery)
                    await session.send(
                        sender=envelope.sender, recipient=envelope.recipient, message=envelope.message
                    )
                except (RecipientRefused, RecipientRefusedForNow, TemplateFaulty, AddressInvalid) as refusal:
                    error = refusal
                in_flight = None
                unsent.pop(0)
                await to_thread.run_sync(_record, store, relay, delivery, error, clock())
                relay.works()
        if unsent:
            await to_thread.run_sync(_give_back, store, unsent, None, clock(), "")
    except RelayUnavailable as error:
        _log.warning("outbox: the relay is unavailable", error=str(error), waiting=len(unsent))
        if in_flight is not None and in_flight.attempts >= SUSPICIOUS_AFTER:
            # it may be this mail that the relay hangs up on: it steps back, so that the others go on
            unsent.remove(in_flight)
            stepped_back = RecipientRefusedForNow(str(error))
            await to_thread.run_sync(_record, store, relay, in_flight, stepped_back, clock())
        resume_at = relay.pause(clock(), because=error)
        await to_thread.run_sync(_give_back, store, unsent, in_flight, resume_at, str(error))


def _refuse_if_useless(delivery: Delivery, now: datetime) -> None:
    if delivery.kind in SHORT_LIVED and now >= delivery.created_at + SHORT_LIVED[delivery.kind]:
        raise RecipientRefused("it waited until it was of no use any more")


def _claim(store: Store, now: datetime, number: int) -> tuple[Delivery, ...]:
    with store.reading() as connection:
        next_due_at = deliveries.next_due_at(connection, urgent=True)
    if next_due_at is None or next_due_at > now:
        return ()
    with store.transaction(alone=False) as connection:
        return deliveries.claim_due(connection, now, urgent=True, lease=LEASE, limit=BATCH, claimed_by=number)


def _record(
    store: Store, relay: Relay, delivery: Delivery, error: ReplycastError | None, now: datetime
) -> None:
    write = partial(record, delivery=delivery, error=error, now=now)
    attempt = Attempt(delivery, write, is_sent=error is None, noted=relay.noted)
    unrecorded_of(store).record(store, attempt)


def _give_back(
    store: Store, unsent: Sequence[Delivery], in_flight: Delivery | None, due_at: datetime, error: str
) -> None:
    with store.transaction(alone=False) as connection:
        ids = deliveries.still_claimed(connection, unsent)
        tried = in_flight.id if in_flight is not None and in_flight.id in ids else None
        deliveries.give_back(connection, [one for one in ids if one != tried], due_at, error)
        if tried is not None:
            deliveries.postpone(connection, tried, due_at, error)
