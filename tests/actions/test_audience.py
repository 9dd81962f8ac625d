"""How many hear of an incident is told to employees without letting a publication wait for the counting."""

from datetime import timedelta

import pytest

from service.actions.audience import ESTIMATE_LASTS, count_ahead, count_audience, estimate_new_audience
from service.actions.fan_out import queue_next_chunk
from service.actions.house import House
from service.model import Incident
from service.store import audience, subscribers
from service.store.audience import Reach
from tests.outbox.relays import subscribe
from tests.rooms import Clock
from tests.web.outages import Outages

MINUTE = timedelta(minutes=1)


def leave(house: House, name: str) -> None:
    """Let a subscriber leave."""
    with house.store.transaction() as connection:
        found = subscribers.find_by_address(connection, f"{name}@reader.example")
        assert found is not None
        subscribers.suppress(connection, found.id, Clock().now, "left")


def estimated(house: House, incident: Incident, clock: Clock) -> Reach:
    with house.store.reading() as connection:
        return estimate_new_audience(connection, house, incident, clock())


def test_few_subscribers_are_counted_anew_each_time(house: House, clock: Clock) -> None:
    incident = Outages(house, clock).fire()
    assert estimated(house, incident, clock) == Reach()
    subscribe(house, clock, "ana", "ben")
    assert estimated(house, incident, clock) == Reach(mails=2)


def test_a_count_of_many_is_told_again_for_a_while(
    house: House, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audience, "MANY", 2)
    subscribe(house, clock, "ana", "ben")
    incident = Outages(house, clock).fire()
    assert estimated(house, incident, clock) == Reach(mails=2)
    subscribe(house, clock, "cem")
    clock.move(ESTIMATE_LASTS - MINUTE)
    assert estimated(house, incident, clock) == Reach(mails=2)
    clock.move(MINUTE)
    assert estimated(house, incident, clock) == Reach(mails=3)


def test_what_was_counted_ahead_is_not_counted_by_a_publication(
    house: House, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audience, "MANY", 2)
    subscribe(house, clock, "ana", "ben")
    count_ahead(house, clock())
    subscribe(house, clock, "cem")
    assert estimated(house, Outages(house, clock).fire(), clock) == Reach(mails=2)


@pytest.mark.parametrize(("many", "counted"), [(100, 2), (3, 3)])
def test_of_what_many_heard_the_number_is_that_of_the_fan_out(
    house: House, clock: Clock, monkeypatch: pytest.MonkeyPatch, many: int, counted: int
) -> None:
    monkeypatch.setattr(audience, "MANY", many)
    subscribe(house, clock, "ana", "ben", "cem")
    incident = Outages(house, clock).published()
    while queue_next_chunk(house, clock()):
        pass
    leave(house, "ben")
    with house.store.reading() as connection:
        assert count_audience(connection, house, incident) == Reach(mails=counted)
