"""What a bounce changes: the delivery it is of, the subscriber behind it, and whether an employee was reached."""

from datetime import datetime

from sqlalchemy import Connection

from service.actions.house import House
from service.mail.bounces import Bounce, BounceKind
from service.mail.facts import incident_facts
from service.model import Delivery, DeliveryKind, Phase, Role
from service.store import deliveries, inbox_rows, incidents, subscribers
from service.store.deliveries import NewDelivery
from service.store.inbox_rows import InboxState

MOST_SOFT_BOUNCES = 5
"""After so many, an address counts as one that does not exist."""
ALARMS_AT_ONCE = 50
_ASKS = {DeliveryKind.APPROVAL, DeliveryKind.CONFIRM_REPLY}


def note_bounce(house: House, inbox_id: int, bounce: Bounce, now: datetime) -> str:
    """Note a bounce once, and finish its inbox row; returns the named reason. It is never answered."""
    with house.store.transaction() as connection:
        reason = f"bounce_{bounce.kind}"
        delivery = deliveries.get_by_public_id(connection, bounce.public_id) if bounce.public_id else None
        if delivery is None:
            explained = f"of no mail of ours: {bounce.diagnostic}"
        else:
            explained = (
                f"{delivery.kind} to {delivery.recipient}: {bounce.status} {bounce.diagnostic}".strip()
            )
            _note(connection, delivery, bounce, now)
        inbox_rows.finish(connection, inbox_id, InboxState.DONE, reason=reason, explanation=explained)
        return reason


def _note(connection: Connection, delivery: Delivery, bounce: Bounce, now: datetime) -> None:
    if bounce.kind in {BounceKind.DELAYED, BounceKind.DELIVERED}:
        return  # there is nothing to mend yet, or not any more
    is_first = delivery.bounced_at is None
    if is_first:
        deliveries.mark_bounced(connection, delivery.id, now, f"{bounce.status} {bounce.diagnostic}".strip())
    if delivery.subscriber_id is None:
        return
    is_gone = bounce.kind is BounceKind.HARD
    if not is_gone and is_first:
        is_gone = subscribers.count_soft_bounce(connection, delivery.subscriber_id) >= MOST_SOFT_BOUNCES
    if is_gone:
        subscribers.suppress(connection, delivery.subscriber_id, now)
        deliveries.cancel_of_subscriber(connection, delivery.subscriber_id, "the address bounces")


def raise_alarms(house: House, now: datetime) -> bool:
    """Tell the admins of employees who were not reached; False where there are none."""
    with house.store.reading() as connection:
        if not deliveries.unreached_employees(connection, limit=1):
            return False
    with house.store.transaction() as connection:
        for unreached in deliveries.unreached_employees(connection, limit=ALARMS_AT_ONCE):
            deliveries.mark_alarmed(connection, unreached.id, now)
            if unreached.kind not in {DeliveryKind.ALARM, DeliveryKind.LOGIN_LINK}:
                deliveries.queue(connection, _alarms(connection, house, unreached), now)
    return True


def _alarms(connection: Connection, house: House, unreached: Delivery) -> list[NewDelivery]:
    incident = incidents.get(connection, unreached.incident_id) if unreached.incident_id else None
    who = house.name_of(unreached.employee_id or "")
    sentences = [f"The mail to {who} ({unreached.recipient}) could not be delivered: {unreached.last_error}"]
    if unreached.kind in _ASKS and incident is not None and incident.phase is Phase.UNPUBLISHED:
        sentences.append(f"{incident.tag} still waits for a decision, and {who} was not asked.")
    facts = {
        "title": f"{who} cannot be reached by mail",
        "sentences": sentences,
        "incident": incident_facts(incident, names=house.names) if incident else None,
    }
    return [
        NewDelivery(
            public_id=house.new_id(),
            occasion=f"alarm:{unreached.id}:{admin.id}",
            kind=DeliveryKind.ALARM,
            recipient=admin.email,
            facts={"employee_name": admin.name, **facts},
            employee_id=admin.id,
        )
        for admin in house.config.employees.values()
        if admin.role is Role.ADMIN and admin.id != unreached.employee_id
    ]
