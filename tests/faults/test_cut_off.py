"""A worker that is cut off from PostgreSQL, relay and mailbox: another one takes over, and nothing is done twice."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import httpx2
import pytest

from tests.faults.cluster import PASSWORD, ROLE, database_of_a_role, own_cluster
from tests.faults.employee import Employee, deliver_by_lmtp
from tests.faults.line import Line, line, ways
from tests.faults.load import Load
from tests.faults.process import ServiceProcess
from tests.faults.relay import Relay
from tests.faults.scene import LOOK_AGAIN, SOAK_SECONDS, Scene, until_taken
from tests.faults.test_mailbox_faults import own_dovecot
from tests.mailservers.dovecot import Dovecot
from tests.mailservers.processes import free_port
from tests.rooms import OWN_ADDRESS
from tests.store.databases import needs_postgresql

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.mailservers,
    needs_postgresql,
    pytest.mark.xdist_group("processes"),
]

SOON = 5.0
"""Seconds within which another worker takes over."""
IS_LONG = SOAK_SECONDS > SOON
PAUSE = 0.1
"""Seconds between two posts: nobody decides about them for a while, and they are to be made up for."""
SESSIONS = 5
"""How many mails may be under way at a time, those to employees among them."""


@pytest.fixture(params=ways() if IS_LONG else ways()[:1], ids=lambda way: way.__name__.lower())
def cable(request: pytest.FixtureRequest) -> Iterator[Line]:
    with line(request.param) as made:
        yield made


@pytest.fixture
def server(cable: Line) -> Iterator[Dovecot]:
    with own_dovecot(also_at=cable.host) as made:
        yield made


@asynccontextmanager
async def both_sides(cable: Line, server: Dovecot, folder: Path) -> AsyncIterator[tuple[Scene, Scene]]:
    """Give what services run with on this side of the line, and on the other one."""
    port = free_port()
    address = f"postgresql://{ROLE}:{quote(PASSWORD, safe='')}@{cable.host}:{{}}/{ROLE}?sslmode=disable"
    relay = Relay(cable.host)
    await relay.open()
    with (
        own_cluster(hosts=cable.host, port=port, clients=cable.network) as cluster,
        database_of_a_role(cluster),
        Employee(deliver_by_lmtp(server.lmtp_port)) as employee,
    ):
        relay.told = employee.got
        imap = replace(server.imap_for(OWN_ADDRESS), host=cable.host)
        near = Scene(folder, address.format(port), relay, cable.host, imap=imap, employee=employee)
        near.prepare()
        far = replace(
            near,
            folder=folder / "far",
            address=address.format(cable.far_port(port)),
            relay_port=cable.far_port(relay.port),
            imap=replace(imap, port=cable.far_port(imap.port)),
        )
        far.folder.mkdir()
        far.write_config()
        yield near, far
    await relay.go_away()


async def until_it_decides(service: ServiceProcess, within: float) -> None:
    """Wait until a worker holds the part of deciding."""
    async with httpx2.AsyncClient(base_url=service.url) as client, asyncio.timeout(within):
        while "\nreplycast_active 1" not in (await client.get("/metrics")).text:  # noqa: ASYNC110  another process
            await asyncio.sleep(LOOK_AGAIN)


async def test_a_worker_that_is_cut_off_is_replaced_and_does_no_harm_when_it_is_back(
    cable: Line, server: Dovecot, tmp_path: Path
) -> None:
    async with AsyncExitStack() as stack:
        near, far = await stack.enter_async_context(both_sides(cable, server, tmp_path))

        async def start(scene: Scene, role: str, *by: str) -> ServiceProcess:
            return await stack.enter_async_context(await scene.start("--role", role, by=by))

        web, _cut_off = await asyncio.gather(start(near, "web"), start(far, "worker", *cable.command))
        cuts = 0
        with Load(9, web.url, pause=PAUSE) as load:
            await near.until_obeyed()
            until = time.monotonic() + SOAK_SECONDS
            while time.monotonic() < until:
                other = await start(near, "worker")
                await until_taken(load, 5)
                cable.cut()
                cuts += 1
                await until_it_decides(other, SOON)
                await near.until_obeyed()
                cable.join()
                await until_taken(load, 5)
                # now the first one takes over in its turn
                await other.kill()
                await near.until_obeyed()
        assert await near.settle(load) == []
        assert set(load.answers) == {202}, "whoever takes posts was never cut off"
        mails = near.relay.mails
        assert len(mails) - len(set(mails)) <= 2 * cuts * SESSIONS, "only what was under way may come again"
