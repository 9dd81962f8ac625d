"""What machines ask: does it live, and can it work."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from service.actions.house import House
from service.store import inbox_rows
from service.store.inbox_rows import Arrival, Door
from service.web import machine_checks
from service.web.front import Front
from tests.rooms import make_client

pytestmark = pytest.mark.anyio


@pytest.fixture
async def machine(front: Front) -> AsyncIterator[httpx2.AsyncClient]:
    """Give a supervisor that asks."""
    async with make_client(front, machine_checks.routes) as client:
        yield client


async def test_it_lives(machine: httpx2.AsyncClient) -> None:
    answer = await machine.get("/healthz")
    assert (answer.status_code, answer.text) == (200, "ok\n")


async def test_it_is_ready_and_says_what_waits(machine: httpx2.AsyncClient, front: Front) -> None:
    with front.house.store.transaction() as connection:
        inbox_rows.add_many(connection, [Arrival(Door.WEBHOOK, front.clock(), b"{}")] * 2)
    answer = await machine.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {"ready": True, "reasons": [], "warnings": [], "inbox_pending": 2}
    assert answer.text.endswith("}\n")


def damage(house: House) -> None:
    """Overwrite the beginning of the database's file, as a failing disk may."""
    house.store.close()
    with Path(house.store.engine.url.database or "").open("r+b") as opened:
        opened.write(b"these are not the tables you look for")


async def test_without_its_database_it_lives_but_is_not_ready(
    machine: httpx2.AsyncClient, house: House
) -> None:
    damage(house)
    answer = await machine.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["ready"] is False
    assert "file is not a database" in answer.json()["reasons"][0]
    assert (await machine.get("/healthz")).status_code == 200
