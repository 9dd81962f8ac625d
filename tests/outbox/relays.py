"""A relay that answers some recipients otherwise than the rest, and what is sent through it."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from hashlib import md5
from threading import Event
from typing import Any

from anyio import to_thread
from sqlalchemy import select

from service.actions.fan_out import queue_next_chunk
from service.actions.house import House
from service.config.settings import Security, Smtp
from service.mail.compose import PostOffice
from service.model import Delivery, DeliveryKind, SubscriberState
from service.outbox import Courier, Relay, fan_out
from service.outbox.fanning_out import NextChunk
from service.store import deliveries, schema, subscribers
from service.store.database import Store
from service.store.deliveries import NewDelivery
from service.store.senders import THE_ONLY, Claimant
from tests.rooms import Clock
from tests.transport.scripted_relay import ScriptedRelay

NOBODY_LISTENS = Smtp("127.0.0.1", 1, Security.NONE)
"""A relay that is down: port 1 belongs to a service that no machine runs any more."""


class ByRecipient(dict[str, str]):
    """A scripted relay's answers, of which RCPT's depends on the recipient."""

    def __init__(self, relay: ScriptedRelay, answer: Callable[[str], str | None]) -> None:
        super().__init__(relay.answers)
        self._relay = relay
        self._answer = answer

    def get(self, verb: str, otherwise: Any = None) -> Any:  # noqa: ANN401  dict's own signature
        """Answer a command."""
        said = self._answer(self._relay.heard[-1]) if verb == "RCPT" else None
        return said or super().get(verb, otherwise)


def answer_by_recipient(relay: ScriptedRelay, answer: Callable[[str], str | None]) -> None:
    """Let a relay answer RCPT as a function of that line says; None: as always."""
    relay.answers = ByRecipient(relay, answer)


def recipients_heard(relay: ScriptedRelay) -> list[str]:
    """Give to whom a relay was to deliver, in that order."""
    return [line.split("<")[1].split(">")[0] for line in relay.heard if line.startswith("RCPT")]


def office_of(house: House) -> PostOffice:
    """Set up what composes this house's mails."""
    return PostOffice(
        house.config.site, "Acme Status", house.own_address, instance_id=house.instance_id, key=house.key
    )


async def send_due(
    store: Store,
    office: PostOffice,
    relay: Relay,
    clock: Callable[[], datetime],
    claimant: Claimant = THE_ONLY,
) -> int:
    """Send what is due by a courier who leaves then."""
    async with Courier(store, office, relay, clock, claimant) as courier:
        return await courier.send_due()


def queue(
    house: House,
    clock: Clock,
    *names: str,
    kind: DeliveryKind = DeliveryKind.SUBSCRIBER_CONFIRM,
    incident_id: int | None = None,
    update_id: int | None = None,
) -> list[str]:
    """Queue a mail to each; gives their public ids."""
    facts = {
        "path": "/subscribe/confirm/",
        "is_known": False,
        "employee_name": "Jordan",
        "minutes": 15,
        "subscriber_public_id": "f" * 32,
    }
    new = [
        NewDelivery(
            public_id=house.new_id(),
            occasion=f"{kind}:{name}",
            kind=kind,
            recipient=name if "@" in name else f"{name}@reader.example",
            facts=facts,
            incident_id=incident_id,
            update_id=update_id,
        )
        for name in names
    ]
    with house.store.transaction() as connection:
        deliveries.queue(connection, new, clock())
    return [one.public_id for one in new]


def look_at(house: House, public_id: str) -> Delivery:
    """Read a delivery."""
    with house.store.reading() as connection:
        found = deliveries.get_by_public_id(connection, public_id)
    assert found is not None
    return found


async def fan_out_all(
    house: House,
    clock: Clock,
    relay: Relay,
    stop: Event | None = None,
    *,
    claimant: Claimant = THE_ONLY,
    next_chunk: NextChunk | None = None,
) -> int:
    """Send the updates for subscribers, as the service does: in a thread of its own."""
    given = house.store, office_of(house), relay, clock
    chunks = next_chunk or partial(queue_next_chunk, house)
    return await to_thread.run_sync(fan_out, *given, chunks, stop or Event(), claimant)


def subscribe(house: House, clock: Clock, *names: str) -> None:
    """Let readers subscribe, who have confirmed."""
    with house.store.transaction() as connection:
        for name in names:
            public_id = md5(name.encode(), usedforsecurity=False).hexdigest()
            address = name if "@" in name else f"{name}@reader.example"
            added = subscribers.add(
                connection, public_id=public_id, address=address, unsubscribe_hash=public_id, now=clock()
            )
            confirmed = SubscriberState.CONFIRMED
            subscribers.set_state(connection, added.id, confirmed, confirmed_at=clock())


def deliveries_to(house: House, name: str) -> list[Delivery]:
    """Read what was queued for a subscriber, oldest first."""
    with house.store.reading() as connection:
        query = select(schema.deliveries.c.public_id).order_by(schema.deliveries.c.id)
        wanted = schema.deliveries.c.recipient == f"{name}@reader.example"
        found = [
            deliveries.get_by_public_id(connection, one)
            for one in connection.execute(query.where(wanted)).scalars()
        ]
    return [one for one in found if one is not None]
