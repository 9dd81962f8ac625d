"""The service in two processes on one database: one takes posts and serves pages, the other one works."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from service.app.roles import ServeRole
from service.model import Phase
from service.store import leases
from tests.rooms import Clock
from tests.store.databases import databases
from tests.store.postgres import server
from tests.stories.world import ANA, JORDAN, World

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.parametrize("database", [databases()[1]], indirect=True),
]
PATIENCE = 15.0
"""Seconds after which what does not happen counts as never."""


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look at each step who plays the part, and not each second."""
    monkeypatch.setattr(leases, "LOOK_AGAIN", 0.0)


@pytest.fixture
async def worker(world: World, clock: Clock) -> AsyncIterator[World]:
    """Give an instance that works; the world's other one is gone."""
    await world.stop()
    made = World(world.folder, world.config, clock, world.sandbox, ServeRole.WORKER)
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def web(worker: World, clock: Clock) -> AsyncIterator[World]:
    """Give one that takes posts and serves pages, beside one that works."""
    made = World(worker.folder, worker.config, clock, worker.sandbox, ServeRole.WEB)
    await made.start()
    yield made
    await made.stop()


async def comes(event: asyncio.Event) -> None:
    """Wait until an event happens."""
    async with asyncio.timeout(PATIENCE):
        await event.wait()


async def test_who_serves_the_web_never_works_though_nobody_else_does(worker: World, web: World) -> None:
    await worker.stop()
    await web.fire()
    await web.after(hours=1)
    assert (web.phases(), web.mails(JORDAN), web.service.mailbox) == ([], [], None)
    await worker.start()
    await worker.service.settle()
    await worker.after(minutes=5)
    assert len(worker.mails(JORDAN)) == 1


async def test_what_the_web_takes_in_wakes_the_worker_without_a_tick(worker: World, web: World) -> None:
    worker.service.decide.clear()
    await web.fire()
    await comes(worker.service.decide)
    await worker.service.settle()
    assert web.phases() == [Phase.WAITING]


async def test_a_mail_that_the_web_queues_wakes_the_worker_without_a_tick(worker: World, web: World) -> None:
    worker.service.send.clear()
    await web.client.post("/subscribe", data={"email": ANA})
    await comes(worker.service.send)
    await worker.service.settle()
    assert len(worker.mails(ANA)) == 1


async def test_what_the_worker_decides_lets_the_pages_of_the_web_look_anew(worker: World, web: World) -> None:
    await web.fire()
    web.service.decide.clear()
    before = web.service.house.store.commits
    await worker.service.settle()
    await comes(web.service.decide)
    assert web.service.house.store.commits > before


async def test_who_lost_the_connection_that_it_hears_by_connects_again(worker: World, web: World) -> None:
    worker.service.decide.clear()
    server().end_connections(str(worker.config.database).partition("?")[0].rpartition("/")[2])
    await comes(worker.service.decide)
    worker.service.decide.clear()
    await web.fire()
    await comes(worker.service.decide)


async def test_the_worker_answers_only_what_machines_ask(worker: World) -> None:
    async def answered(path: str) -> int:
        return (await worker.client.get(path)).status_code

    assert [await answered(path) for path in ("/healthz", "/readyz")] == [200, 200]
    assert [await answered(path) for path in ("/", "/dashboard", "/history")] == [404] * 3
    assert (await worker.post("{}")).status_code == 404
