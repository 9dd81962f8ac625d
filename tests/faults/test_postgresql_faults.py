"""A PostgreSQL server that is restarted, or stands still, under load."""

import asyncio
import random
import time

import pytest

from tests.faults.cluster import paused, restart
from tests.faults.load import Load
from tests.faults.scene import SOAK_SECONDS, Scene, until_refused, until_taken
from tests.store.databases import needs_postgresql
from tests.store.postgres import Server

pytestmark = [pytest.mark.anyio, needs_postgresql]


async def test_a_restart_of_postgresql_loses_nothing(server: Server, scene: Scene) -> None:
    chance = random.Random(1)  # noqa: S311  a moment, not a secret
    async with await scene.start() as service:
        with Load(1, service.url) as load:
            until = time.monotonic() + SOAK_SECONDS
            while time.monotonic() < until:
                await asyncio.sleep(chance.uniform(0.3, 2))  # the moment of the fault is the experiment
                await asyncio.to_thread(restart, server)
            await until_taken(load)
        assert await scene.settle(load) == []
        assert set(load.answers) <= {202, 503}
        assert load.without_hint == 0
        assert await service.stop() == 0


async def test_a_postgresql_that_stands_still_refuses_posts_and_loses_nothing(
    server: Server, scene: Scene
) -> None:
    async with await scene.start() as service:
        with Load(2, service.url) as load:
            until = time.monotonic() + SOAK_SECONDS
            while time.monotonic() < until:
                await until_taken(load)
                with paused(server):
                    await until_refused(load, more=2)
            await until_taken(load)
        assert await scene.settle(load) == []
        assert set(load.answers) <= {202, 503}
        assert load.without_hint == 0
        assert await service.stop() == 0
