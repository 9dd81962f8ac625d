"""What works while a configuration is in force ends with it, and calls nothing a fault that is none."""

import asyncio
import errno
import logging
import threading
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import pytest
from anyio import to_thread
from structlog.testing import capture_logs

from service.app import working
from service.app.building import build_on
from service.app.ground import open_ground
from service.app.making_room import FEW, Busyness, Courtesy
from service.app.roles import ServeRole
from service.app.service import Service
from service.jobs import ARRIVALS_AT_ONCE, Turn
from tests.rooms import Clock, config_in
from tests.store.databases import new_database
from tests.store.rows import a_mail, queued

pytestmark = pytest.mark.anyio
NOTHING_DONE = Turn(did=False, may_go_on=False)


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


@pytest.mark.parametrize("step", ["decide_next", "look_what_to_send"])
async def test_it_is_looked_each_second_what_is_to_be_done(
    service: Service, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    looked: asyncio.Queue[None] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    async def decide_next(_service: Service, _most: int) -> Turn:
        looked.put_nowait(None)
        return NOTHING_DONE

    service.mailbox = None
    looks = {
        "decide_next": decide_next,
        "look_what_to_send": lambda _: loop.call_soon_threadsafe(looked.put_nowait, None),
    }
    monkeypatch.setattr(working, "TICK", 0.01)
    monkeypatch.setattr(Service, step, looks[step])
    async with working.working(service), asyncio.timeout(10):
        for _ in range(3):
            await looked.get()


async def test_that_the_machine_has_nothing_left_is_said_in_words_and_tried_again(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    went_on = asyncio.Event()
    faults = iter([OSError(errno.EMFILE, "Too many open files"), ZeroDivisionError()])

    async def decide_next(_service: Service, _most: int) -> Turn:
        for fault in faults:
            raise fault
        went_on.set()
        return NOTHING_DONE

    service.mailbox = None
    monkeypatch.setattr(working, "TICK", 0.01)
    monkeypatch.setattr(Service, "decide_next", decide_next)
    with capture_logs() as said:
        async with working.working(service), asyncio.timeout(10):
            await went_on.wait()
    [exhausted, unforeseen] = [one for one in said if one["event"] == "loop failed"]
    assert exhausted["because"].startswith("this process has no file descriptor left")
    assert "exc_info" not in exhausted
    assert unforeseen["exc_info"]


@pytest.mark.parametrize(
    ("rushes", "mosts", "pauses"),
    [
        # while it lasts, in steps, since it may be over before the pause is
        ([True] * 11, [FEW, FEW, FEW], [0.02, 0.02, 0.02, 0.0025] * 2),
        ([True, True, False, False, False, False], [FEW, ARRIVALS_AT_ONCE, ARRIVALS_AT_ONCE], [0.02]),
        ([False] * 9, [ARRIVALS_AT_ONCE] * 3, []),
    ],
)
async def test_in_a_rush_of_posts_the_decider_takes_short_turns_and_pauses_while_it_lasts(
    service: Service,
    monkeypatch: pytest.MonkeyPatch,
    rushes: list[bool],
    mosts: list[int],
    pauses: list[float],
) -> None:
    slept, asked = list[float](), list[int]()
    rushed = iter(rushes)
    # the last but one was short, and did something all the same
    long, short = (Turn(did=True, may_go_on=may, took=0.0078125) for may in (True, False))
    answers = iter([long, short, NOTHING_DONE])

    async def decide_next(_service: Service, most: int) -> Turn:
        asked.append(most)
        return next(answers)

    async def sleep(seconds: float) -> None:
        slept.append(round(seconds, 6))

    monkeypatch.setattr(Service, "decide_next", decide_next)
    monkeypatch.setattr(type(service.intake), "is_rushed", property(lambda _: next(rushed)))
    monkeypatch.setattr("service.app.working.asyncio.sleep", sleep)
    half = iter(range(100)), iter([number / 2 for number in range(100)])
    loop = Busyness(lambda: next(half[0]), lambda: next(half[1]))
    for _ in range(3):
        await working.decide_considerately(service, loop)
    assert (asked, slept) == (mosts, pauses)


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Courtesy, str]]:
    """Give the turns that are taken from now on, and the threads that take them."""
    noted: list[tuple[Courtesy, str]] = []
    turn = Courtesy.turn

    def note(courtesy: Courtesy) -> AbstractContextManager[None]:
        noted.append((courtesy, threading.current_thread().name.partition("_")[0]))
        return turn(courtesy)

    monkeypatch.setattr(Courtesy, "turn", note)
    return noted


async def test_who_decides_and_who_composes_mails_take_turns(
    taken: list[tuple[Courtesy, str]], service: Service
) -> None:
    with service.house.store.transaction() as connection:
        queued(connection, a_mail("first"))
    await service.decide_next()
    deciding = set(taken)
    await service.send_next()
    assert {courtesy for courtesy, _ in taken} == {service.courtesy}
    assert len(deciding) == 1
    assert {name for _, name in set(taken) - deciding} == {"courier"}


async def test_the_decider_is_at_work_until_the_service_ends(service: Service) -> None:
    service.mailbox, seen = None, [service.is_at_work]
    async with working.working(service):
        seen.append(service.is_at_work)
        await asyncio.sleep(0)
        seen.append(service.is_at_work)
    assert [*seen, service.is_at_work] == [False, False, True, False]


async def test_it_is_not_before_the_mailbox_was_read_nor_ever_where_the_service_ends_first(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(working, "start_mailbox", lambda *_given: None)
    assert service.mailbox is not None
    async with working.working(service):
        await asyncio.sleep(0)
        assert not service.is_at_work
    assert not service.is_at_work


async def test_who_queues_a_mail_wakes_its_sender_from_whichever_thread(service: Service) -> None:
    service.send.clear()
    service.fan_out.clear()
    store = service.house.store

    def queue() -> None:
        with store.transaction() as connection:
            queued(connection, a_mail("first"))

    await to_thread.run_sync(queue)
    async with asyncio.timeout(10):
        await service.send.wait()
    assert not service.fan_out.is_set(), "which would look in vain, just then"
