"""Lets everything out that is due in a simulation: mails are composed as the outbox would, read, and sent to nobody."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Final

from service.actions.fan_out import queue_next_chunk
from service.actions.house import House
from service.actions.simulation import PageEntry, SimulatedMail
from service.errors import AddressInvalid, TemplateFaulty
from service.mail.compose import Envelope, PostOffice
from service.mail.parsing import decode_words, parse_mail
from service.model import Delivery, UpdateStatus
from service.store import deliveries, incidents, narrative
from service.store.database import Store

Compose = Callable[[Store, PostOffice, Delivery], Envelope]

_LEASE: Final = timedelta(minutes=10)
_AT_ONCE: Final = 100
_SHOWN: Final = 20
"""Incidents of the page."""


def office_of(house: House) -> PostOffice:
    """Say who we are by mail, as `app` does."""
    mail = house.config.mail
    return PostOffice(
        site=house.config.site,
        sender_name=mail.sender_name if mail else house.config.site.name,
        sender_address=house.own_address,
        instance_id=house.instance_id,
        key=house.key,
        lets_choose=len(house.config.components) > 1,
    )


def send_all(
    house: House, compose: Compose | None, now: datetime
) -> Iterator[tuple[Delivery, SimulatedMail]]:
    """Send what is due: mails to employees first, then updates to subscribers, as the outbox does.

    Without `compose` they have no texts: to write a mail takes longer than all that leads to it.
    """
    office = office_of(house)
    for urgent in (True, False):
        while not urgent and queue_next_chunk(house, now):
            pass
        while claimed := _claim(house, now, urgent=urgent):
            for delivery in claimed:
                yield delivery, _read(house, office, compose, delivery)
                with house.store.transaction() as connection:
                    deliveries.mark_sent(connection, delivery.id, now)


def _claim(house: House, now: datetime, *, urgent: bool) -> tuple[Delivery, ...]:
    with house.store.reading() as connection:
        if deliveries.next_due_at(connection, urgent=urgent) is None:
            return ()
    with house.store.transaction() as connection:
        return deliveries.claim_due(connection, now, urgent=urgent, lease=_LEASE, limit=_AT_ONCE)


def _read(house: House, office: PostOffice, compose: Compose | None, delivery: Delivery) -> SimulatedMail:
    about = delivery.incident_id
    if compose is None:
        return SimulatedMail(delivery.kind, delivery.recipient, subject="", text="", incident_id=about)
    try:
        mail = parse_mail(compose(house.store, office, delivery).message)
    except (TemplateFaulty, AddressInvalid) as error:
        fault = str(error)
        return SimulatedMail(
            delivery.kind, delivery.recipient, subject="", text="", fault=fault, incident_id=about
        )
    return SimulatedMail(
        kind=delivery.kind,
        to=delivery.recipient,
        subject=decode_words(mail.first("subject")),
        text=mail.text or "",
        html=mail.html or "",
        incident_id=about,
    )


def read_page(house: House) -> tuple[PageEntry, ...]:
    """Say what the status page says: the published incidents, newest first."""
    with house.store.reading() as connection:
        found = incidents.recent_public(connection, limit=_SHOWN)
        updates = narrative.updates_of(connection, [incident.id for incident in found])
    return tuple(
        PageEntry(
            subject=incident.subject,
            is_current=incident.phase.is_open,
            status=updates[incident.id][-1].status if updates[incident.id] else UpdateStatus.INVESTIGATING,
            text=updates[incident.id][-1].body if updates[incident.id] else incident.message,
            components=incident.components,
        )
        for incident in found
    )
