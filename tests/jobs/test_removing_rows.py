"""Deliveries, posts and alerts are removed when they were kept long enough; incidents and what was counted stay."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from service import jobs
from service.actions.audience import count_audience
from service.actions.fan_out import queue_next_chunk
from service.actions.house import House
from service.model import Delivery, DeliveryKind, Incident, Phase, SubscriberState
from service.store import (
    deliveries,
    inbox_rows,
    incidents,
    narrative,
    old_deliveries,
    old_posts,
    progress,
    schema,
    subscribers,
)
from service.store.columns import metadata
from service.store.deliveries import NewDelivery
from service.store.inbox_rows import Arrival, Door, InboxState
from tests.rooms import Clock
from tests.store.databases import choosing, databases
from tests.web.outages import Outages

DELIVERIES_KEPT = timedelta(days=400)
ALERTS_KEPT = timedelta(days=1095)
MOMENT = timedelta(seconds=1)
DAY = timedelta(days=1)
READERS = ("ana", "ben")


@pytest.fixture(params=databases(), autouse=True)
def database(request: pytest.FixtureRequest) -> Iterator[str]:
    """Let every test run once over each database."""
    with choosing(request.param) as name:
        yield name


@pytest.fixture
def outages(house: House, clock: Clock) -> Outages:
    """Give what goes wrong, and two who read of it."""
    with house.store.transaction() as connection:
        for name in READERS:
            added = subscribers.add(
                connection,
                public_id=f"{name:0<32}",
                address=f"{name}@reader.example",
                unsubscribe_hash=name,
                now=clock(),
            )
            subscribers.set_state(connection, added.id, SubscriberState.CONFIRMED, confirmed_at=clock())
    return Outages(house, clock)


def send_all(house: House, clock: Clock) -> None:
    """Queue what is to be said, and let all of it be sent."""
    while queue_next_chunk(house, clock()):
        pass
    with house.store.transaction() as connection:
        waiting = schema.deliveries.c.due_at.is_not(None)
        for number in connection.execute(select(schema.deliveries.c.id).where(waiting)).scalars().all():
            deliveries.mark_sent(connection, number, clock())


def rows(house: House, table: str) -> int:
    with house.store.reading() as connection:
        counted = select(func.count()).select_from(metadata.tables[table])
        return connection.execute(counted).scalar_one()


def closed(house: House, clock: Clock, outages: Outages) -> Incident:
    """Let an incident be published, told of and closed."""
    incident = outages.published()
    send_all(house, clock)
    outages.close(incident)
    send_all(house, clock)
    return incident


def keep_house(house: House, clock: Clock) -> None:
    jobs.keep_house(house, clock())


def about(house: House, incident: Incident) -> list[progress.FanOutProgress]:
    with house.store.reading() as connection:
        return [*progress.of_incident(connection, incident.id).values()]


def test_deliveries_are_removed_when_they_were_kept_long_enough_and_their_counts_stay(
    house: House, clock: Clock, outages: Outages
) -> None:
    incident = closed(house, clock, outages)
    before = about(house, incident)
    assert [one.sent for one in before] == [2, 2]
    everything = rows(house, "deliveries")
    clock.move(DELIVERIES_KEPT)
    keep_house(house, clock)
    assert rows(house, "deliveries") == everything
    clock.move(MOMENT)
    keep_house(house, clock)
    assert rows(house, "deliveries") == 0
    after = about(house, incident)
    assert [one.sent for one in after] == [2, 2]
    assert {one.removed_at for one in after} == {clock()}
    with house.store.reading() as connection:
        assert incidents.get(connection, incident.id) is not None
        assert len(narrative.updates_of(connection, [incident.id])[incident.id]) == 2


def test_who_heard_of_it_is_nobody_once_that_was_removed(
    house: House, clock: Clock, outages: Outages
) -> None:
    incident = closed(house, clock, outages)
    with house.store.reading() as connection:
        assert count_audience(connection, house, incident).total == 2
    clock.move(DELIVERIES_KEPT + MOMENT)
    keep_house(house, clock)
    with house.store.reading() as connection:
        assert count_audience(connection, house, incident).total == 0


def test_who_heard_of_an_open_incident_hears_its_end_however_old_it_is(
    house: House, clock: Clock, outages: Outages
) -> None:
    incident = outages.published()
    send_all(house, clock)
    clock.move(DELIVERIES_KEPT + DAY)
    keep_house(house, clock)
    outages.close(incident)
    send_all(house, clock)
    assert [one.sent for one in about(house, incident)] == [2, 2]
    assert {one.removed_at for one in about(house, incident)} == {None}


def mail(house: House, clock: Clock) -> Delivery:
    with house.store.transaction() as connection:
        new = NewDelivery(
            house.new_id(), f"login:{house.new_id()}", DeliveryKind.LOGIN_LINK, "sam@acme.example"
        )
        deliveries.queue(connection, [new], clock())
        found = deliveries.get_by_public_id(connection, new.public_id)
    assert found is not None
    return found


def test_what_waits_to_be_sent_is_kept_and_so_is_what_came_after_it(house: House, clock: Clock) -> None:
    first, waits, last = (mail(house, clock) for _ in range(3))
    with house.store.transaction() as connection:
        deliveries.mark_sent(connection, first.id, clock())
        deliveries.mark_sent(connection, last.id, clock())
    clock.move(DELIVERIES_KEPT + DAY)
    keep_house(house, clock)
    assert rows(house, "deliveries") == 2
    with house.store.transaction() as connection:
        deliveries.mark_failed(connection, waits.id, clock(), "550 no such user")
    keep_house(house, clock)
    assert rows(house, "deliveries") == 0


def test_posts_and_alerts_are_removed_and_their_incident_stays(
    house: House, clock: Clock, outages: Outages
) -> None:
    incident = closed(house, clock, outages)
    assert (rows(house, "inbox"), rows(house, "alerts")) == (1, 1)
    finish_all(house)
    clock.move(ALERTS_KEPT)
    keep_house(house, clock)
    assert rows(house, "alerts") == 1
    clock.move(MOMENT)
    keep_house(house, clock)
    assert (rows(house, "inbox"), rows(house, "alerts")) == (0, 0)
    with house.store.reading() as connection:
        left = incidents.get(connection, incident.id)
        assert left is not None
        assert left.phase is Phase.CLOSED
        assert len(left.alerts) == 1
        assert narrative.timeline_of(connection, incident.id)


def finish_all(house: House) -> None:
    """Let no arrival be pending."""
    with house.store.transaction() as connection:
        for number in connection.execute(select(schema.inbox.c.id)).scalars().all():
            if (found := inbox_rows.get(connection, number)) and found.state is InboxState.PENDING:
                inbox_rows.finish(connection, number, InboxState.DONE, reason="")


def test_what_an_open_incident_is_made_of_is_kept(house: House, clock: Clock, outages: Outages) -> None:
    outages.published()
    finish_all(house)
    clock.move(ALERTS_KEPT + DAY)
    keep_house(house, clock)
    assert (rows(house, "inbox"), rows(house, "alerts")) == (1, 1)


@pytest.mark.parametrize(
    ("door", "state", "left"),
    [
        (Door.WEBHOOK, InboxState.DONE, 0),
        (Door.WEBHOOK, InboxState.REFUSED, 0),
        (Door.WEBHOOK, InboxState.QUARANTINED, 1),
        (Door.WEBHOOK, InboxState.PENDING, 1),
        (Door.MAIL, InboxState.DONE, 1),
    ],
)
def test_mails_and_what_is_quarantined_or_pending_stay(
    door: Door, state: InboxState, left: int, house: House, clock: Clock
) -> None:
    with house.store.transaction() as connection:
        inbox_rows.add_many(connection, [Arrival(door, clock(), b"{}", provider="victorops", state=state)])
        assert old_posts.remove(connection, clock() + MOMENT, limit=9) == (state is not InboxState.PENDING)
    assert rows(house, "inbox") == left


def test_each_has_one_turn_and_a_step_is_bounded(house: House, clock: Clock, outages: Outages) -> None:
    incident = outages.published()
    send_all(house, clock)
    everything = rows(house, "deliveries")
    later = clock() + DAY
    turns = []
    for _ in range(everything):
        with house.store.transaction() as connection:
            turns.append(old_deliveries.remove(connection, later, later, limit=2))
    assert sum(turns) == everything
    assert max(turns) == 2
    assert rows(house, "deliveries") == everything, "it is open"
    outages.close(incident)
    everything = rows(house, "deliveries")
    clock.move(DELIVERIES_KEPT)
    with house.store.transaction() as connection:
        removed = old_deliveries.remove(connection, clock(), clock(), limit=9)
    assert rows(house, "deliveries") == everything, "they had their turn"
    assert removed == 0, "what tells of its end waits"
