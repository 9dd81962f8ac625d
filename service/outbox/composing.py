"""Turns deliveries into mails, with what their update says as it stands now. It never sends."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import structlog
from sqlalchemy import Connection

from service.errors import ReplycastError, TemplateFaulty, exhaustion_named
from service.mail.bulk_mail import BulkMail, prepare
from service.mail.compose import Envelope, PostOffice, compose
from service.mail.facts import incident_facts, maintenance_facts, maintenance_update_facts, update_facts
from service.model import Delivery, Update
from service.store import incidents, maintenances, narrative
from service.store.database import Store

FEW = 3
"""So many mails of an update are composed one by one: to prepare it takes as long."""

_log = structlog.get_logger()


def compose_one(store: Store, office: PostOffice, delivery: Delivery) -> Envelope:
    """Compose a mail. Raises TemplateFaulty and AddressInvalid, whatever is wrong with it.

    Raises MachineExhausted and StoreUnavailable, where nothing is.
    """
    if delivery.update_id is not None:
        delivery = replace(delivery, facts={**delivery.facts, **_facts_of(store, delivery.update_id)})
    return _composed(delivery, office)


class BulkComposer:
    """Composes the deliveries of updates that are claimed together, each update once for all of them."""

    def __init__(self, store: Store, office: PostOffice) -> None:
        self._store = store
        self._office = office
        self._numbers: Counter[int | None] = Counter()
        self._facts: dict[int | None, dict[str, Any]] = {}
        self._mails: dict[int | None, tuple[dict[str, Any], BulkMail | None]] = {}

    def begin(self, claimed: Sequence[Delivery]) -> None:
        """Begin with deliveries that were claimed just now: what their updates say is read anew."""
        self._numbers = Counter(delivery.update_id for delivery in claimed)
        self._facts = {}
        self._mails = {
            update_id: kept for update_id, kept in self._mails.items() if update_id in self._numbers
        }

    def compose(self, delivery: Delivery) -> Envelope:
        """Compose a mail; raises as `compose_one` does."""
        update_id = delivery.update_id
        if update_id not in self._facts:
            self._facts[update_id] = _facts_of(self._store, update_id or 0)
        mail = self._mail_of(delivery) if self._numbers[update_id] > FEW else None
        envelope = mail.envelope_for(delivery) if mail is not None else None
        return envelope or _composed(self._whole(delivery), self._office)

    def _mail_of(self, delivery: Delivery) -> BulkMail | None:
        """Give the mail of an update as it is to be now; the last one is kept."""
        facts = self._facts[delivery.update_id]
        kept = self._mails.get(delivery.update_id)
        if kept is not None and kept[0] is facts:
            return kept[1]
        is_same = kept is not None and kept[0] == facts
        with exhaustion_named():
            mail = kept[1] if kept and is_same else prepare(self._whole(delivery), self._office)
        self._mails[delivery.update_id] = facts, mail
        return mail

    def _whole(self, delivery: Delivery) -> Delivery:
        return replace(delivery, facts={**delivery.facts, **self._facts[delivery.update_id]})


def _composed(delivery: Delivery, office: PostOffice) -> Envelope:
    try:
        with exhaustion_named():
            return compose(delivery, office)
    except ReplycastError:
        raise
    except Exception as error:
        # the outermost loop of one mail: whatever is wrong with it must not hold up those behind it
        _log.exception("outbox: a mail cannot be composed", delivery=delivery.public_id)
        raise TemplateFaulty(f"it cannot be composed: {type(error).__name__}") from error


def _facts_of(store: Store, update_id: int) -> dict[str, Any]:
    with store.reading() as connection:
        update = narrative.get_update(connection, update_id)
        if update is not None and update.maintenance_id is not None:
            return _maintenance_facts(connection, update)
        incident = incidents.get_public(connection, update.incident_id or 0) if update else None
        if update is None or incident is None:
            raise TemplateFaulty("the incident of this update is not public")
        first_id = narrative.first_update_id(connection, incident.id)
        corrected = narrative.get_update(connection, update.corrects_id) if update.corrects_id else None
    return {
        # subscribers never read an employee's name in a mail: no names are given
        "incident": incident_facts(incident, names={}),
        "update": update_facts(update),
        "is_first": first_id == update.id,
        "corrected_at": corrected.posted_at.isoformat() if corrected else None,
    }


def _maintenance_facts(connection: Connection, update: Update) -> dict[str, Any]:
    maintenance = maintenances.get(connection, update.maintenance_id or 0)
    if maintenance is None:
        raise TemplateFaulty("the maintenance of this update is gone")
    return {
        "maintenance": maintenance_facts(maintenance),
        "update": maintenance_update_facts(update, maintenance),
        "is_first": narrative.first_update_id(connection, None, maintenance.id) == update.id,
    }
