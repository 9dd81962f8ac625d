"""A PostgreSQL that only reads, as a standby does until it is promoted: nothing is taken, and then everything."""

import asyncio

import httpx2
import pytest

from tests.faults.cluster import restart
from tests.faults.load import FIRING, Post
from tests.faults.one_incident import open_an_incident
from tests.faults.process import PATIENCE, ServiceProcess
from tests.faults.scene import LOOK_AGAIN, Scene
from tests.store.databases import needs_postgresql
from tests.store.postgres import Server

pytestmark = [pytest.mark.anyio, needs_postgresql, pytest.mark.xdist_group("processes")]


async def until_ready(client: httpx2.AsyncClient, status: int) -> httpx2.Response:
    """Wait until `/readyz` answers so; gives the answer."""
    async with asyncio.timeout(PATIENCE):
        while (answer := await client.get("/readyz")).status_code != status:  # noqa: ASYNC110  the server's doing
            await asyncio.sleep(LOOK_AGAIN)  # between two looks; the condition, not the time, ends the loop
    return answer


@pytest.mark.parametrize(
    ("more", "why"),
    [
        pytest.param("", "session is read-only", id="by default"),
        pytest.param(
            "&target_session_attrs=any", "a standby, which only reads", id="where any server will do"
        ),
    ],
)
async def test_beside_a_standby_it_is_not_ready_and_goes_on_once_that_is_promoted(
    server: Server, scene: Scene, more: str, why: str
) -> None:
    scene.address += more
    scene.write_config()
    async with (
        await ServiceProcess.start(scene.folder / "config.yaml", scene.log) as service,
        httpx2.AsyncClient(base_url=service.url, timeout=PATIENCE) as client,
    ):
        await open_an_incident(client, scene)
        (server.folder / "db" / "standby.signal").touch()
        await asyncio.to_thread(restart, server)
        [reason] = (await until_ready(client, 503)).json()["reasons"]
        assert why in reason
        body = Post("API", FIRING, "two").body()
        assert (await client.post("/webhook/victorops", content=body)).status_code == 503
        server.run("SELECT pg_promote()")
        await until_ready(client, 200)
        assert (await client.post("/webhook/victorops", content=body)).status_code == 202
        assert await service.stop() == 0
