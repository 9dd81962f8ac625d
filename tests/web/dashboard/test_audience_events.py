"""Whoever has an unpublished incident open hears that other subscribers would hear of it than before."""

from collections.abc import Callable, Iterator

import httpx2
import pytest
from sqlalchemy import Connection

from service.actions.house import House
from service.actions.logging_in import hash_key
from service.jobs import keep_house
from service.model import Channel, Subscriber, SubscriberState
from service.store import subscriber_lists, subscribers
from service.store.subscriber_lists import EVERYTHING, Wish
from service.web.dashboard.changes import Changes
from tests.rooms import Clock
from tests.store.databases import choosing, databases
from tests.store.rows import NOW, add_subscriber
from tests.web.dashboard.events.hearing import PATIENCE, SILENCE, hear, listening, stamp_of
from tests.web.employees import page_of, start_session
from tests.web.outages import Outages

pytestmark = pytest.mark.anyio

Change = Callable[[Connection, Subscriber], object]


def wish(components: tuple[str, ...] | None) -> Wish:
    return Wish("b", "b", Channel.EMAIL, "bob@reader.example", components, (), "", ())


def imported(connection: Connection, ana: Subscriber) -> None:
    wanted = subscriber_lists.changes_for(connection, {ana.id: wish(("Email",))}, EVERYTHING)
    subscriber_lists.change(connection, wanted)


def agreed(connection: Connection, _: Subscriber) -> None:
    added = subscriber_lists.add_pending(connection, [wish(None)], NOW)
    subscriber_lists.confirm_all(connection, list(added.values()), NOW)


CHANGES: dict[str, Change] = {
    "one confirms": lambda c, ana: subscribers.set_state(
        c, ana.id, SubscriberState.CONFIRMED, confirmed_at=NOW
    ),
    "one leaves": lambda c, ana: subscribers.set_state(
        c, ana.id, SubscriberState.UNSUBSCRIBED, confirmed_at=None
    ),
    "one is not reached": lambda c, ana: subscribers.suppress(c, ana.id, NOW),
    "one is removed": lambda c, ana: subscribers.remove(c, ana.id),
    "one chooses": lambda c, ana: subscribers.choose(c, ana.id, components=["Email"], groups=[]),
    "a list changes what one chose": imported,
    "a list has one who agreed": agreed,
}
NO_CHANGES: dict[str, Change] = {
    "one asks to confirm": lambda c, _: add_subscriber(c, "eve", confirmed_at=None),
    "a list changes nothing": lambda c, _: subscriber_lists.change(c, subscriber_lists.Changes()),
    "a list has nobody who agreed": lambda c, _: subscriber_lists.confirm_all(c, [], NOW),
    "a mail bounces for a while": lambda c, ana: subscribers.count_soft_bounce(c, ana.id, NOW),
}


@pytest.fixture(params=databases(), autouse=True)
def database(request: pytest.FixtureRequest) -> Iterator[str]:
    """Let each test run on each database that the service runs on."""
    with choosing(request.param) as name:
        yield name


@pytest.fixture
def ana(house: House) -> Subscriber:
    """Give a subscriber."""
    with house.store.transaction() as connection:
        return add_subscriber(connection, "ana")


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
async def test_every_change_of_who_hears_is_told(
    change: Change, house: House, clock: Clock, ana: Subscriber
) -> None:
    session, watched = hash_key(start_session(house, clock, "sam")), Changes(house.store, clock)
    async with listening(watched, house, session, heartbeat=PATIENCE) as stream:
        with house.store.transaction() as connection:
            change(connection, ana)
        assert await hear(stream) == {"audience"}


@pytest.mark.parametrize("change", NO_CHANGES.values(), ids=NO_CHANGES)
async def test_what_changes_nothing_of_who_hears_is_not_told(
    change: Change, house: House, clock: Clock, ana: Subscriber
) -> None:
    session, watched = hash_key(start_session(house, clock, "sam")), Changes(house.store, clock)
    async with listening(watched, house, session, heartbeat=SILENCE) as stream:
        with house.store.transaction() as connection:
            change(connection, ana)
        assert await hear(stream) == set()


def test_what_is_swept_away_is_no_change(house: House, clock: Clock, ana: Subscriber) -> None:
    with house.store.transaction() as connection:
        subscribers.suppress(connection, ana.id, NOW)
    before = stamp_of(house.store).audience
    keep_house(house, clock())
    assert stamp_of(house.store).audience == before > 1
    with house.store.transaction() as connection:
        subscribers.remove(connection, ana.id)
    assert stamp_of(house.store).audience > before


async def test_only_the_page_of_what_goes_on_asks_for_it(outages: Outages, sam: httpx2.AsyncClient) -> None:
    incident = outages.fire()
    assert "sse:audience" in (await sam.get(page_of(incident))).text
    outages.discard(incident)
    assert "sse:audience" not in (await sam.get(page_of(incident))).text
