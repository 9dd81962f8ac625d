"""A maintenance that takes longer than things are kept: at its end all is there that it kept back."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from service import jobs
from service.actions import maintaining
from service.store.suppression import alerts_since
from service.workflow.maintenance import Plan
from tests.rooms import CONFIG, Clock
from tests.stories.world import World, make_world

pytestmark = pytest.mark.anyio

NAMED = CONFIG.replace("{{ alert.monitor_name }}", "{{ alert.monitor_name }} in {{ alert.fields.region }}")
WEEK = {
    "posts and alerts": "retention: {alerts: 7d}\n",
    "bodies": "retention: {inbox: 7d}\n",
    "all": "retention: {alerts: 7d, inbox: 7d}\n",
}


@pytest.fixture(params=WEEK)
async def world(
    tmp_path: Path, clock: Clock, database: str, request: pytest.FixtureRequest
) -> AsyncIterator[World]:
    """Give a running service that keeps some of it for a week, while a maintenance of nine days is on."""
    del database
    async with make_world(tmp_path, clock, NAMED + WEEK[request.param]) as made:
        house = made.service.house
        wanted = Plan("Database upgrade", "We move.", ("Email",), clock(), clock() + timedelta(days=9))
        maintaining.plan(house, wanted, house.config.employees["jordan"], clock())
        await made.after(hours=1)
        yield made


async def days_pass(world: World, days: int) -> None:
    """Let the service keep house, each day."""
    for _ in range(days):
        await world.after(days=1)
        jobs.keep_house(world.service.house, world.clock())
        await world.service.settle()


async def test_what_still_fires_at_its_end_opens_an_incident_in_all_its_words(world: World) -> None:
    for entity in ("mx1", "mx2"):
        await world.fire(entityId=entity, region="Frankfurt")
    await world.recover(entityId="mx2")
    await days_pass(world, 9)
    (incident,) = world.incidents()
    assert incident.message == "We are looking into **Email Server in Frankfurt**."
    assert [one.entity_id for one in incident.alerts] == ["mx1"]


@pytest.mark.parametrize("world", ["posts and alerts"], indirect=True)
async def test_when_it_is_over_all_goes_that_no_open_incident_is_made_of(world: World) -> None:
    for entity in ("mx1", "mx2"):
        await world.fire(entityId=entity, region="Frankfurt")
    await world.recover(entityId="mx2")
    await days_pass(world, 8)
    assert left(world) == {"mx1", "mx2"}
    await days_pass(world, 1)
    assert left(world) == {"mx1"}


def left(world: World) -> set[str | None]:
    """Tell of what alerts are kept."""
    with world.service.house.store.reading() as connection:
        return {one.entity_id for one in alerts_since(connection, world.clock() - timedelta(days=99))}
