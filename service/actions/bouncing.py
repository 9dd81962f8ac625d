"""What a bounce changes: the delivery it is of, the subscriber behind it, and whether an employee was reached."""

from datetime import datetime, timedelta

from sqlalchemy import Connection

from service.actions.house import House
from service.mail.bounces import Bounce, BounceKind
from service.mail.facts import incident_facts
from service.model import Delivery, DeliveryKind, Phase, Role
from service.store import deliveries, inbox_rows, incidents, subscribers
from service.store.deliveries import NewDelivery
from service.store.inbox_rows import InboxState

MOST_SOFT_BOUNCES = 5
"""After so many days with one, an address counts as one that does not exist."""
ALARMED_ONCE_IN = timedelta(hours=1)
"""An admin hears of the same employee, however many mails fail."""
ALARMS_AT_ONCE = 50
MOST_COUNTED = 1_000
MOST_NAMED = 5
_ASKS = {DeliveryKind.APPROVAL, DeliveryKind.CONFIRM_REPLY}
_TELLS = {
    DeliveryKind.PUBLISHED,
    DeliveryKind.RECOVERED,
    DeliveryKind.CLOSED,
    DeliveryKind.DISCARDED,
    DeliveryKind.REMINDER,
}


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
    if delivery.subscriber_id is None or not _is_of_now(connection, delivery):
        return
    is_gone = bounce.is_end_of(delivery.recipient)
    if is_first and not is_gone:
        days = subscribers.count_soft_bounce(connection, delivery.subscriber_id, now)
        is_gone = days >= MOST_SOFT_BOUNCES
    if is_gone:
        because = f"{bounce.status} {bounce.diagnostic}".strip()
        subscribers.suppress(connection, delivery.subscriber_id, now, because)
        deliveries.cancel_of_subscriber(connection, delivery.subscriber_id, "the address bounces")


def _is_of_now(connection: Connection, delivery: Delivery) -> bool:
    """Tell whether a mail was queued since its reader was taken in, or in again: an older one says nothing of that.

    What asks for a confirmation comes before any.
    """
    subscriber = subscribers.get(connection, delivery.subscriber_id or 0)
    if subscriber is None:
        return False
    return subscriber.confirmed_at is None or delivery.created_at >= subscriber.confirmed_at


def raise_alarms(house: House, now: datetime) -> bool:
    """Tell the admins of employees who were not reached; False where there was nothing new to tell.

    However many mails fail, an admin hears of the same employee once an hour at most.
    """
    with house.store.reading() as connection:
        if not deliveries.unreached_employees(connection, limit=1):
            return False
    with house.store.transaction() as connection:
        unreached: dict[str, Delivery] = {}
        for one in deliveries.unreached_employees(connection, limit=ALARMS_AT_ONCE):
            deliveries.mark_alarmed(connection, one.id, now)
            if one.employee_id is not None and is_alarming(one):
                unreached[one.employee_id] = one
        for employee_id, last in unreached.items():
            theirs = f"alarm:{employee_id}:"
            # the last mail counts, and no hour of the clock: else two come within two minutes at its turn
            not_again = now - ALARMED_ONCE_IN + timedelta.resolution
            if not deliveries.count_of_occasions(connection, theirs, not_again):
                occasion = f"{theirs}{now:%Y-%m-%dT%H:%M}:"
                deliveries.queue(connection, _alarms(connection, house, last, occasion, now), now)
    return True


def is_alarming(unreached: Delivery) -> bool:
    """Tell whether a mail that did not arrive shows that an employee cannot be reached.

    One that never left shows it if it asks or tells something: answers and log-in links only grow too old. What
    came back always does.
    """
    return unreached.bounced_at is not None or unreached.kind in _ASKS | _TELLS


def _alarms(
    connection: Connection, house: House, last: Delivery, occasion: str, now: datetime
) -> list[NewDelivery]:
    lately = deliveries.lately_unreached(connection, now - timedelta(days=1), limit=MOST_COUNTED)
    theirs = [one for one in lately if one.employee_id == last.employee_id and is_alarming(one)]
    who = house.name_of(last.employee_id or "")
    count = f"{'At least ' * (len(lately) == MOST_COUNTED)}{len(theirs):,} mail{'s' * (len(theirs) != 1)}"
    incident = incidents.get(connection, last.incident_id) if last.incident_id else None
    facts = {
        "title": f"{who} cannot be reached by mail",
        "sentences": [
            f"{count} to {who} ({last.recipient}) could not be delivered within the last day: {last.last_error}",
            *(
                f"{tag} still waits for a decision, and {who} was not asked."
                for tag in _undecided(connection, theirs)
            ),
            f"You get one mail an hour about {who} at most; the dashboard lists each mail that fails.",
        ],
        "incident": incident_facts(incident, names=house.names) if incident else None,
    }
    return [
        NewDelivery(
            public_id=house.new_id(),
            occasion=f"{occasion}{admin.id}",
            kind=DeliveryKind.ALARM,
            recipient=admin.email,
            facts={"employee_name": admin.name, **facts},
            employee_id=admin.id,
        )
        for admin in house.config.employees.values()
        if admin.role is Role.ADMIN and admin.id != last.employee_id
    ]


def _undecided(connection: Connection, unreached: list[Delivery]) -> list[str]:
    asked_about = sorted({one.incident_id for one in unreached if one.kind in _ASKS and one.incident_id})
    found = (incidents.get(connection, incident_id) for incident_id in asked_about[-MOST_NAMED:])
    return [one.tag for one in found if one is not None and one.phase is Phase.UNPUBLISHED]
