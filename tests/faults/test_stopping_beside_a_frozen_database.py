"""A service that is told to stop while PostgreSQL stands still ends all the same, and soon."""

import asyncio
import time

import httpx2
import pytest

from tests.faults.cluster import paused
from tests.faults.load import FIRING, Post
from tests.faults.one_incident import open_an_incident
from tests.faults.process import ServiceProcess
from tests.faults.scene import Scene
from tests.store.databases import needs_postgresql
from tests.store.postgres import Server

pytestmark = [pytest.mark.anyio, needs_postgresql, pytest.mark.xdist_group("processes")]

HANGS = 3.0
"""Seconds after which its loops wait for the server: they look each second."""
SOON = 15.0
"""Seconds: five for the server's last word, as many for whoever is served, and some of a busy machine."""


async def test_it_ends_within_seconds_and_loses_nothing(server: Server, scene: Scene) -> None:
    async with (
        await ServiceProcess.start(scene.folder / "config.yaml", scene.log) as service,
        httpx2.AsyncClient(base_url=service.url, timeout=SOON) as client,
    ):
        await open_an_incident(client, scene)
        with paused(server):
            refused = await client.post("/webhook/victorops", content=Post("API", FIRING, "two").body())
            await asyncio.sleep(HANGS)  # until its loops hang, which nothing tells
            told_at = time.monotonic()
            assert await service.stop() == 0
            took = time.monotonic() - told_at
    assert refused.status_code == 503
    assert took < SOON
    assert "stopped by force" not in scene.log.read_text()
