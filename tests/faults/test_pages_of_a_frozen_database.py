"""A PostgreSQL that stands still: whoever asks for a page or gives an order is told so soon, and none is held up."""

import asyncio
import secrets
from datetime import UTC, datetime, timedelta

import httpx2
import pytest

from service.actions.logging_in import hash_key
from service.model import Phase
from service.store import credentials
from service.store.credentials import Session
from service.store.database import open_store
from service.web.login.letting_in import SESSION_COOKIE
from tests.faults.cluster import paused
from tests.faults.one_incident import open_an_incident, phase_of_the_incident
from tests.faults.process import PATIENCE, ServiceProcess
from tests.faults.scene import LOOK_AGAIN, Scene
from tests.store.databases import needs_postgresql
from tests.store.postgres import Server

pytestmark = [pytest.mark.anyio, needs_postgresql, pytest.mark.xdist_group("processes")]

PAGES = ("/dashboard", "/history", "/dashboard/incidents/1", "/readyz", f"/unsubscribe/{'a' * 26}")
CROWD = 60
"""Requests at a time: more than there are threads to ask the database in."""


def log_in(address: str) -> str:
    """Let a browser be logged in as an employee; gives its cookie's value."""
    key, now = secrets.token_urlsafe(16), datetime.now(UTC)
    store = open_store(address)
    with store.transaction() as connection:
        session = Session(hash_key(key), "jordan", now, now + timedelta(hours=1))
        credentials.start_session(connection, session)
    store.close()
    return key


async def test_who_asks_while_the_database_stands_still_is_told_to_come_again(
    server: Server, scene: Scene
) -> None:
    cookies = {SESSION_COOKIE: await asyncio.to_thread(log_in, scene.address)}
    async with (
        await ServiceProcess.start(scene.folder / "config.yaml", scene.log) as service,
        httpx2.AsyncClient(base_url=service.url, cookies=cookies, timeout=PATIENCE) as client,
    ):
        await open_an_incident(client, scene)
        assert (await client.get("/dashboard/incidents/1")).status_code == 200
        before = await client.get("/")
        with paused(server):
            # the server goes on only after all of this was answered
            order = client.post("/dashboard/incidents/1/discard")
            crowd = [client.get(PAGES[number % len(PAGES)]) for number in range(CROWD)]
            ordered, *answers = await asyncio.gather(order, *crowd)
            page = await client.get("/")
            alive = await client.get("/healthz")
        assert {one.status_code for one in answers} == {503}
        assert all(
            one.headers["retry-after"].isdecimal() for one in answers if "html" in one.headers["content-type"]
        )
        assert ordered.status_code == 503
        assert "Nothing was changed; try again in a moment." in ordered.text
        assert (page.status_code, page.text) == (200, before.text)
        assert alive.status_code == 200
        async with asyncio.timeout(PATIENCE):
            while (await client.get("/dashboard/incidents/1")).status_code != 200:  # noqa: ASYNC110  the server's doing
                await asyncio.sleep(LOOK_AGAIN)
        assert phase_of_the_incident(scene.address) is Phase.UNPUBLISHED, (
            "what was answered with 503 never comes"
        )
        again = await client.post("/dashboard/incidents/1/discard")
        assert again.status_code == 303, again.text
        assert phase_of_the_incident(scene.address) is Phase.DISCARDED
        assert await service.stop() == 0
