"""One subscriber at a time, by an admin's hand: added, and given other components or groups. Lists are imported.

Nobody (`by=None`) is whoever has a shell on the machine: the command line.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import Enum, StrEnum, auto
from typing import Final

from service.actions.house import House
from service.actions.subscriber_admin import refuse_others, who
from service.actions.subscriber_file import channel_of
from service.actions.subscribing import add_pending, ask_to_confirm, checked_address
from service.calls.calling import check_url
from service.errors import NotFound, PermanentFault
from service.model import Channel, Employee, Subscriber, SubscriberState
from service.store import audit, subscribers


class Unsaid(Enum):
    """Stands for what an order says nothing of."""

    UNSAID = auto()


UNSAID: Final = Unsaid.UNSAID


class Known(StrEnum):
    """How an address stands that nobody may add by hand."""

    SUBSCRIBED = "already_subscribed"
    LEFT = "has_left"
    NOT_REACHED = "not_reached"


_SAID: Final = {
    Known.SUBSCRIBED: "is subscribed already: what it hears of is changed on its own page",
    Known.LEFT: "has left, and only its owner brings it back: by the form on the status page",
    Known.NOT_REACHED: "is known, but nothing is sent to it since nothing arrives there: see its own page",
}


class AlreadyKnown(PermanentFault):
    """An address cannot be added, since it is a subscriber's already: whose, and how that one stands."""

    def __init__(self, subscriber: Subscriber, known: Known) -> None:
        super().__init__(f"{subscriber.address} {_SAID[known]}")
        self.subscriber_id = subscriber.id
        self.known = known


def add(
    house: House,
    address: str,
    by: Employee | None,
    now: datetime,
    *,
    channel: Channel | None = None,
    components: Sequence[str] | None = None,
    groups: Sequence[str] = (),
    have_agreed: bool = False,
) -> Subscriber:
    """Add an e-mail address or a webhook's URL, and give it as it stands then.

    As with an import, an address is asked to confirm unless `have_agreed` says that its owner did so elsewhere; one
    that was asked before hears then, or is asked again, once an hour at most. A webhook is not asked; its host tells
    its `channel` where none is given. Raises AlreadyKnown, AddressInvalid, UrlUnusable and NotAllowed.
    """
    refuse_others(by)
    is_url, may_be_private = "://" in address, house.config.private_webhooks
    checked = check_url(address, may_be_private=may_be_private) if is_url else checked_address(address)
    with house.store.transaction() as connection:
        found = subscribers.find_by_address(connection, checked)
        if found is None:
            kind = (channel or channel_of(checked)) if is_url else Channel.EMAIL
            found = add_pending(connection, house, checked, now, channel=kind)
        if known := _known(found):
            raise AlreadyKnown(found, known)
        subscribers.choose(connection, found.id, components=components, groups=groups)
        if is_url or have_agreed:
            subscribers.set_state(connection, found.id, SubscriberState.CONFIRMED, confirmed_at=now)
        else:
            ask_to_confirm(connection, house, found.id, found.address, now)
        told = "a webhook" if is_url else "agreed elsewhere" if have_agreed else "asked to confirm"
        audit.note(connection, now, who(by), "subscriber_added", audit.redacted(checked), told)
        return subscribers.get(connection, found.id) or found


def _known(found: Subscriber) -> Known | None:
    if found.suppressed_at is not None:
        return Known.NOT_REACHED
    if found.state is SubscriberState.UNSUBSCRIBED:
        return Known.LEFT
    return Known.SUBSCRIBED if found.state is SubscriberState.CONFIRMED else None


def change(
    house: House,
    subscriber_id: int,
    by: Employee | None,
    now: datetime,
    *,
    components: Sequence[str] | Unsaid | None = UNSAID,
    groups: Sequence[str] | Unsaid = UNSAID,
) -> Subscriber:
    """Let a subscriber hear of these components (None: of all), and be in exactly these groups; gives it as it is then.

    What is left out stays, and where nothing changes nothing is noted. Raises NotFound and NotAllowed.
    """
    refuse_others(by)
    with house.store.transaction() as connection:
        found = subscribers.get(connection, subscriber_id)
        if found is None:
            raise NotFound("there is no such subscriber")
        chosen = found.components if isinstance(components, Unsaid) else _once(components)
        within = found.groups if isinstance(groups, Unsaid) else _once(groups) or ()
        if _as_set(chosen) == _as_set(found.components) and set(within) == set(found.groups):
            return found
        subscribers.choose(connection, found.id, components=chosen, groups=within)
        hears = "all components" if chosen is None else ", ".join(chosen)
        told = f"{hears}; groups: {', '.join(within) or 'none'}"
        audit.note(connection, now, who(by), "subscriber_changed", audit.redacted(found.address), told)
        return subscribers.get(connection, found.id) or found


def _once(names: Sequence[str] | None) -> tuple[str, ...] | None:
    return None if names is None else tuple(dict.fromkeys(names))


def _as_set(names: Sequence[str] | None) -> frozenset[str] | None:
    return None if names is None else frozenset(names)
