"""Turning an update into one delivery per subscriber, in chunks, so that publishing is instant for any number."""

from datetime import datetime

from service.actions.house import House
from service.model import DeliveryKind
from service.store import deliveries, narrative, subscribers
from service.store.deliveries import NewDelivery
from service.store.subscribers import Audience

CHUNK = 1_000
"""Deliveries per transaction: others write in between."""


def queue_next_chunk(house: House, now: datetime, *, chunk: int = CHUNK) -> bool:
    """Queue the next deliveries of the oldest update that has some left; False where none has.

    The first update of an incident goes to everybody who is subscribed at that time, each further one to those
    who were queued for the first: whoever heard "open" hears "resolved", and nobody else.
    """
    with house.store.reading() as connection:
        if narrative.next_fan_out(connection) is None:
            return False
    with house.store.transaction() as connection:
        fan_out = narrative.next_fan_out(connection)
        if fan_out is None:
            return False
        update = fan_out.update
        first_id = narrative.first_update_id(connection, update.incident_id)
        audience = Audience(None if first_id == update.id else first_id)
        chosen = subscribers.next_to_tell(
            connection, audience, posted_at=update.posted_at, after_id=fan_out.cursor, limit=chunk
        )
        new = [
            NewDelivery(
                public_id=house.new_id(),
                occasion=f"update:{update.id}:{subscriber.id}",
                kind=DeliveryKind.SUBSCRIBER_UPDATE,
                recipient=subscriber.email,
                facts={"subscriber_public_id": subscriber.public_id},
                incident_id=update.incident_id,
                update_id=update.id,
                subscriber_id=subscriber.id,
            )
            for subscriber in chosen
        ]
        deliveries.queue(connection, new, now)
        narrative.advance_fan_out(
            connection,
            update.id,
            cursor=chosen[-1].id if chosen else fan_out.cursor,
            finished_at=now if len(chosen) < chunk else None,
        )
        return True
