"""A process for the web, and two that work, of which one is killed: the other one takes over within five seconds."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import httpx2
import pytest

from tests.faults.process import ServiceProcess, WatchedSandbox, write_config
from tests.rooms import CONFIG, OWN_ADDRESS, Clock
from tests.store.databases import fresh_database, needs_postgresql
from tests.stories.world import JORDAN

pytestmark = [pytest.mark.anyio, needs_postgresql, pytest.mark.xdist_group("processes")]

AT_ONCE = CONFIG.replace("wait_time: 5m", "wait_time: 0")
SOON = 5.0
BETWEEN_LOOKS = 0.05


@pytest.fixture
async def sandbox() -> AsyncIterator[WatchedSandbox]:
    started = await WatchedSandbox.start(own_address=OWN_ADDRESS)
    assert isinstance(started, WatchedSandbox)
    yield started
    await started.stop()


async def works(client: httpx2.AsyncClient, process: ServiceProcess) -> bool:
    """Ask a process whether it decides and sends."""
    answer = await client.get(f"{process.url}/metrics")
    return "\nreplycast_active 1" in answer.text


async def test_a_worker_hears_of_posts_and_another_one_goes_on_when_it_is_killed(
    sandbox: WatchedSandbox, tmp_path: Path
) -> None:
    async with AsyncExitStack() as stack:
        address = stack.enter_context(fresh_database("postgresql", tmp_path))
        config, log = write_config(tmp_path, sandbox, address, AT_ONCE), tmp_path / "log"

        async def start(role: str) -> ServiceProcess:
            return await stack.enter_async_context(await ServiceProcess.start(config, log, "--role", role))

        web, worker, standby = await start("web"), await start("worker"), await start("worker")
        client = await stack.enter_async_context(httpx2.AsyncClient())
        answer = await client.post(
            f"{web.url}/webhook/victorops", content='{monitorName: "Email Server", state: "CRITICAL"}'
        )
        assert answer.status_code == 202
        asked = await sandbox.wait_for(lambda: [one for one in sandbox.mails if one.recipient == JORDAN])
        assert [await works(client, one) for one in (web, worker, standby)] == [False, True, False]

        await worker.kill()
        async with asyncio.timeout(SOON):
            while not await works(client, standby):  # noqa: ASYNC110  it happens in another process
                await asyncio.sleep(BETWEEN_LOOKS)
        assert not await works(client, web)
        await sandbox.send_reply(asked[0], "publish", now=Clock().now)
        await sandbox.wait_for(lambda: [one for one in sandbox.mails if one.recipient == JORDAN][1:])
        assert "Email is unavailable" in (await client.get(web.url)).text
