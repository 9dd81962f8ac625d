"""A relay that is away, slow, or refuses for now, under load: all mails arrive later, and none of them twice."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.faults.load import Load
from tests.faults.process import ServiceProcess
from tests.faults.relay import Relay
from tests.faults.scene import SOAK_SECONDS, Scene, until_taken

pytestmark = pytest.mark.anyio

SLOW = 0.5
"""Seconds for a mail."""
SESSIONS = 5
"""How many mails may be under way at a time, those to employees among them."""


@asynccontextmanager
async def under_load(relay: Relay, folder: Path, address: str) -> AsyncIterator[tuple[Scene, ServiceProcess]]:
    """Give a service whose posts are all taken during the block, and see to all promises after it."""
    scene = Scene(folder, address, relay)
    scene.prepare()
    async with await scene.start() as service:
        with Load(3, service.url) as load:
            await until_taken(load)
            yield scene, service
            await until_taken(load)
        assert await scene.settle(load) == []
        assert set(load.answers) == {202}, "a relay's fault is no provider's"
        assert await service.stop() == 0


async def test_a_relay_that_is_away_loses_no_mail(relay: Relay, tmp_path: Path, address: str) -> None:
    async with under_load(relay, tmp_path, address):
        await relay.go_away()
        await asyncio.sleep(SOAK_SECONDS)  # the length of the fault is the experiment
        await relay.open()
    assert len(relay.mails) - len(set(relay.mails)) <= SESSIONS, "only what was under way may come again"


async def test_a_slow_relay_gets_every_mail_once(relay: Relay, tmp_path: Path, address: str) -> None:
    async with under_load(relay, tmp_path, address):
        relay.delay = SLOW
        await asyncio.sleep(SOAK_SECONDS)  # as above
        relay.delay = 0
    assert len(relay.mails) == len(set(relay.mails))


@pytest.mark.parametrize("refusal", ["451 4.3.0 try again later", "421 4.3.2 the service is going down"])
async def test_what_a_relay_refuses_for_now_is_sent_later_and_once(
    relay: Relay, tmp_path: Path, address: str, refusal: str
) -> None:
    async with under_load(relay, tmp_path, address):
        relay.refusal = refusal
        await asyncio.sleep(SOAK_SECONDS)  # as above
        relay.refusal = ""
    assert relay.refused > 0
    assert len(relay.mails) == len(set(relay.mails))
