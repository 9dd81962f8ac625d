"""Two instances that both believe to be the one that decides, as after a lease that was lost unnoticed."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.faults.employee import Employee, deliver_by_lmtp
from tests.faults.load import Load
from tests.faults.process import ServiceProcess
from tests.faults.relay import Relay
from tests.faults.scene import SOAK_SECONDS, Scene, until_taken
from tests.faults.test_mailbox_faults import own_dovecot
from tests.rooms import OWN_ADDRESS
from tests.store.databases import choosing, needs_postgresql, new_database

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.mailservers,
    needs_postgresql,
    pytest.mark.xdist_group("processes"),
]

BELIEVES = """
from service.cli import main
from service.store.leases import Lease

Lease.is_held = lambda _: True
main(prog_name="replycast")
"""
"""The service, with a lease that says that it is ours whoever has it."""


async def test_two_that_believe_in_their_lease_decide_about_everything_once(
    relay: Relay, tmp_path: Path
) -> None:
    with (
        choosing("postgresql"),
        own_dovecot() as server,
        Employee(deliver_by_lmtp(server.lmtp_port)) as employee,
    ):
        relay.told = employee.got
        imap = server.imap_for(OWN_ADDRESS)
        scene = Scene(tmp_path, new_database(tmp_path), relay, imap=imap, employee=employee)
        scene.prepare()
        logs = [tmp_path / "one", tmp_path / "other"]
        async with AsyncExitStack() as stack:
            config = scene.folder / "config.yaml"
            starts = (ServiceProcess.start(config, log, program=("-c", BELIEVES)) for log in logs)
            services = [await stack.enter_async_context(one) for one in await asyncio.gather(*starts)]
            with Load(10, *(one.url for one in services)) as load:
                await scene.until_obeyed()
                await asyncio.sleep(SOAK_SECONDS)  # the length of the fault is the experiment
                await until_taken(load)
                await scene.until_obeyed()
            assert await scene.settle(load) == []
            assert set(load.answers) == {202}
            assert len(relay.mails) == len(set(relay.mails))
            assert all('"event": "decided"' in log.read_text() for log in logs), "both decided"
            assert [await one.stop() for one in services] == [0, 0]
