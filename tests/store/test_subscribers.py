"""Who hears of an update: all who were there when an incident was published, and then those who heard of it."""

from dataclasses import replace

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from service.model import Channel, Incident, Subscriber, SubscriberState
from service.store import audience, deliveries, subscriber_lists, subscribers
from service.store.audience import Audience
from service.store.database import Store
from service.store.subscriber_lists import EVERYTHING, Wish
from tests.store.rows import MINUTE, NOW, a_mail, add_incident, add_subscriber, add_update, queued

EVERYBODY = Audience(None)
CONFIRMED = SubscriberState.CONFIRMED


def told(connection: Connection, wanted: Audience, *, after_id: int = 0, limit: int = 9) -> list[str]:
    span = audience.next_to_tell(connection, wanted, posted_at=NOW, after_id=after_id, limit=limit)
    chosen = connection.execute(span.hearing).all() if span else []
    assert span is None or (span.first_id, span.last_id, span.number) == (
        chosen[0].id,
        chosen[-1].id,
        len(chosen),
    )
    return [one.public_id for one in chosen]


def tell(connection: Connection, incident: Incident, update_id: int, subscriber: Subscriber) -> int:
    """Queue an update for a subscriber; gives the delivery's id."""
    said = {"incident_id": incident.id, "update_id": update_id, "subscriber_id": subscriber.id}
    [mail] = queued(connection, a_mail(f"{update_id}:{subscriber.id}", **said))
    return mail.id


def test_an_address_is_one_whatever_its_case(store: Store) -> None:
    with store.transaction() as connection:
        ana = add_subscriber(connection, "ana")
        found = subscribers.find_by_address(connection, "ANA@Reader.Example")
        assert found is not None
        assert found.id == ana.id
        with pytest.raises(IntegrityError):
            subscribers.add(
                connection, public_id="b", address="Ana@reader.example", unsubscribe_hash="b", now=NOW
            )


def test_a_first_update_goes_to_those_confirmed_by_then(store: Store) -> None:
    with store.transaction() as connection:
        for name, confirmed_at in (("ana", NOW), ("ben", NOW + MINUTE), ("cem", None), ("dia", NOW - MINUTE)):
            add_subscriber(connection, name, confirmed_at)
        left = add_subscriber(connection, "eve")
        subscribers.set_state(connection, left.id, SubscriberState.UNSUBSCRIBED, confirmed_at=None)
        assert told(connection, EVERYBODY) == ["ana", "dia"]
        assert audience.count(connection, EVERYBODY).total == 3, "ben hears of what is published now"


def test_they_are_told_chunk_by_chunk(store: Store) -> None:
    with store.transaction() as connection:
        everybody = [add_subscriber(connection, name) for name in ("ana", "ben", "cem")]
        assert told(connection, EVERYBODY, limit=2) == ["ana", "ben"]
        assert told(connection, EVERYBODY, limit=2, after_id=everybody[1].id) == ["cem"]
        assert told(connection, EVERYBODY, limit=2, after_id=everybody[2].id) == []


def test_a_further_update_goes_to_those_who_heard_of_the_first(store: Store) -> None:
    with store.transaction() as connection:
        incident = add_incident(connection)
        first = add_update(connection, incident)
        names = ("sent", "waiting", "failed", "cancelled", "late", "left")
        by_name = {name: add_subscriber(connection, name) for name in names}
        mails = {name: tell(connection, incident, first, by_name[name]) for name in names if name != "late"}
        deliveries.mark_sent(connection, mails["sent"], NOW)
        deliveries.mark_sent(connection, mails["left"], NOW)
        deliveries.mark_failed(connection, mails["failed"], NOW, "550 no such user")
        deliveries.cancel_of_subscriber(connection, by_name["cancelled"].id, "unsubscribed")
        state = SubscriberState.UNSUBSCRIBED
        subscribers.set_state(connection, by_name["left"].id, state, confirmed_at=None)
        assert told(connection, Audience(first)) == ["sent", "waiting"]
        assert audience.count(connection, Audience(first)).total == 2


def test_an_address_that_does_not_exist_hears_nothing_until_it_confirms_again(store: Store) -> None:
    with store.transaction() as connection:
        ana = add_subscriber(connection, "ana")
        assert subscribers.count_soft_bounce(connection, ana.id, NOW) == 1
        subscribers.suppress(connection, ana.id, NOW)
        assert told(connection, EVERYBODY) == []
        subscribers.set_state(connection, ana.id, SubscriberState.CONFIRMED, confirmed_at=NOW)
        assert told(connection, EVERYBODY) == ["ana"]
        assert subscribers.count_soft_bounce(connection, ana.id, NOW) == 1


def test_an_unsubscribe_link_finds_its_address_alone(store: Store) -> None:
    with store.transaction() as connection:
        ana = add_subscriber(connection, "ana")
        add_subscriber(connection, "ben")
        found = subscribers.find_by_unsubscribe_hash(connection, "ana")
        assert found is not None
        assert found.id == ana.id
        assert subscribers.find_by_unsubscribe_hash(connection, "cem") is None


def choose(
    connection: Connection, name: str, components: list[str] | None = None, groups: tuple[str, ...] = ()
) -> None:
    """Store a subscriber with choices of its own."""
    subscribers.choose(connection, add_subscriber(connection, name).id, components=components, groups=groups)


@pytest.mark.parametrize(
    ("wanted", "who"),
    [
        (Audience(), ["all", "email", "api", "staff"]),
        (Audience(components=("Email",)), ["all", "email", "staff"]),
        (Audience(components=("API", "Email")), ["all", "email", "api", "staff"]),
        (Audience(components=("Website",)), ["all", "staff"]),
        (Audience(components=("Website",), known=("Website", "Email", "API")), ["all", "staff"]),
        (Audience(components=("Website",), known=("Website", "API")), ["all", "email", "staff"]),
        (Audience(components=("Website",), known=("Website",)), ["all", "email", "api", "staff"]),
        (Audience(groups=("Staff",)), ["staff"]),
        (Audience(components=("Email",), groups=("Staff", "Partners")), ["staff"]),
        (Audience(groups=("Partners",)), []),
    ],
)
def test_who_chose_components_or_is_in_a_group_hears_of_these_alone(
    store: Store, wanted: Audience, who: list[str]
) -> None:
    with store.transaction() as connection:
        choose(connection, "all")
        choose(connection, "email", ["Email"])
        choose(connection, "api", ["API"])
        choose(connection, "staff", None, ("Staff",))
        assert told(connection, wanted) == who
        assert audience.count(connection, wanted).mails == len(who)


def test_webhooks_are_counted_apart_from_mails(store: Store) -> None:
    with store.transaction() as connection:
        add_subscriber(connection, "ana")
        hook = subscribers.add(
            connection,
            public_id="hook",
            address="https://hooks.example/A",
            unsubscribe_hash="hook",
            now=NOW,
            channel=Channel.SLACK,
        )
        subscribers.set_state(connection, hook.id, SubscriberState.CONFIRMED, confirmed_at=NOW)
        reach = audience.count(connection, EVERYBODY)
        assert (reach.mails, reach.webhooks, reach.subscribers) == (
            1,
            1,
            "1 subscriber by mail and 1 webhook",
        )
        assert subscribers.find_by_address(connection, "https://hooks.example/a") is None, "paths have a case"


def test_what_was_chosen_is_read_again_and_can_be_chosen_anew(store: Store) -> None:
    with store.transaction() as connection:
        ana = add_subscriber(connection, "ana")
        subscribers.choose(connection, ana.id, components=["API", "Email", "API"], groups=["Staff"])
        [read] = subscribers.listed(connection, limit=9)
        assert (read.components, read.groups) == (("API", "Email"), ("Staff",))
        subscribers.choose(connection, ana.id, components=None, groups=())
        [read] = subscribers.listed(connection, limit=9)
        assert (read.components, read.groups) == (None, ())


def wish(name: str, *, components: tuple[str, ...] | None = None, groups: tuple[str, ...] = ()) -> Wish:
    address = f"{name}@reader.example"
    return Wish(name, name, Channel.EMAIL, address, components, groups, "+49 30 1234", ("vip",))


def test_many_are_added_at_once_and_hear_when_they_are_confirmed(store: Store) -> None:
    wishes = [wish("ana", components=("API",), groups=("Staff", "Board")), wish("ben")]
    with store.transaction() as connection:
        known = add_subscriber(connection, "ben")
        added = subscriber_lists.add_pending(connection, wishes, NOW)
        assert list(added) == ["ana@reader.example"]
        ana = subscribers.get(connection, added["ana@reader.example"])
        assert told(connection, EVERYBODY) == ["ben"]
        subscriber_lists.confirm_all(connection, [*added.values(), known.id], NOW + MINUTE)
        assert subscribers.get(connection, known.id) == replace(known, state=CONFIRMED, confirmed_at=NOW)
    assert ana is not None
    assert (ana.components, ana.groups, ana.tags) == (("API",), ("Board", "Staff"), ("vip",))
    assert (ana.phone, ana.state) == ("+49 30 1234", SubscriberState.PENDING)


def test_of_what_is_chosen_only_the_differences_are_written(store: Store) -> None:
    before, after = (
        wish("ana", components=("API",), groups=("Staff",)),
        wish("ana", groups=("Staff", "Board")),
    )
    with store.transaction() as connection:
        [number] = subscriber_lists.add_pending(connection, [before], NOW).values()
        changes = subscriber_lists.changes_for(connection, {number: after}, EVERYTHING)
        assert (changes.added, changes.removed) == (
            ((number, "group", "Board"),),
            ((number, "component", "API"),),
        )
        subscriber_lists.change(connection, changes)
        ana = subscribers.get(connection, number)
        again = subscriber_lists.changes_for(connection, {number: after}, EVERYTHING)
        of_tags = subscriber_lists.changes_for(connection, {number: before}, {"tags"})
    assert ana is not None
    assert (ana.components, ana.groups) == (None, ("Board", "Staff"))
    assert again == of_tags == subscriber_lists.Changes()


def test_who_confirmed_is_not_removed_with_those_who_have_not(store: Store) -> None:
    with store.transaction() as connection:
        confirmed, pending = add_subscriber(connection, "ana"), add_subscriber(connection, "ben", None)
        subscriber_lists.remove_pending(connection, [confirmed.id, pending.id])
        assert subscribers.get(connection, confirmed.id)
        assert subscribers.get(connection, pending.id) is None
