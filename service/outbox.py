"""Sends what is due, and records how it went. What a mail says was decided before; it never decides."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog
from anyio import to_thread

from service.config.settings import Smtp
from service.errors import (
    AddressInvalid,
    RecipientRefused,
    RecipientRefusedForNow,
    RelayUnavailable,
    ReplycastError,
    TemplateFaulty,
)
from service.mail.compose import Envelope, PostOffice, compose
from service.mail.facts import incident_facts, update_facts
from service.mail.oauth import AccessTokens
from service.mail.smtp import RelayLoginRefused, open_session
from service.model import Delivery, DeliveryKind
from service.store import deliveries, incidents, narrative
from service.store.database import Store

LEASE = timedelta(minutes=10)
"""Longer than any batch takes; after it, what a dead process had claimed falls due again."""
BATCH = 50
FIRST_RETRY = timedelta(seconds=30)
LONGEST_RETRY = timedelta(hours=1)
USEFUL_FOR = timedelta(days=3)
SHORT_LIVED = {DeliveryKind.LOGIN_LINK: timedelta(minutes=15)}
SUSPICIOUS_AFTER = 3
FIRST_PAUSE = timedelta(seconds=1)
LONGEST_PAUSE = timedelta(minutes=1)
LOGIN_PAUSE = timedelta(minutes=15)
"""After a refused login: trying sooner makes servers lock the account."""

_log = structlog.get_logger()


@dataclass(slots=True)
class Relay:
    """The one relay as we know it: until when it is left in peace, and after how many failures."""

    smtp: Smtp
    tokens: AccessTokens | None = field(init=False)
    """For a relay that wants XOAUTH2."""
    paused_until: datetime | None = None
    failures: int = 0

    def __post_init__(self) -> None:
        """Make what its login needs."""
        oauth = self.smtp.oauth
        self.tokens = AccessTokens(oauth, username=self.smtp.username) if oauth else None

    def pause(self, now: datetime, *, least: timedelta = timedelta(0)) -> datetime:
        """Leave it in peace for twice as long as before, or longer; returns until when."""
        pause = max(min(FIRST_PAUSE * 2.0**self.failures, LONGEST_PAUSE), least)
        self.failures = min(self.failures + 1, 16)
        self.paused_until = now + pause
        return self.paused_until

    def works(self) -> None:
        """Forget its failures."""
        self.failures, self.paused_until = 0, None


async def send_due(store: Store, office: PostOffice, relay: Relay, clock: Callable[[], datetime]) -> int:
    """Send the next batch of due deliveries, those that a person waits for first; returns how many it tried.

    Where the relay cannot be reached nothing is lost and no attempt counted: all wait until it is tried again.
    """
    now = clock()
    if relay.paused_until is not None and now < relay.paused_until:
        return 0
    batch = await to_thread.run_sync(_claim, store, now)
    if not batch:
        return 0
    unsent = list(batch)
    in_flight: Delivery | None = None
    try:
        async with open_session(relay.smtp, tokens=relay.tokens, now=now) as session:
            while unsent:
                delivery = in_flight = unsent[0]
                error = None
                try:
                    _refuse_if_useless(delivery, clock())
                    envelope = await to_thread.run_sync(_compose, store, office, delivery)
                    await session.send(
                        sender=envelope.sender, recipient=envelope.recipient, message=envelope.message
                    )
                except (RecipientRefused, RecipientRefusedForNow, TemplateFaulty, AddressInvalid) as refusal:
                    error = refusal
                await to_thread.run_sync(_record, store, delivery, error, clock())
                unsent.pop(0)
                in_flight = None
                relay.works()
    except RelayUnavailable as error:
        _log.warning("outbox: the relay is unavailable", error=str(error), waiting=len(unsent))
        if in_flight is not None and in_flight.attempts >= SUSPICIOUS_AFTER:
            # it may be this mail that the relay hangs up on: it steps back, so that the others go on
            await to_thread.run_sync(_record, store, in_flight, RecipientRefusedForNow(str(error)), clock())
            unsent.remove(in_flight)
        least = LOGIN_PAUSE if isinstance(error, RelayLoginRefused) else timedelta(0)
        resume_at = relay.pause(clock(), least=least)
        await to_thread.run_sync(_give_back, store, unsent, in_flight, resume_at, str(error))
    return len(batch)


def _refuse_if_useless(delivery: Delivery, now: datetime) -> None:
    if delivery.kind in SHORT_LIVED and now >= delivery.created_at + SHORT_LIVED[delivery.kind]:
        raise RecipientRefused("it waited until it was of no use any more")


def _claim(store: Store, now: datetime) -> tuple[Delivery, ...]:
    with store.reading() as connection:
        next_due_at = deliveries.next_due_at(connection)
    if next_due_at is None or next_due_at > now:
        return ()
    with store.transaction() as connection:
        return deliveries.claim_due(
            connection, now, urgent=True, lease=LEASE, limit=BATCH
        ) or deliveries.claim_due(connection, now, urgent=False, lease=LEASE, limit=BATCH)


def _compose(store: Store, office: PostOffice, delivery: Delivery) -> Envelope:
    if delivery.kind is DeliveryKind.SUBSCRIBER_UPDATE:
        delivery = replace(delivery, facts={**delivery.facts, **_update_facts(store, delivery)})
    try:
        return compose(delivery, office)
    except ReplycastError:
        raise
    except Exception as error:
        # the outermost loop of one mail: whatever is wrong with it must not hold up those behind it
        _log.exception("outbox: a mail cannot be composed", delivery=delivery.public_id)
        raise TemplateFaulty(f"it cannot be composed: {type(error).__name__}") from error


def _update_facts(store: Store, delivery: Delivery) -> dict[str, object]:
    with store.reading() as connection:
        update = narrative.get_update(connection, delivery.update_id or 0)
        incident = incidents.get_public(connection, delivery.incident_id or 0)
        if update is None or incident is None:
            raise TemplateFaulty("the incident of this update is not public")
        first_id = narrative.first_update_id(connection, incident.id)
    return {
        # subscribers never read an employee's name in a mail: no names are given
        "incident": incident_facts(incident, names={}),
        "update": update_facts(update),
        "is_first": first_id == update.id,
    }


def _record(
    store: Store,
    delivery: Delivery,
    error: ReplycastError | None,
    now: datetime,
) -> None:
    with store.transaction() as connection:
        if error is None:
            deliveries.mark_sent(connection, delivery.id, now)
            return
        retry_at = now + retry_after(delivery.attempts)
        useful_until = delivery.created_at + SHORT_LIVED.get(delivery.kind, USEFUL_FOR)
        if isinstance(error, RecipientRefusedForNow) and retry_at < useful_until:
            deliveries.postpone(connection, delivery.id, retry_at, str(error))
        else:
            deliveries.mark_failed(connection, delivery.id, now, str(error))
            _log.warning("outbox: a mail failed for good", delivery=delivery.public_id, kind=delivery.kind)


def retry_after(attempts: int) -> timedelta:
    """Give the pause after so many attempts: doubling, with jitter, so that not all come at once."""
    longest = min(FIRST_RETRY * 2.0 ** min(attempts - 1, 10), LONGEST_RETRY)
    return longest * random.uniform(0.5, 1.0)  # noqa: S311  no secret hangs on it


def _give_back(
    store: Store, unsent: Sequence[Delivery], in_flight: Delivery | None, due_at: datetime, error: str
) -> None:
    with store.transaction() as connection:
        ids = [delivery.id for delivery in unsent if delivery is not in_flight]
        deliveries.give_back(connection, ids, due_at, error)
        if in_flight in unsent and in_flight is not None:
            deliveries.postpone(connection, in_flight.id, due_at, error)
