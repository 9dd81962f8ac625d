"""Two instances behind nginx, restarted in turn under load: no post is refused, none is lost, none counts twice."""

import asyncio
import time
from pathlib import Path

import pytest

from tests.deploy.nginx import find_nginx, running_nginx
from tests.faults.load import Load
from tests.faults.relay import Relay
from tests.faults.scene import SOAK_SECONDS, Scene, until_taken
from tests.mailservers.processes import free_port
from tests.store.databases import choosing, needs_postgresql, new_database
from tests.thoroughness import IN_CI

pytestmark = [
    pytest.mark.anyio,
    needs_postgresql,
    pytest.mark.xdist_group("processes"),
    # in CI it must be there, and whoever starts it says that it is not
    pytest.mark.skipif(
        find_nginx() is None and not IN_CI, reason="nginx is not installed: `make servers` does it"
    ),
]

PAUSE = 0.01
"""Seconds between two posts: one shall be under way at each moment of a restart."""


async def test_no_post_is_refused_while_each_instance_is_restarted(relay: Relay, tmp_path: Path) -> None:
    ports = [free_port(), free_port()]
    with choosing("postgresql"), running_nginx(tmp_path, ports) as nginx:
        scene = Scene(tmp_path, new_database(tmp_path), relay)
        scene.prepare()
        services = await asyncio.gather(*(scene.start("--port", str(port)) for port in ports))
        try:
            with Load(7, nginx.url, pause=PAUSE, trust=nginx.trust) as load:
                until = time.monotonic() + SOAK_SECONDS
                while time.monotonic() < until:
                    for number, port in enumerate(ports):
                        await until_taken(load)
                        assert await services[number].stop() == 0
                        await until_taken(load)
                        services[number] = await scene.start("--port", str(port))
                await until_taken(load)
            assert await scene.settle(load) == []
            assert set(load.answers) == {202}, load.answers
            assert load.unanswered == 0
            assert [await service.stop() for service in services] == [0, 0]
        finally:
            for service in services:
                await service.kill()
