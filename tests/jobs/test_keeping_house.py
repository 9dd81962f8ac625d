"""What is forgotten in time: what people did, in steps that nobody else has to wait for."""

from datetime import timedelta

import pytest

from service import jobs
from service.actions.house import House
from service.store import audit
from tests.rooms import Clock

TWO_YEARS = timedelta(days=730)


def note(house: House, clock: Clock, *abouts: str) -> None:
    with house.store.transaction() as connection:
        for about in abouts:
            audit.note(connection, clock(), "cli", "token_created", about)


def kept(house: House) -> list[str]:
    with house.store.reading() as connection:
        return [one.about for one in audit.listed(connection, limit=99)][::-1]


def test_what_people_did_is_forgotten_when_it_was_kept_long_enough(house: House, clock: Clock) -> None:
    note(house, clock, "first")
    clock.move(timedelta(days=1))
    note(house, clock, "second")
    clock.move(TWO_YEARS - timedelta(days=1))
    jobs.keep_house(house, clock())
    assert kept(house) == ["first", "second"]
    clock.move(timedelta(seconds=1))
    jobs.keep_house(house, clock())
    assert kept(house) == ["second"]


@pytest.mark.parametrize(("most", "left"), [(2, "e"), (1, "cde")])
def test_it_is_forgotten_in_steps_and_what_is_left_is_for_the_next_time(
    most: int, left: str, house: House, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "FORGOTTEN_AT_ONCE", 2)
    monkeypatch.setattr(jobs, "MOST_BATCHES", most)
    note(house, clock, *"abcd")
    clock.move(TWO_YEARS + timedelta(days=1))
    note(house, clock, "e")
    jobs.keep_house(house, clock())
    assert kept(house) == list(left)
    jobs.keep_house(house, clock())
    assert kept(house) == ["e"]
