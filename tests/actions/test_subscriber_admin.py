"""Admins import, export, add, reinstate and remove subscribers; nobody else does."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from service.actions.house import House
from service.actions.subscriber_admin import (
    Imported,
    add_webhook,
    export_lines,
    import_file,
    reinstate,
    remove,
)
from service.actions.subscriber_file import SubscriberFileFaulty
from service.actions.subscribing import find_subscription, subscribe, unsubscribe
from service.errors import NotAllowed, NotFound, TokenInvalid
from service.mail.compose import unsubscribe_token
from service.model import Channel, DeliveryKind, Employee, Subscriber, SubscriberState
from service.store import deliveries, subscriber_lists, subscribers
from service.store.subscriber_lists import Tally
from tests.rooms import Clock

FILE = b"Email,Components,Webhook URL,Groups\nana@reader.example,API,https://ops.acme.example/hook,Staff\n"


def jordan(house: House) -> Employee:
    return house.config.employees["jordan"]


def take(house: House, clock: Clock, raw: bytes = FILE, *, have_agreed: bool = True) -> Imported:
    return import_file(house, raw, jordan(house), clock(), have_agreed=have_agreed)


def everyone(house: House) -> list[Subscriber]:
    with house.store.reading() as connection:
        return list(subscriber_lists.search(connection, limit=99))


def tally(house: House) -> Tally:
    with house.store.reading() as connection:
        return subscriber_lists.tally(connection)


def asked(house: House, clock: Clock) -> list[str]:
    """Give whom a confirmation is mailed to."""
    with house.store.transaction() as connection:
        mails = deliveries.claim_due(connection, clock(), urgent=True, lease=timedelta(days=1), limit=999)
    return [mail.recipient for mail in mails if mail.kind is DeliveryKind.SUBSCRIBER_CONFIRM]


def test_a_file_of_people_who_agreed_makes_subscribers(house: House, clock: Clock) -> None:
    imported = take(house, clock)
    assert (imported.added, imported.changed, imported.kept_out) == (2, 0, ())
    hook, ana = everyone(house)
    assert (ana.state, ana.components, ana.groups) == (SubscriberState.CONFIRMED, ("API",), ("Staff",))
    assert (hook.channel, hook.state) == (Channel.WEBHOOK, SubscriberState.CONFIRMED)
    assert find_subscription(house, unsubscribe_token(house.key, ana.public_id)).id == ana.id


def test_the_others_are_asked_first(house: House, clock: Clock) -> None:
    take(house, clock, have_agreed=False)
    assert tally(house) == Tally(confirmed=1, pending=1)
    assert asked(house, clock) == ["ana@reader.example"]


def test_a_bad_line_keeps_all_others_out(house: House, clock: Clock) -> None:
    with pytest.raises(SubscriberFileFaulty):
        take(house, clock, FILE + b"nonsense,,,\n")
    assert everyone(house) == []


def test_importing_again_changes_choices_and_doubles_nobody(house: House, clock: Clock) -> None:
    take(house, clock)
    again = take(house, clock, b"Email,Groups\nANA@reader.example,Board\n")
    assert (again.added, again.changed, again.unheard_groups) == (0, 1, ("Board",))
    ana = everyone(house)[1]
    assert (ana.components, ana.groups, ana.address) == (None, ("Board",), "ana@reader.example")


def test_an_import_brings_nobody_back_who_left_or_is_not_reached(house: House, clock: Clock) -> None:
    take(house, clock, b"Email\nana@reader.example\nben@reader.example\ncem@reader.example\n")
    cem, ben, _ = everyone(house)
    unsubscribe(house, unsubscribe_token(house.key, ben.public_id))
    with house.store.transaction() as connection:
        subscribers.suppress(connection, cem.id, clock(), "550 no such user")
    again = take(house, clock, b"Email\nana@reader.example\nben@reader.example\ncem@reader.example\n")
    assert again.kept_out == ("ben@reader.example", "cem@reader.example")
    assert tally(house) == Tally(confirmed=1, unsubscribed=1, suppressed=1)


def test_too_many_are_not_asked_at_once(house: House, clock: Clock) -> None:
    many = "Email\n" + "".join(f"reader{number}@reader.example\n" for number in range(501))
    with pytest.raises(NotAllowed, match="501 new addresses"):
        take(house, clock, many.encode(), have_agreed=False)
    assert everyone(house) == []
    assert take(house, clock, many.encode()).added == 501


def test_the_export_is_the_list_of_those_who_hear(house: House, clock: Clock) -> None:
    take(house, clock)
    subscribe(house, "ben@reader.example", clock())
    assert "".join(export_lines(house, jordan(house))).splitlines() == [
        "Email,Phone,Components,Groups,Webhook URL,Tags",
        "ana@reader.example,,API,Staff,,",
        ",,API,Staff,https://ops.acme.example/hook,",
    ]


def test_a_suppressed_one_is_sent_to_again_when_an_admin_says_so(house: House, clock: Clock) -> None:
    hook = add_webhook(
        house, "https://hooks.slack.com/services/x", jordan(house), clock(), components=["API"]
    )
    assert (hook.channel, hook.components) == (Channel.SLACK, ("API",))
    with house.store.transaction() as connection:
        subscribers.suppress(connection, hook.id, clock(), "it answered 500 for three days")
    reinstate(house, hook.id, jordan(house), clock())
    assert tally(house) == Tally(confirmed=1)


def test_who_is_removed_is_forgotten(house: House, clock: Clock) -> None:
    take(house, clock)
    ana = everyone(house)[1]
    remove(house, ana.id, jordan(house))
    assert [one.address for one in everyone(house)] == ["https://ops.acme.example/hook"]
    with pytest.raises(TokenInvalid):
        find_subscription(house, unsubscribe_token(house.key, ana.public_id))
    with pytest.raises(NotFound):
        remove(house, ana.id, jordan(house))


@pytest.mark.parametrize(
    "act",
    [
        lambda house, by, now: import_file(house, FILE, by, now, have_agreed=True),
        lambda house, by, _: export_lines(house, by),
        lambda house, by, now: add_webhook(house, "https://ops.acme.example/", by, now),
        lambda house, by, now: reinstate(house, 1, by, now),
        lambda house, by, _: remove(house, 1, by),
    ],
)
@pytest.mark.parametrize("who", ["sam", "vera"])
def test_it_is_for_admins_alone(
    house: House, clock: Clock, who: str, act: Callable[[House, Employee, object], object]
) -> None:
    with pytest.raises(NotAllowed, match="for admins"):
        act(house, house.config.employees[who], clock())
