"""Writers of one process take turns in the order in which they ask."""

from threading import Event, Thread

import pytest

from service.errors import StoreUnavailable
from service.store.turns import Turns

PATIENCE = 10.0


def test_each_has_its_turn_in_the_order_of_asking() -> None:
    turns = Turns(PATIENCE)
    order: list[int] = []
    threads: list[Thread] = []

    def write(name: int) -> None:
        with turns.turn():
            order.append(name)

    with turns.turn():
        for name in range(5):
            threads.append(Thread(target=write, args=(name,)))
            threads[-1].start()
            while len(turns._waiting) <= name:  # noqa: SLF001  nothing else tells that it waits
                Event().wait(0.001)  # between two looks; the condition, not the time, ends the loop
    for thread in threads:
        thread.join(PATIENCE)
    assert order == [0, 1, 2, 3, 4]


def test_whoever_asks_again_at_once_stands_behind_those_who_wait() -> None:
    turns = Turns(PATIENCE)
    order: list[str] = []
    thread = Thread(target=lambda: _note(turns, order, "waited"))
    with turns.turn():
        thread.start()
        while not turns._waiting:  # noqa: SLF001  as above
            Event().wait(0.001)
    _note(turns, order, "greedy")
    thread.join(PATIENCE)
    assert order == ["waited", "greedy"]


def _note(turns: Turns, order: list[str], name: str) -> None:
    with turns.turn():
        order.append(name)


def test_it_tells_whether_anybody_waits() -> None:
    turns = Turns(PATIENCE)
    thread = Thread(target=lambda: _note(turns, [], "waited"))
    seen = [turns.is_wanted]
    with turns.turn():
        seen.append(turns.is_wanted)
        thread.start()
        while not turns.is_wanted:
            Event().wait(0.001)  # as above
    thread.join(PATIENCE)
    assert [*seen, turns.is_wanted] == [False, False, False]


def test_nobody_waits_for_ever() -> None:
    turns = Turns(0.01)
    with turns.turn(), pytest.raises(StoreUnavailable, match="somebody writes for too long"), turns.turn():
        pytest.fail("two had their turn at once")
    with turns.turn():
        assert not turns._waiting  # noqa: SLF001  as above


def test_a_turn_ends_with_a_fault_as_well() -> None:
    turns = Turns(0.01)
    with pytest.raises(ZeroDivisionError), turns.turn():
        raise ZeroDivisionError
    with turns.turn():
        pass
