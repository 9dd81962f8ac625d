"""A service that can open nothing more for a while: no post and no mail is blamed, and all goes on by itself."""

import asyncio
from pathlib import Path

import pytest

from tests.descriptors import nothing_can_be_opened
from tests.faults.load import Load
from tests.faults.relay import Relay
from tests.faults.scene import SETTLING, SOAK_SECONDS, Scene, until_taken

pytestmark = [pytest.mark.anyio, pytest.mark.xdist_group("processes")]

NAMED = ("sh", "-c", 'echo $$ > "$0" && exec "$@"')
"""Writes its own id into the file that is named, and becomes the command behind it."""
FEW_KINDS_FIRST = 359
"""Lets nothing be published at first: what those mails look like is read only while nothing can be opened."""


async def test_while_nothing_can_be_opened_all_waits_and_goes_on_once_there_are_descriptors(
    address: str, relay: Relay, tmp_path: Path
) -> None:
    scene = Scene(tmp_path, address, relay)
    scene.prepare()
    asked = asyncio.Event()
    relay.told = lambda _recipient, _raw: asked.set()
    async with await scene.start(by=(*NAMED, str(tmp_path / "pid"))) as service:
        process = int((tmp_path / "pid").read_text())
        with Load(FEW_KINDS_FIRST, service.url) as load:
            await asyncio.wait_for(asked.wait(), SETTLING)
            with nothing_can_be_opened(process):
                await until_taken(load)
                await asyncio.sleep(SOAK_SECONDS)  # the length of the fault is the experiment
            await until_taken(load)
        assert await scene.settle(load) == []
        assert set(load.answers) <= {202, 503}
        assert load.without_hint == 0
        assert "this process has no file descriptor left" in scene.log.read_text()
        assert await service.stop() == 0
