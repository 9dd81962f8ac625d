"""The decider pauses the longer, the busier the loop is that takes posts in, and takes turns with the courier."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.app import making_room
from service.app.making_room import FEW, LONGEST_PAUSE, Busyness, Courtesy, arrivals_in_a_turn, pause_after

shares = st.floats(0, 1)
turns = st.floats(0, 10)


def test_beside_an_idle_loop_nobody_pauses() -> None:
    assert pause_after(0.01, 0.0) == 0


@pytest.mark.parametrize(("busy", "turns"), [(0.1, 0.49), (0.5, 8), (0.8, 80), (0.9, 360)])
def test_beside_a_busy_one_the_decider_has_a_small_share_of_the_time(busy: float, turns: float) -> None:
    assert pause_after(0.001, busy) == pytest.approx(0.001 * turns, rel=0.01)


@given(turns, shares, shares)
def test_a_pause_is_longer_beside_a_busier_loop_and_never_beyond_its_bound(
    turn: float, one: float, other: float
) -> None:
    calm, busy = sorted((one, other))
    assert 0 <= pause_after(turn, calm) <= pause_after(turn, busy) <= LONGEST_PAUSE


@pytest.mark.parametrize(("busy", "most"), [(0.0, 50), (0.19, 50), (0.2, FEW), (1.0, FEW)])
def test_turns_are_short_only_beside_a_busy_loop(busy: float, most: int) -> None:
    assert arrivals_in_a_turn(50, busy) == most


def test_busyness_is_what_was_computed_since_it_was_asked_last() -> None:
    clock, used = iter([0.0, 10.0, 12.0, 12.0, 13.0]), iter([5.0, 6.0, 8.5, 8.5, 8.5])
    busyness = Busyness(lambda: next(clock), lambda: next(used))
    shown = [busyness.share() for _ in range(4)]
    assert shown == [0.1, 1.0, 0.0, 0.0]


def test_two_that_compute_for_long_do_so_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making_room, "COURTESY", 60.0)
    courtesy, order = Courtesy(), list[str]()
    waiting = threading.Event()

    def be_second() -> None:
        waiting.set()
        with courtesy.turn():
            order.append("second")

    with ThreadPoolExecutor(1) as other:
        with courtesy.turn():
            second = other.submit(be_second)
            assert waiting.wait(60)
            order.append("first")
        second.result(60)
    assert order == ["first", "second"]


def test_of_a_turn_that_takes_too_long_nobody_waits_for_the_end_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    courtesy, order = Courtesy(), list[str]()
    with ThreadPoolExecutor(1) as other:
        with courtesy.turn():
            monkeypatch.setattr(making_room, "COURTESY", 0.001)
            with courtesy.turn():
                order.append("first, in vain")
            monkeypatch.setattr(making_room, "COURTESY", 3_600.0)
            with courtesy.turn():
                order.append("again, at once")
        with courtesy.turn():  # the next one is waited for, and whoever went on took nobody's turn away
            waiting = threading.Event()

            def be_last() -> None:
                waiting.set()
                with courtesy.turn():
                    order.append("last")

            last = other.submit(be_last)
            assert waiting.wait(60)
            order.append("next")
        last.result(60)
    assert order == ["first, in vain", "again, at once", "next", "last"]
