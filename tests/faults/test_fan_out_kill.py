"""Killed in the middle of a fan-out, again and again, the service reaches everybody, and hardly anybody twice."""

import asyncio
import os
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack, closing
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import insert

from service.config.settings import Limits
from service.model import SubscriberState
from service.store import deliveries, progress
from service.store.database import Store, open_store
from service.store.schema import subscribers
from tests.faults.process import PATIENCE, ServiceProcess
from tests.faults.sink import Sink, running_sink
from tests.mailservers.processes import ServersMissing
from tests.rooms import CONFIG, OWN_ADDRESS, Clock
from tests.store.databases import fresh_database, needs_postgresql

pytestmark = [pytest.mark.mailservers, pytest.mark.anyio]

KILLS = int(os.environ.get("REPLYCAST_FAN_OUT_KILLS", "2"))
"""With ten of them there are ten thousand subscribers."""
SUBSCRIBERS = 1_000 * KILLS
AT_ONCE = CONFIG.replace("wait_time: 5m", "wait_time: 0").replace("auto_publish: false", "auto_publish: true")
BETWEEN_LOOKS = 0.01


@pytest.fixture
def sink(tmp_path: Path) -> Iterator[Sink]:
    try:
        with running_sink(tmp_path) as running:
            yield running
    except ServersMissing as missing:
        if os.environ.get("CI") == "true":
            pytest.fail(str(missing))
        pytest.skip(str(missing))


def write_config(folder: Path, sink: Sink, address: str) -> Path:
    """Write a config.yaml whose mails go into the sink."""
    path = folder / "config.yaml"
    path.write_text(f"""\
mail:
  from: "Acme Status <{OWN_ADDRESS}>"
  smtp: {{host: 127.0.0.1, port: {sink.port}, security: none}}
database: "{address}"
{AT_ONCE}""")
    return path


def fill(store: Store) -> list[str]:
    """Put confirmed subscribers into a fresh database; gives their addresses."""
    long_ago = Clock().now - timedelta(days=365)
    addresses = [f"reader{number}@reader.example" for number in range(SUBSCRIBERS)]
    rows = [
        {
            "public_id": f"{number:032x}",
            "address": address,
            "address_key": address,
            "state": SubscriberState.CONFIRMED,
            "created_at": long_ago,
            "confirmed_at": long_ago,
            "unsubscribe_hash": f"{number:064x}",
        }
        for number, address in enumerate(addresses)
    ]
    with store.transaction() as connection:
        connection.execute(insert(subscribers), rows)
    return addresses


async def until_sent(store: Store, number: int) -> None:
    """Wait until so many mails are recorded."""
    async with asyncio.timeout(PATIENCE * 4):
        while True:
            with store.reading() as connection:
                found = progress.of_update(connection, 1)
            if found is not None and found.sent >= number:
                return
            await asyncio.sleep(
                BETWEEN_LOOKS
            )  # between two looks; the condition, not the time, ends the loop


async def test_a_fan_out_that_is_killed_reaches_everybody(sink: Sink, tmp_path: Path, address: str) -> None:
    chance = random.Random(KILLS)  # noqa: S311  a moment, not a secret
    store = open_store(address)
    addresses = fill(store)
    config, log = write_config(tmp_path, sink, address), tmp_path / "log"
    moments = sorted(chance.sample(range(1, SUBSCRIBERS - 100), KILLS))
    for round_, moment in enumerate(moments):
        async with await ServiceProcess.start(config, log) as process, httpx2.AsyncClient() as client:
            if round_ == 0:
                body = '{monitorName: "Email Server", state: "CRITICAL"}'
                await client.post(f"{process.url}/webhook/victorops", content=body)
            await until_sent(store, moment)
            await process.kill()
    async with await ServiceProcess.start(config, log) as process:
        await until_sent(store, SUBSCRIBERS)
        assert await process.stop() == 0
    store.close()
    mails = [(to, message_id) for to, message_id in sink.mails() if to.startswith("reader")]
    received = Counter(to for to, _ in mails)
    assert set(received) == set(addresses), "nobody is missed"
    assert len(mails) - len(addresses) <= KILLS * Limits().connections
    assert len(set(mails)) == len(addresses), "what came again is the same mail"


@needs_postgresql
async def test_what_a_killed_worker_had_claimed_another_sends_without_waiting_for_the_lease(
    sink: Sink, tmp_path: Path
) -> None:
    async with AsyncExitStack() as stack:
        address = stack.enter_context(fresh_database("postgresql", tmp_path))
        store = stack.enter_context(closing(open_store(address)))
        addresses = fill(store)
        config, log = write_config(tmp_path, sink, address), tmp_path / "log"

        async def start(role: str) -> ServiceProcess:
            return await stack.enter_async_context(await ServiceProcess.start(config, log, "--role", role))

        web, first, second = await start("web"), await start("worker"), await start("worker")
        client = await stack.enter_async_context(httpx2.AsyncClient())
        body = '{monitorName: "Email Server", state: "CRITICAL"}'
        await client.post(f"{web.url}/webhook/victorops", content=body)
        await until_sent(store, SUBSCRIBERS // 10)
        await first.kill()
        await until_sent(store, SUBSCRIBERS)
        assert await second.stop() == 0
        with store.reading() as connection:
            waiting = deliveries.next_due_at(connection, urgent=False)
    mails = [(to, message_id) for to, message_id in sink.mails() if to.startswith("reader")]
    assert waiting is None
    assert {to for to, _ in mails} == set(addresses), "nobody is missed"
    assert len(mails) - len(addresses) <= Limits().connections
    assert len(set(mails)) == len(addresses), "what came again is the same mail"
