"""What admins do with deliveries: try one again that failed for good, give one up that is still due.

Nobody hears the end of something of whose beginning he was not told: where that would come of it, it is refused, or
what follows is cancelled with it. Nor is anybody asked for what is done, or told what more was told after.
"""

from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from service.actions.house import House
from service.errors import NotAllowed, NotFound
from service.mail.tokens import hash_token, make_token
from service.model import Delivery, DeliveryKind, Employee, Phase, Role, SubscriberState
from service.store import audit, credentials, fan_outs, incidents, redelivery, subscribers
from service.store.credentials import Purpose

_OUTLIVED: Final = {
    DeliveryKind.LOGIN_LINK: "a link to log in holds for minutes: its reader asks for a new one",
    DeliveryKind.SUBSCRIBER_CONFIRM: "a link to confirm does not hold for ever: its reader subscribes anew",
}
_ASKS_WHILE: Final = {
    DeliveryKind.APPROVAL: {Phase.WAITING, Phase.UNPUBLISHED},
    DeliveryKind.REMINDER: {Phase.PUBLISHED, Phase.RECOVERED},
    DeliveryKind.RECOVERED: {Phase.RECOVERED},
    DeliveryKind.CONFIRM_REPLY: {phase for phase in Phase if phase.is_open},
}
"""The mails to employees that want something done, and in which phases of their incident it can be."""
_NEWS: Final = {
    DeliveryKind.APPROVAL,
    DeliveryKind.PUBLISHED,
    DeliveryKind.RECOVERED,
    DeliveryKind.REMINDER,
    DeliveryKind.CLOSED,
    DeliveryKind.DISCARDED,
}
"""The mails to employees that tell how an incident goes on."""
_FOLLOWED: Final = "more was told since, and it would come out of its order"


def try_again(house: House, delivery_id: int, by: Employee, now: datetime) -> None:
    """Let a delivery that failed fall due once more, as if it had not been tried. Raises NotFound and NotAllowed."""
    _refuse_others(by)
    with house.store.transaction() as connection:
        failed = _found(redelivery.get(connection, delivery_id))
        if failed.failed_at is None:
            raise NotAllowed("It has not failed: there is nothing to try again.")
        if why := _OUTLIVED.get(failed.kind) or _why_out_of_date(connection, house, failed, now):
            raise NotAllowed(f"It cannot be tried again: {why}.")
        redelivery.revive(connection, failed, now)
        audit.note(connection, now, by.id, "delivery_revived", _about(failed), failed.last_error)


def give_up(house: House, delivery_id: int, by: Employee, now: datetime) -> None:
    """Let a delivery that waits not be sent after all. Raises NotFound and NotAllowed."""
    _refuse_others(by)
    with house.store.transaction() as connection:
        waiting = _found(redelivery.get(connection, delivery_id))
        if not redelivery.give_up(connection, waiting, "given up by an admin"):
            raise NotAllowed("It does not wait any more: there is nothing to give up.")
        if waiting.subscriber_id is not None and waiting.update_id is not None:
            fan_outs.cancel_unheard(connection, waiting)
        audit.note(connection, now, by.id, "delivery_given_up", _about(waiting), waiting.last_error)


def _why_out_of_date(connection: Connection, house: House, failed: Delivery, now: datetime) -> str:
    """Say why its reader shall not get it now; "" where he may."""
    if failed.update_id is not None:
        return _why_not_heard(connection, failed, failed.update_id)
    if failed.incident_id is None or failed.employee_id is None:
        return ""
    incident = incidents.get(connection, failed.incident_id)
    if incident is None or incident.phase not in _ASKS_WHILE.get(failed.kind, Phase):
        return "its incident went on since, and it would ask for what is done"
    if failed.kind in _ASKS_WHILE and not _can_be_answered(connection, house, failed, now):
        return "nobody can answer it any more; the dashboard is the place to decide"
    if failed.kind in _NEWS and redelivery.is_followed_by_mail(connection, failed, _NEWS):
        return _FOLLOWED
    return ""


def _can_be_answered(connection: Connection, house: House, failed: Delivery, now: datetime) -> bool:
    token = make_token(house.key, failed.public_id)
    found = credentials.find(connection, hash_token(token), Purpose.REPLY)
    return found is not None and now < found.expires_at


def _why_not_heard(connection: Connection, failed: Delivery, update_id: int) -> str:
    """Say why a subscriber shall not hear of an update now; "" where he may."""
    found = None if failed.subscriber_id is None else subscribers.get(connection, failed.subscriber_id)
    if found is None:
        return "its reader is no subscriber any more"
    if found.state is not SubscriberState.CONFIRMED or found.suppressed_at is not None:
        return "nothing is sent to its reader; let the subscriber hear again first"
    return _FOLLOWED if redelivery.is_followed(connection, update_id) else ""


def _found(delivery: Delivery | None) -> Delivery:
    if delivery is None:
        raise NotFound("There is no such delivery.")
    return delivery


def _about(delivery: Delivery) -> str:
    whose = delivery.recipient if delivery.employee_id else audit.redacted(delivery.recipient)
    return f"{delivery.kind.replace('_', ' ')} to {whose}"


def _refuse_others(by: Employee) -> None:
    if by.role is not Role.ADMIN:
        raise NotAllowed(f"{by.name} may not change deliveries: that is for admins.")
