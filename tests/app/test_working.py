"""What works while a configuration is in force ends with it, and calls nothing a fault that is none."""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from service.app import working
from service.app.building import Service, build_on
from service.app.ground import open_ground
from service.app.roles import ServeRole
from tests.rooms import Clock, config_in
from tests.store.databases import new_database

pytestmark = pytest.mark.anyio


@pytest.fixture
async def service(tmp_path: Path, clock: Clock) -> AsyncIterator[Service]:
    """Give a service that is built and does not work yet."""
    config = replace(config_in(tmp_path), database=new_database(tmp_path))
    async with open_ground(config, clock, ServeRole.ALL) as ground, build_on(ground, config, clock) as built:
        yield built


@pytest.mark.parametrize("steps", range(4))
async def test_no_job_that_is_cut_off_is_called_a_fault_however_far_it_has_come(
    service: Service, caplog: pytest.LogCaptureFixture, steps: int
) -> None:
    async with working.working(service):
        for _ in range(steps):
            await asyncio.sleep(0)
    await asyncio.sleep(0)  # in which the scheduler hears of what it cut off
    assert [one.message for one in caplog.records if one.levelno >= logging.ERROR] == []


async def test_the_tick_wakes_the_loops_in_their_own_thread(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    woken: asyncio.Queue[threading.Thread] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    monkeypatch.setattr(working, "TICK", 0.01)
    monkeypatch.setattr(
        Service,
        "wake",
        lambda _: loop.call_soon_threadsafe(woken.put_nowait, threading.current_thread()),
    )
    async with working.working(service):
        at_the_start = await woken.get()
        by_the_tick = await woken.get()
    assert at_the_start is by_the_tick is threading.current_thread()


@pytest.mark.parametrize(("is_rushed", "pauses"), [(True, [0.09, 0.2]), (False, [])])
async def test_in_a_rush_of_posts_the_decider_leaves_most_of_the_time_to_taking_them_in(
    service: Service, monkeypatch: pytest.MonkeyPatch, *, is_rushed: bool, pauses: list[float]
) -> None:
    times, slept = iter([0.0, 0.01, 1.0, 2.0, 3.0, 4.0]), list[float]()
    answers = iter([True, True, False])

    async def decide_next(_service: Service) -> bool:
        return next(answers)

    async def sleep(seconds: float) -> None:
        slept.append(round(seconds, 6))

    monkeypatch.setattr(Service, "decide_next", decide_next)
    monkeypatch.setattr(type(service.intake), "is_rushed", is_rushed)
    monkeypatch.setattr(working, "_now", lambda: next(times))
    monkeypatch.setattr("service.app.working.asyncio.sleep", sleep)
    while await working.decide_considerately(service):
        pass
    assert slept == pauses
