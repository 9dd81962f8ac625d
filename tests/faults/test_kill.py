"""Killed at any point between webhook and publication and started again, it loses nothing and sends nothing twice."""

import asyncio
import os
import random
from collections.abc import AsyncIterator
from datetime import timedelta
from email import message_from_bytes, policy
from pathlib import Path

import httpx2
import pytest

from service.model import Phase, SubscriberState
from service.store import incidents, subscribers
from service.store.database import open_store
from tests.faults.process import ServiceProcess, WatchedSandbox, write_config
from tests.rooms import CONFIG, OWN_ADDRESS, Clock
from tests.stories.world import ANA, JORDAN, SAM

pytestmark = pytest.mark.anyio

AT_ONCE = CONFIG.replace("wait_time: 5m", "wait_time: 1s")
KILLS = int(os.environ.get("REPLYCAST_KILLS", "4"))
"""Rounds; more of them find rarer moments."""


@pytest.fixture
async def sandbox() -> AsyncIterator[WatchedSandbox]:
    started = await WatchedSandbox.start(own_address=OWN_ADDRESS)
    assert isinstance(started, WatchedSandbox)
    yield started
    await started.stop()


def subscribe(address: str) -> None:
    """Put a confirmed subscriber into a fresh database."""
    store = open_store(address)
    long_ago = Clock().now - timedelta(days=365)
    with store.transaction() as connection:
        one = subscribers.add(connection, public_id="a" * 32, address=ANA, unsubscribe_hash="h", now=long_ago)
        subscribers.set_state(connection, one.id, SubscriberState.CONFIRMED, confirmed_at=long_ago)
    store.close()


def message_ids(sandbox: WatchedSandbox, to: str, saying: str) -> list[str]:
    """Give the Message-IDs of the mails that somebody got with a word in them."""
    found = []
    for mail in sandbox.mails:
        message = message_from_bytes(mail.raw, policy=policy.default)
        body = message.get_body(("plain",))
        if mail.recipient == to and body is not None and saying in body.get_content():
            found.append(str(message["Message-ID"]))
    return found


async def kill_after(process: ServiceProcess, seconds: float) -> None:
    """Kill a process after a while."""
    await asyncio.sleep(seconds)  # not to wait for anything: the moment of the kill is the experiment
    await process.kill()


@pytest.mark.parametrize("seed", range(KILLS))
async def test_a_kill_at_any_point_loses_nothing_and_repeats_nothing(
    sandbox: WatchedSandbox, tmp_path: Path, address: str, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311  a moment, not a secret
    subscribe(address)
    config = write_config(tmp_path, sandbox, address, AT_ONCE)
    log = tmp_path / "log"
    async with await ServiceProcess.start(config, log) as process, httpx2.AsyncClient() as client:
        body = '{monitorName: "Email Server", state: "CRITICAL"}'
        answer = await client.post(f"{process.url}/webhook/victorops", content=body)
        assert answer.status_code == 202
        await kill_after(process, chance.uniform(0, 1.2))
    async with await ServiceProcess.start(config, log) as process:
        asked = await sandbox.wait_for(lambda: [m for m in sandbox.mails if m.recipient == JORDAN])
        await sandbox.send_reply(asked[0], "publish", now=Clock().now)
        await kill_after(process, chance.uniform(0, 0.15))
    async with await ServiceProcess.start(config, log) as process, httpx2.AsyncClient() as client:
        await sandbox.wait_for(lambda: message_ids(sandbox, ANA, "looking into"))
        await sandbox.wait_for(lambda: message_ids(sandbox, JORDAN, "is published"))
        await sandbox.wait_for(lambda: message_ids(sandbox, SAM, "Jordan Ray"))
        page = await client.get(process.url)
        assert "Email is unavailable" in page.text
        assert await process.stop() == 0
    # a mail that was in flight at the kill may come again, and then as the same mail
    for to, saying in (
        (JORDAN, "Reply"),
        (ANA, "looking into"),
        (JORDAN, "is published"),
        (SAM, "Jordan Ray"),
    ):
        assert len(set(message_ids(sandbox, to, saying))) >= 1, (to, saying)
    assert len(set(message_ids(sandbox, ANA, "looking into"))) == 1
    assert len(set(message_ids(sandbox, JORDAN, "is published"))) == 1
    store = open_store(address)
    with store.reading() as connection:
        found = incidents.listed(connection, limit=10)
    store.close()
    assert [incident.phase for incident in found] == [Phase.PUBLISHED]
