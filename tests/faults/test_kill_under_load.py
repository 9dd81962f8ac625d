"""Killed with `kill -9` again and again under load, one service alone, or two of one database in turn."""

import asyncio
import random
import time
from pathlib import Path

import pytest

from tests.faults.load import Load
from tests.faults.process import ServiceProcess
from tests.faults.relay import Relay
from tests.faults.scene import SOAK_SECONDS, Scene, until_taken
from tests.store.databases import choosing, needs_postgresql, new_database

pytestmark = pytest.mark.anyio

SESSIONS = 5
"""How many mails may be under way at a time, those to employees among them."""


async def test_a_service_that_is_killed_again_and_again_loses_nothing(
    relay: Relay, tmp_path: Path, address: str
) -> None:
    chance = random.Random(4)  # noqa: S311  a moment, not a secret
    scene = Scene(tmp_path, address, relay)
    scene.prepare()
    service, kills = await scene.start(), 0
    try:
        with Load(4, service.url) as load:
            until = time.monotonic() + SOAK_SECONDS
            while time.monotonic() < until:
                await asyncio.sleep(chance.uniform(0, 1.5))  # the moment of the kill is the experiment
                await service.kill()
                kills += 1
                service = await scene.start()
                load.aim(service.url)
                await until_taken(load)
        assert await scene.settle(load) == []
        assert set(load.answers) <= {202, 503}
        assert len(relay.mails) - len(set(relay.mails)) <= kills * SESSIONS
        assert await service.stop() == 0
    finally:
        await service.kill()


@needs_postgresql
async def test_of_two_services_that_are_killed_in_turn_one_goes_on(relay: Relay, tmp_path: Path) -> None:
    chance = random.Random(5)  # noqa: S311  as above
    with choosing("postgresql"):
        scene = Scene(tmp_path, new_database(tmp_path), relay)
        scene.prepare()
        services, kills = [await scene.start(), await scene.start()], 0
        try:
            with Load(5, *_urls(services)) as load:
                until = time.monotonic() + SOAK_SECONDS
                while time.monotonic() < until:
                    await asyncio.sleep(chance.uniform(0, 1.5))  # as above
                    await services[kills % 2].kill()
                    load.aim(services[1 - kills % 2].url)
                    await until_taken(load)
                    services[kills % 2] = await scene.start()
                    load.aim(*_urls(services))
                    kills += 1
            assert await scene.settle(load) == []
            assert len(relay.mails) - len(set(relay.mails)) <= kills * SESSIONS
            assert [await service.stop() for service in services] == [0, 0]
        finally:
            for service in services:
                await service.kill()


def _urls(services: list[ServiceProcess]) -> list[str]:
    return [service.url for service in services]
