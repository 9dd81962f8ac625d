"""The loops of a built service, and the mailbox's thread: what works as long as a configuration is in force."""

import asyncio
import gc
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, timedelta
from functools import partial
from typing import Final

import structlog
from anyio import to_thread
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from service import jobs
from service.actions.audience import count_ahead
from service.app import wall_clock
from service.app.building import open_service_door, start_mailbox
from service.app.giving_back import give_back
from service.app.making_room import Busyness, arrivals_in_a_turn, pause_after
from service.app.rehearsal import rehearse
from service.app.service import Service
from service.errors import what_ran_out
from service.inbox.posts import RUSH_LASTS

TICK = 1.0
"""Seconds between two looks at what may be due; what arrives is looked at at once."""
WATCHED = 15.0
"""Seconds between two looks of the watchdog."""
REPLIES_FIRST = 10.0
"""Seconds for which nothing is decided at the start while the mailbox was not read yet."""
LOOK_AGAIN = 0.05
PATIENCE = 10.0
"""Seconds that a batch in flight gets to end when the service is stopped."""

_log = structlog.get_logger()


@asynccontextmanager
async def working(service: Service) -> AsyncIterator[None]:
    """Let a service work during the block; at its end what is in flight gets ten seconds. Raises DoorUnusable."""
    async with open_service_door(service):
        stopping, mailbox_stop = asyncio.Event(), threading.Event()
        scheduler = _schedule(service)
        spare_what_is_built()
        service.wake()
        loops = [*map(asyncio.create_task, _loops(service, stopping))]
        scheduler.start()
        mailbox = start_mailbox(service, mailbox_stop)
        try:
            yield
        finally:
            stopping.set()
            service.is_at_work = False
            service.stop_fan_out.set()
            service.web.state.public_pages.close()  # whoever watches the status page would hold the server up
            service.web.state.changes.close()  # and whoever watches the dashboard
            service.wake()
            mailbox_stop.set()
            await _end(scheduler)
            with suppress(TimeoutError):
                await asyncio.wait_for(asyncio.gather(*loops), PATIENCE)
            if mailbox is not None:
                if service.mailbox is not None:
                    service.mailbox.close()
                await to_thread.run_sync(mailbox.join, PATIENCE)


def _loops(service: Service, stopping: asyncio.Event) -> Iterator[Coroutine[None, None, None]]:
    if not service.role.works:
        return
    yield _decide(service, stopping)
    for name, due, step in (
        ("send", service.send, service.send_next),
        ("fan out", service.fan_out, service.fan_out_next),
        ("call", service.call, service.call_next),
    ):
        yield _keep_doing(service, name, due, service.instruments.traces.step(name, step), stopping)
    yield _keep_exporting(service, stopping)
    yield _rehearse(service)


def _schedule(service: Service) -> AsyncIOScheduler:
    at_once: Final = service.clock()
    scheduler = AsyncIOScheduler(
        timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
    )
    scheduler.add_job(_count_ahead, "interval", minutes=30, args=[service], next_run_time=at_once)
    scheduler.add_job(_watch, "interval", seconds=WATCHED, args=[service])
    ticks: list[Callable[[Service], Awaitable[None]]] = [_checkpoint]
    if service.role.works:
        scheduler.add_job(_keep_house, "interval", hours=1, args=[service])
        ticks += [_look_what_to_decide, _look_what_to_send]
    for number, tick in enumerate(ticks):
        # not all of them at once, which would hold up whoever posts just then; the scheduler goes by the wall clock
        first = wall_clock() + timedelta(seconds=TICK * (1 + number / len(ticks)))
        scheduler.add_job(tick, "interval", seconds=TICK, args=[service], next_run_time=first)
    return scheduler


async def _end(scheduler: AsyncIOScheduler) -> None:
    """End the jobs. One that was cut off before its first step would be logged as a fault, so each takes that first."""
    scheduler.pause()
    await asyncio.sleep(0)
    scheduler.shutdown(wait=False)


def spare_what_is_built() -> None:
    """Keep the garbage collector from what lives as long as the process: looking through it halts all for 0.1 s."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()


async def _decide(service: Service, stopping: asyncio.Event) -> None:
    """Decide, but not before the mailbox was read once: an answer that waits in it comes before the ladder's end."""
    waited = 0.0
    while service.mailbox is not None and service.mailbox.last_success_at is None:
        if stopping.is_set() or waited >= REPLIES_FIRST:
            break
        await asyncio.sleep(LOOK_AGAIN)
        # while another one works we wait for our turn to read it
        waited += 0.0 if service.instruments.is_standby else LOOK_AGAIN
    service.is_at_work = not stopping.is_set()
    step = partial(decide_considerately, service, Busyness())
    await _keep_doing(service, "decide", service.decide, step, stopping)


async def decide_considerately(service: Service, loop: Busyness) -> bool:
    """Decide what is due next, and in a rush of posts make room for taking them in."""
    busy, most = loop.share(), jobs.ARRIVALS_AT_ONCE
    if service.intake.is_rushed:
        most = arrivals_in_a_turn(most, busy)
    turn = await service.decide_next(most)
    left = pause_after(turn.took, busy) if turn.did else 0.0
    while left > 0 and service.intake.is_rushed:
        await asyncio.sleep(min(left, RUSH_LASTS))  # the rush may be over before the pause is
        left -= RUSH_LASTS
    return bool(turn)


async def _keep_doing(
    service: Service,
    name: str,
    due: asyncio.Event,
    step: Callable[[], Awaitable[bool]],
    stopping: asyncio.Event,
) -> None:
    while not stopping.is_set():
        await due.wait()
        due.clear()
        try:
            while not stopping.is_set() and await step():
                pass
        except Exception as fault:  # noqa: BLE001  the outermost loop: it is logged, and the next tick tries again
            _note_failure(service, name, fault)


async def _keep_exporting(service: Service, stopping: asyncio.Event) -> None:
    """Write the status page as files at each change, where config.yaml says so."""
    while service.exporter is not None and not stopping.is_set():
        if not service.instruments.is_standby:
            export = partial(service.exporter.export_if_changed, service.clock())
            await _keep_trying(service, "export", export)
        with suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), TICK)


async def _look_what_to_decide(service: Service) -> None:
    # in a coroutine, since the scheduler gives a plain function to a thread, and events are the loop's
    service.decide.set()


async def _look_what_to_send(service: Service) -> None:
    await _keep_trying(service, "send", service.look_what_to_send)


async def _keep_house(service: Service) -> None:
    if service.instruments.is_standby:
        return  # another one does it
    await _keep_trying(service, "keep house", lambda: jobs.keep_house(service.house, service.clock()))


async def _count_ahead(service: Service) -> None:
    await _keep_trying(service, "count ahead", lambda: count_ahead(service.house, service.clock()))


async def _rehearse(service: Service) -> None:
    await _keep_trying(service, "rehearse", lambda: rehearse(service.house, service.clock()))
    # compiling statements and templates took megabytes that are free now
    await _keep_trying(service, "give back", give_back)


async def _checkpoint(service: Service) -> None:
    await _keep_trying(service, "checkpoint", service.house.store.checkpoint)


async def _watch(service: Service) -> None:
    await _keep_trying(service, "watch", service.watch)


async def _keep_trying(service: Service, name: str, job: Callable[[], object]) -> None:
    try:
        await to_thread.run_sync(job)
    except asyncio.CancelledError:
        pass  # the scheduler stops, and would call it a fault of the job
    except Exception as fault:  # noqa: BLE001  as above
        _note_failure(service, name, fault)


def _note_failure(service: Service, name: str, fault: Exception) -> None:
    if because := what_ran_out(fault):
        # where in the code that showed is of no interest to anybody
        _log.error("loop failed", loop=name, because=because)
    else:
        _log.exception("loop failed", loop=name)
    service.instruments.meters.loop_failed(name)
