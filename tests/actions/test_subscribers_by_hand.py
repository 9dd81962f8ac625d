"""Admins add one subscriber by hand and change what one hears of; what must stay as it is stays."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from service.actions.house import House
from service.actions.subscriber_admin import add_webhook
from service.actions.subscribers_by_hand import AlreadyKnown, Known, add, change
from service.actions.subscribing import find_subscription, subscribe, unsubscribe
from service.calls.calling import UrlUnusable
from service.errors import AddressInvalid, NotAllowed, NotFound
from service.mail.compose import unsubscribe_token
from service.model import Channel, Employee, Subscriber, SubscriberState
from service.store import audit, subscribers
from tests.actions.test_subscriber_admin import asked, everyone, jordan, take
from tests.rooms import Clock

ANA = "ana@reader.example"
HOOK = "https://hooks.slack.com/services/T/s3cret"


def acts(house: House) -> list[tuple[str, str, str, str]]:
    """Give what was written down, the newest first."""
    with house.store.reading() as connection:
        return [(one.by, one.act, one.about, one.note) for one in audit.listed(connection, limit=9)]


def test_who_agreed_elsewhere_hears_at_once(house: House, clock: Clock) -> None:
    ana = add(house, f" {ANA.upper()} ", jordan(house), clock(), have_agreed=True, components=["API"])
    assert (ana.state, ana.confirmed_at) == (SubscriberState.CONFIRMED, clock())
    assert (ana.address, ana.components, ana.groups) == ("ANA@reader.example", ("API",), ())
    assert find_subscription(house, unsubscribe_token(house.key, ana.public_id)).id == ana.id
    assert asked(house, clock) == []
    assert acts(house) == [("jordan", "subscriber_added", "A…@reader.example", "agreed elsewhere")]


def test_the_others_are_asked_and_hear_of_nothing_before(house: House, clock: Clock) -> None:
    ana = add(house, ANA, None, clock(), groups=["Gold", "Gold", "Staff"])
    assert (ana.state, ana.components, ana.groups) == (SubscriberState.PENDING, None, ("Gold", "Staff"))
    assert asked(house, clock) == [ANA]
    assert acts(house) == [("cli", "subscriber_added", "a…@reader.example", "asked to confirm")]


@pytest.mark.parametrize(("channel", "told"), [(None, Channel.SLACK), (Channel.WEBHOOK, Channel.WEBHOOK)])
def test_a_webhook_is_not_asked(house: House, clock: Clock, channel: Channel | None, told: Channel) -> None:
    hook = add(house, HOOK, jordan(house), clock(), channel=channel)
    assert (hook.channel, hook.state) == (told, SubscriberState.CONFIRMED)
    assert acts(house) == [("jordan", "subscriber_added", "hooks.slack.com/…", "a webhook")]


def test_who_was_asked_before_is_asked_again_once_an_hour_or_hears(house: House, clock: Clock) -> None:
    subscribe(house, ANA, clock(), components=["API"])
    assert asked(house, clock) == [ANA]
    add(house, ANA, jordan(house), clock())
    assert asked(house, clock) == []
    clock.move(timedelta(hours=1, seconds=1))
    add(house, ANA, jordan(house), clock())
    assert asked(house, clock) == [ANA]
    ana = add(house, ANA, jordan(house), clock(), have_agreed=True, components=["Email"])
    assert (ana.state, ana.components) == (SubscriberState.CONFIRMED, ("Email",))
    assert len(everyone(house)) == 1


def suppressed(house: House, clock: Clock, ana: Subscriber) -> None:
    with house.store.transaction() as connection:
        subscribers.suppress(connection, ana.id, clock(), "550 no such user")


def left(house: House, _clock: Clock, ana: Subscriber) -> None:
    unsubscribe(house, unsubscribe_token(house.key, ana.public_id))


def nothing(_house: House, _clock: Clock, _ana: Subscriber) -> None:
    """Let her be subscribed."""


@pytest.mark.parametrize(
    ("before", "known", "said"),
    [
        (nothing, Known.SUBSCRIBED, "is subscribed already"),
        (left, Known.LEFT, "only its owner brings it back"),
        (suppressed, Known.NOT_REACHED, "nothing arrives there"),
    ],
)
@pytest.mark.parametrize("have_agreed", [True, False])
def test_nobody_is_overwritten_or_brought_back_by_hand(
    house: House,
    clock: Clock,
    before: Callable[[House, Clock, Subscriber], None],
    known: Known,
    said: str,
    *,
    have_agreed: bool,
) -> None:
    take(house, clock, b"Email,Components,Groups\nana@reader.example,API,Staff\n")
    [ana] = everyone(house)
    before(house, clock, ana)
    stands = everyone(house)
    with pytest.raises(AlreadyKnown, match=said) as refused:
        add(house, ANA, jordan(house), clock(), have_agreed=have_agreed)
    assert (refused.value.known, refused.value.subscriber_id) == (known, ana.id)
    assert everyone(house) == stands
    assert [one[1] for one in acts(house)] == ["subscribers_imported"]
    assert asked(house, clock) == []


@pytest.mark.parametrize(
    ("address", "error"),
    [
        ("ana", AddressInvalid),
        ("", AddressInvalid),
        ("áná@reader.example", AddressInvalid),
        ("ftp://x.example", UrlUnusable),
        ("http://10.0.0.7/x", UrlUnusable),
    ],
)
def test_what_cannot_be_written_to_is_not_added(
    house: House, clock: Clock, address: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        add(house, address, jordan(house), clock(), have_agreed=True)
    assert everyone(house) == []


def test_a_webhook_of_our_own_network_is_added_where_config_lets_it(house: House, clock: Clock) -> None:
    within = replace(house, config=replace(house.config, private_webhooks=True))
    hook = add(within, "http://10.0.0.7/x", jordan(house), clock())
    also = add_webhook(within, "http://10.0.0.8/x", jordan(house), clock())
    assert [hook.state, also.state] == [SubscriberState.CONFIRMED] * 2
    with pytest.raises(UrlUnusable):
        add_webhook(house, "http://10.0.0.9/x", jordan(house), clock())


def test_what_one_hears_of_is_changed_and_what_is_left_out_stays(house: House, clock: Clock) -> None:
    ana = add(house, ANA, None, clock(), have_agreed=True, components=["API"], groups=["Staff"])
    by = jordan(house)
    changed = change(house, ana.id, by, clock(), components=["Email", "API", "Email"])
    assert (changed.components, changed.groups) == (("API", "Email"), ("Staff",))
    changed = change(house, ana.id, by, clock(), groups=["Gold"])
    assert (changed.components, changed.groups) == (("API", "Email"), ("Gold",))
    changed = change(house, ana.id, by, clock(), components=None, groups=[])
    assert (changed.components, changed.groups) == (None, ())
    assert acts(house)[:-1] == [
        ("jordan", "subscriber_changed", "a…@reader.example", told)
        for told in (
            "all components; groups: none",
            "API, Email; groups: Gold",
            "Email, API; groups: Staff",
        )
    ]


def test_where_nothing_changes_nothing_is_noted(house: House, clock: Clock) -> None:
    ana = add(house, ANA, None, clock(), components=["API", "Email"], groups=["Staff"])
    before = acts(house)
    assert change(house, ana.id, None, clock()) == ana
    assert change(house, ana.id, None, clock(), components=["Email", "API"], groups=["Staff"]) == ana
    assert acts(house) == before


def test_whoever_is_not_there_is_not_changed(house: House, clock: Clock) -> None:
    with pytest.raises(NotFound):
        change(house, 7, None, clock(), groups=["Staff"])


@pytest.mark.parametrize(
    "act",
    [
        lambda house, by, now: add(house, ANA, by, now, have_agreed=True),
        lambda house, by, now: change(house, 1, by, now, groups=["Staff"]),
    ],
)
@pytest.mark.parametrize("whose", ["sam", "vera"])
def test_it_is_for_admins_alone(
    house: House, clock: Clock, whose: str, act: Callable[[House, Employee, object], object]
) -> None:
    with pytest.raises(NotAllowed, match="for admins"):
        act(house, house.config.employees[whose], clock())
