"""Signing up for mails with a double opt-in, and leaving by one click."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import Connection

from service.actions.house import House
from service.actions.mailed_links import mail_link
from service.config.values import why_no_email
from service.errors import AddressInvalid, TokenInvalid
from service.mail.compose import unsubscribe_token
from service.mail.headers import checked_address as mailable_address
from service.mail.tokens import hash_token
from service.model import Channel, DeliveryKind, Subscriber, SubscriberState
from service.store import credentials, deliveries, subscribers
from service.store.credentials import Purpose
from service.store.deliveries import NewDelivery

CONFIRMATION_LIFETIME = timedelta(days=3)


def subscribe(house: House, email: str, now: datetime, *, components: Sequence[str] | None = None) -> None:
    """Ask an address to confirm that it wants our mails; the same whether it is known or not.

    `components` is what it wants to hear of (None: of all); names that are none of ours are passed over. An address
    gets one such mail an hour, however often somebody enters it; who has confirmed gets a link to change the choice,
    once a day, and nothing is changed by the asking. Raises AddressInvalid.
    """
    address = checked_address(email)
    with house.store.transaction() as connection:
        subscriber = subscribers.find_by_address(connection, address)
        if subscriber is None:
            subscriber = add_pending(connection, house, address, now)
        if subscriber.state is SubscriberState.CONFIRMED and subscriber.suppressed_at is None:
            ask_to_confirm(connection, house, subscriber.id, subscriber.address, now, is_known=True)
            return
        if subscriber.state is not SubscriberState.CONFIRMED:
            # whom nothing reaches just now chose before, and may choose again by the link
            wanted = _known_components(house, components)
            subscribers.choose(connection, subscriber.id, components=wanted, groups=subscriber.groups)
        ask_to_confirm(connection, house, subscriber.id, subscriber.address, now)


def _known_components(house: House, names: Sequence[str] | None) -> tuple[str, ...] | None:
    """Take the names that are components; all of them or none is no choice at all."""
    every_name = [component.name for component in house.config.components]
    chosen = tuple(name for name in every_name if name in (names or ()))
    return chosen if chosen and len(chosen) < len(every_name) else None


def choose(house: House, token: str, components: Sequence[str] | None) -> Subscriber:
    """Let whoever holds a subscription's link say what it is about. Raises TokenInvalid."""
    with house.store.transaction() as connection:
        found = _subscription(connection, token)
        wanted = _known_components(house, components)
        subscribers.choose(connection, found.id, components=wanted, groups=found.groups)
        return subscribers.get(connection, found.id) or found


def ask_to_confirm(
    connection: Connection,
    house: House,
    subscriber_id: int,
    address: str,
    now: datetime,
    *,
    is_known: bool = False,
) -> None:
    """Mail an address the link that confirms it or, where it is known, shows what it chose."""
    mail = NewDelivery(
        public_id=house.new_id(),
        occasion=f"{'known' if is_known else 'confirm'}:{subscriber_id}",
        kind=DeliveryKind.SUBSCRIBER_CONFIRM,
        recipient=address,
        facts={"path": "/subscribe/confirm/", "is_known": is_known},
        subscriber_id=subscriber_id,
    )
    mail_link(
        connection,
        house,
        mail,
        Purpose.CONFIRM,
        now,
        once_in=timedelta(days=1) if is_known else timedelta(hours=1),
        lifetime=CONFIRMATION_LIFETIME,
    )


def add_pending(
    connection: Connection, house: House, address: str, now: datetime, *, channel: Channel = Channel.EMAIL
) -> Subscriber:
    """Add an address that is not known yet; it hears of nothing before it is confirmed."""
    public_id = house.new_id()
    return subscribers.add(
        connection,
        public_id=public_id,
        address=address,
        unsubscribe_hash=hash_token(unsubscribe_token(house.key, public_id)),
        now=now,
        channel=channel,
    )


def checked_address(email: str) -> str:
    """Check and normalise an address that a stranger typed; raises AddressInvalid with what is wrong.

    What passes can be written to: other letters than a to z before the @ need SMTPUTF8, which few mail servers have.
    """
    try:
        address = validate_email(email.strip(), check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError as error:
        raise AddressInvalid(f"this is not an e-mail address: {why_no_email(error)}.") from error
    try:
        mailable_address(address)
    except AddressInvalid as error:
        raise AddressInvalid(
            "we cannot write to this address: before the @ only letters from a to z, digits and signs can stand; "
            "give another one, without accents."
        ) from error
    return address


def find_confirmation(house: House, token: str, now: datetime) -> Subscriber:
    """Find whom a confirmation link is for, changing nothing; raises TokenInvalid."""
    with house.store.reading() as connection:
        return _for_confirmation(connection, token, now)


def confirm(house: House, token: str, now: datetime) -> Subscriber:
    """Begin to send mails to whoever holds the link; a second time changes nothing. Raises TokenInvalid."""
    with house.store.transaction() as connection:
        subscriber = _for_confirmation(connection, token, now)
        is_first_use = credentials.use(connection, hash_token(token), now)
        # a second link of the same address does not make its subscription any younger
        is_reached = subscriber.state is SubscriberState.CONFIRMED and subscriber.suppressed_at is None
        if is_first_use and not is_reached:
            state = SubscriberState.CONFIRMED
            subscribers.set_state(connection, subscriber.id, state, confirmed_at=now)
        return subscriber


def _for_confirmation(connection: Connection, token: str, now: datetime) -> Subscriber:
    found = credentials.find(connection, hash_token(token), Purpose.CONFIRM)
    if found is None or found.subscriber_id is None:
        raise TokenInvalid("this link is not one of ours; sign up again to get a new one")
    if found.expires_at <= now:
        raise TokenInvalid("this link is too old; sign up again to get a new one")
    subscriber = subscribers.get(connection, found.subscriber_id)
    if subscriber is None:
        raise TokenInvalid("this address is no longer known here; sign up again")
    if found.used_at is not None and subscriber.state is not SubscriberState.CONFIRMED:
        raise TokenInvalid("this link was used before and the address left since; sign up again")
    return subscriber


def find_subscription(house: House, token: str) -> Subscriber:
    """Find whom an unsubscribe link is for, changing nothing; raises TokenInvalid."""
    with house.store.reading() as connection:
        return _subscription(connection, token)


def subscription_token(house: House, subscriber: Subscriber) -> str:
    """Give the token of a subscriber's own page."""
    return unsubscribe_token(house.key, subscriber.public_id)


def _subscription(connection: Connection, token: str) -> Subscriber:
    found = subscribers.find_by_unsubscribe_hash(connection, hash_token(token))
    if found is None:
        raise TokenInvalid("this link is not one of ours, or was cut short by the mail program")
    return found


def unsubscribe(house: House, token: str) -> Subscriber:
    """Send this address nothing more (RFC 8058's one click); a second time changes nothing."""
    with house.store.transaction() as connection:
        found = _subscription(connection, token)
        state = SubscriberState.UNSUBSCRIBED
        subscribers.set_state(connection, found.id, state, confirmed_at=None)
        deliveries.cancel_of_subscriber(connection, found.id, "unsubscribed")
        return found
