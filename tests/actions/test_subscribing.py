"""Signing up takes a confirmation, leaving takes one click, and nobody learns who is on the list."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.actions.fan_out import queue_next_chunk
from service.actions.house import House
from service.actions.subscribing import (
    CONFIRMATION_LIFETIME,
    checked_address,
    choose,
    confirm,
    find_confirmation,
    find_subscription,
    subscribe,
    unsubscribe,
)
from service.errors import AddressInvalid, TokenInvalid
from service.mail.compose import link_token, unsubscribe_token
from service.model import Delivery, DeliveryKind, Subscriber, SubscriberState
from service.store import deliveries, subscribers
from tests.rooms import Clock
from tests.web.outages import Outages

ANA = "ana@reader.example"
LATER = timedelta(hours=1)


def queued(house: House, clock: Clock, *, urgent: bool = True) -> list[Delivery]:
    """Take what is due out of the outbox."""
    with house.store.transaction() as connection:
        lease = timedelta(days=365)
        return list(deliveries.claim_due(connection, clock(), urgent=urgent, lease=lease, limit=99))


def ask(house: House, clock: Clock, email: str = ANA) -> str:
    """Sign an address up; gives the token of the link that it is sent."""
    subscribe(house, email, clock())
    [mail] = [mail for mail in queued(house, clock) if mail.kind is DeliveryKind.SUBSCRIBER_CONFIRM]
    return link_token(house.key, mail.public_id, "confirm")


def ana(house: House) -> Subscriber:
    with house.store.reading() as connection:
        found = subscribers.find_by_address(connection, ANA)
    assert found is not None
    return found


def leaving_token(house: House) -> str:
    return unsubscribe_token(house.key, ana(house).public_id)


def test_an_address_is_subscribed_once_it_confirms(house: House, clock: Clock) -> None:
    token = ask(house, clock)
    assert ana(house).state is SubscriberState.PENDING
    assert find_confirmation(house, token, clock()).state is SubscriberState.PENDING, (
        "looking changes nothing"
    )
    confirm(house, token, clock())
    assert (ana(house).state, ana(house).confirmed_at) == (SubscriberState.CONFIRMED, clock())


def test_an_address_gets_one_mail_an_hour_however_often_it_is_entered(house: House, clock: Clock) -> None:
    for email in (ANA, "ANA@reader.example", f" {ANA} "):
        subscribe(house, email, clock())
        clock.move(timedelta(minutes=19))
    assert [mail.recipient for mail in queued(house, clock)] == [ANA]
    clock.move(LATER)
    subscribe(house, ANA, clock())
    assert len(queued(house, clock)) == 1


def test_a_known_address_is_mailed_a_link_to_its_choice_once_a_day_and_stays_as_it_is(
    house: House, clock: Clock
) -> None:
    confirm(house, ask(house, clock), clock())
    for _ in range(3):
        clock.move(LATER)
        subscribe(house, ANA, clock(), components=["API"])
    [mail] = queued(house, clock)
    assert mail.facts["is_known"] is True
    assert find_confirmation(house, link_token(house.key, mail.public_id, "confirm"), clock()) == ana(house)
    assert ana(house).state is SubscriberState.CONFIRMED
    assert ana(house).components is None, "whoever types an address does not choose for its owner"


def test_nobody_else_chooses_for_whom_nothing_reaches_just_now(house: House, clock: Clock) -> None:
    confirm(house, ask(house, clock), clock())
    with house.store.transaction() as connection:
        subscribers.suppress(connection, ana(house).id, clock(), "550 no such user")
    clock.move(LATER)
    subscribe(house, ANA, clock(), components=["API"])
    assert ana(house).components is None
    assert len(queued(house, clock)) == 1, "it may come back by confirming"


@pytest.mark.parametrize(
    ("asked", "chosen"),
    [
        (None, None),
        ([], None),
        (["API"], ("API",)),
        (["API", "Fax"], ("API",)),
        (["Fax"], None),
        (["API", "Calendar", "Email"], None),
    ],
)
def test_what_is_chosen_at_the_sign_up_is_heard_of(
    house: House, clock: Clock, asked: list[str] | None, chosen: tuple[str, ...] | None
) -> None:
    subscribe(house, ANA, clock(), components=asked)
    assert ana(house).components == chosen


def test_a_choice_is_changed_by_the_link_of_the_mails_alone(house: House, clock: Clock) -> None:
    confirm(house, ask(house, clock), clock())
    assert choose(house, leaving_token(house), ["API"]).components == ("API",)
    assert choose(house, leaving_token(house), None).components is None
    with pytest.raises(TokenInvalid):
        choose(house, "a" * 26, ["API"])


def test_confirming_twice_changes_nothing(house: House, clock: Clock) -> None:
    token, confirmed_at = ask(house, clock), clock()
    confirm(house, token, clock())
    clock.move(LATER)
    confirm(house, token, clock())
    assert ana(house).confirmed_at == confirmed_at


def test_a_second_link_makes_the_subscription_no_younger(house: House, clock: Clock) -> None:
    first = ask(house, clock)
    clock.move(LATER)
    second = ask(house, clock)
    confirm(house, second, clock())
    confirmed_at = clock()
    clock.move(LATER)
    confirm(house, first, clock())
    assert ana(house).confirmed_at == confirmed_at


@pytest.mark.parametrize("act", [find_confirmation, confirm])
def test_a_link_that_is_too_old_says_so(house: House, clock: Clock, act: type) -> None:
    token = ask(house, clock)
    clock.move(CONFIRMATION_LIFETIME)
    with pytest.raises(TokenInvalid, match="too old; sign up again"):
        act(house, token, clock())
    assert ana(house).state is SubscriberState.PENDING


@pytest.mark.parametrize("token", ["", "nonsense", "a" * 26])
def test_a_link_that_is_not_ours_says_so(house: House, clock: Clock, token: str) -> None:
    ask(house, clock)
    with pytest.raises(TokenInvalid, match="not one of ours; sign up again"):
        confirm(house, token, clock())
    with pytest.raises(TokenInvalid, match="not one of ours, or was cut short"):
        unsubscribe(house, token)


def test_a_used_link_does_not_bring_back_who_left(house: House, clock: Clock) -> None:
    token = ask(house, clock)
    confirm(house, token, clock())
    unsubscribe(house, leaving_token(house))
    for act in (find_confirmation, confirm):
        with pytest.raises(TokenInvalid, match="used before and the address left since"):
            act(house, token, clock())
    assert ana(house).state is SubscriberState.UNSUBSCRIBED


def test_who_left_may_come_back_by_a_new_link(house: House, clock: Clock) -> None:
    confirm(house, ask(house, clock), clock())
    unsubscribe(house, leaving_token(house))
    clock.move(LATER)
    confirm(house, ask(house, clock), clock())
    assert ana(house).state is SubscriberState.CONFIRMED


def test_looking_at_the_leaving_page_changes_nothing_and_leaving_twice_neither(
    house: House, clock: Clock
) -> None:
    confirm(house, ask(house, clock), clock())
    token = leaving_token(house)
    assert find_subscription(house, token).state is SubscriberState.CONFIRMED
    unsubscribe(house, token.upper())
    unsubscribe(house, token)
    assert ana(house).state is SubscriberState.UNSUBSCRIBED


def test_who_leaves_gets_no_update_that_waits(house: House, clock: Clock) -> None:
    confirm(house, ask(house, clock), clock())
    confirm(house, ask(house, clock, "ben@reader.example"), clock())
    Outages(house, clock).published()
    while queue_next_chunk(house, clock()):
        pass
    unsubscribe(house, leaving_token(house))
    told = [mail.recipient for mail in queued(house, clock, urgent=False)]
    assert told == ["ben@reader.example"]


def test_who_never_read_of_an_outage_does_not_read_of_its_end(house: House, clock: Clock) -> None:
    confirm(house, ask(house, clock), clock())
    outages = Outages(house, clock)
    incident = outages.published()
    queue_next_chunk(house, clock())
    unsubscribe(house, leaving_token(house))
    clock.move(LATER)
    confirm(house, ask(house, clock), clock())
    outages.close(incident)
    while queue_next_chunk(house, clock()):
        pass
    assert queued(house, clock, urgent=False) == []


@pytest.mark.parametrize(
    "typed",
    ["", "ana", "ana@", "@reader.example", "ana@reader@example", "a b@c.example",
     "ana@reader.example\r\nBcc: everybody@acme.example", "Ana <ana@reader.example>", "ana@[127.0.0.1]"],
)  # fmt: skip
def test_what_is_no_address_is_refused(house: House, clock: Clock, typed: str) -> None:
    with pytest.raises(AddressInvalid, match="this is not an e-mail address"):
        subscribe(house, typed, clock())
    assert queued(house, clock) == []


@given(typed=st.text(max_size=40) | st.emails())
def test_an_address_that_is_taken_is_one_line(typed: str) -> None:
    try:
        address = checked_address(typed)
    except AddressInvalid:
        return
    assert address.isprintable()
    assert " " not in address
    assert address.count("@") == 1
