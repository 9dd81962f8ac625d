"""Rows for the tests of the store, each whole, with only what the test is about said by it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import md5
from typing import Any

from sqlalchemy import Connection, func, select

from service.model import (
    ComponentState,
    Delivery,
    DeliveryKind,
    Incident,
    JoinedAlert,
    Phase,
    Subscriber,
    SubscriberState,
    UpdateStatus,
)
from service.store import deliveries, incidents, narrative, subscribers
from service.store.deliveries import NewDelivery
from service.store.schema import updates

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
MONITOR = "victorops:Email Server"


def add_incident(connection: Connection, **said: Any) -> Incident:  # noqa: ANN401  any field of Incident
    """Store a new incident."""
    blank = Incident(
        id=incidents.reserve_id(connection, MONITOR, NOW),
        monitor_key=MONITOR,
        phase=Phase.WAITING,
        due_at=None,
        version=1,
        subject="Email is unavailable",
        message="We are looking into it.",
        type="service_unavailable",
        components={"Email": ComponentState.MAJOR_OUTAGE},
        started_at=NOW,
        alerts=(JoinedAlert(None, NOW),),
    )
    incident = replace(blank, **said)
    incidents.save(connection, None, incident)
    return incident


def add_update(connection: Connection, incident: Incident, posted_at: datetime = NOW) -> int:
    """Store an update; gives its id."""
    narrative.add_update(
        connection,
        incident_id=incident.id,
        status=UpdateStatus.INVESTIGATING,
        body="We are looking into it.",
        now=posted_at,
        by="sam",
    )
    return int(connection.execute(select(func.max(updates.c.id))).scalar_one())


def add_subscriber(connection: Connection, name: str, confirmed_at: datetime | None = NOW) -> Subscriber:
    """Store a subscriber, confirmed where a time is given."""
    added = subscribers.add(
        connection, public_id=name, address=f"{name}@reader.example", unsubscribe_hash=name, now=NOW
    )
    if confirmed_at is not None:
        state = SubscriberState.CONFIRMED
        subscribers.set_state(connection, added.id, state, confirmed_at=confirmed_at)
    return added


def a_mail(occasion: str, **said: Any) -> NewDelivery:  # noqa: ANN401  any field of NewDelivery
    """Give a mail to be queued."""
    public_id = md5(occasion.encode(), usedforsecurity=False).hexdigest()
    blank = NewDelivery(public_id, occasion, DeliveryKind.LOGIN_LINK, "jordan@acme.example")
    return replace(blank, **said)


def claim(connection: Connection, at: datetime = NOW, *, urgent: bool = True, limit: int = 50) -> list[int]:
    """Claim what is due for ten minutes; gives the ids."""
    claimed = deliveries.claim_due(connection, at, urgent=urgent, lease=10 * MINUTE, limit=limit)
    return [delivery.id for delivery in claimed]


def queued(connection: Connection, *mails: NewDelivery, at: datetime = NOW) -> list[Delivery]:
    """Queue mails and give them as they are stored."""
    deliveries.queue(connection, mails, at)
    found = [deliveries.get_by_public_id(connection, mail.public_id) for mail in mails]
    return [delivery for delivery in found if delivery is not None]


def delivery_again(connection: Connection, delivery: Delivery) -> Delivery:
    """Read a delivery as it is now."""
    found = deliveries.get_by_public_id(connection, delivery.public_id)
    assert found is not None
    return found
