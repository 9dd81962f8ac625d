"""A monitor of several names: each alert is told from the others by its name where it has no entity id."""

from dataclasses import replace
from pathlib import Path

import pytest

from service.actions.opening import Opening, open_by_hand
from service.model import Phase
from service.store import inbox_rows
from tests.rooms import CONFIG, Clock
from tests.stories.test_maintenance import plan
from tests.stories.world import ANA, JORDAN, World, make_world

pytestmark = pytest.mark.anyio

SEVERAL = CONFIG.replace("alert_name: Email Server", 'alert_name: [API Gateway, "api-*"]')
APART = SEVERAL.replace("combine_alerts: true", "combine_alerts: false")


async def published(world: World, *names: str) -> None:
    """Let things fire one after another, and publish what came of it."""
    await world.subscribe(ANA)
    for name in names:
        await world.fire(name=name)
    await world.after(minutes=5)
    await world.answer(world.mails(JORDAN)[-1], "publish")
    assert world.phases() == [Phase.PUBLISHED]


async def test_what_recovers_says_nothing_of_another_thing_that_still_fires(
    tmp_path: Path, clock: Clock
) -> None:
    async with make_world(tmp_path, clock, SEVERAL) as world:
        await published(world, "api-1", "api-2")
        told = len(world.mails(ANA))
        await world.recover(name="api-2")
        assert world.phases() == [Phase.PUBLISHED]
        await world.recover(name="api-3")
        assert (world.phases(), len(world.mails(ANA))) == ([Phase.PUBLISHED], told)
        await world.recover(name="api-1")
        assert world.phases() == [Phase.CLOSED]
        assert len(world.mails(ANA)) == told + 1


async def test_a_recovery_by_another_name_is_told_what_fires(tmp_path: Path, clock: Clock) -> None:
    async with make_world(tmp_path, clock, SEVERAL) as world:
        await world.fire("api-down")
        await world.recover("api-up")
        assert world.phases() == [Phase.WAITING]
        with world.service.house.store.reading() as connection:
            arrival = inbox_rows.get(connection, 2)
        assert arrival is not None
        assert arrival.explanation == (
            "nothing of `api-up` was firing; `api-down` is, and a recovery must have the same name or entity id"
        )


async def test_a_recovery_of_another_id_under_the_same_name_is_told_which_id_fires(world: World) -> None:
    await world.fire(entityId="disk")
    await world.recover(entityId="net")
    with world.service.house.store.reading() as connection:
        arrival = inbox_rows.get(connection, 2)
    assert arrival is not None
    assert "nothing of `Email Server` was firing; `disk` is" in arrival.explanation


async def test_what_repeats_itself_is_the_same_thing_and_another_name_another(
    tmp_path: Path, clock: Clock
) -> None:
    async with make_world(tmp_path, clock, SEVERAL) as world:
        for name in ("api-1", "api-1", "API Gateway"):
            await world.fire(name=name)
        [incident] = world.incidents()
        assert [(alert.entity_id, alert.times_fired) for alert in incident.alerts] == [
            ("api-1", 2),
            ("api gateway", 1),
        ]


async def test_without_combine_each_name_ends_its_own_incidents(tmp_path: Path, clock: Clock) -> None:
    async with make_world(tmp_path, clock, APART) as world:
        for name in ("api-1", "api-1", "api-2"):
            await world.fire(name=name)
        assert world.phases() == [Phase.WAITING] * 3
        await world.recover(name="api-1")
        assert world.phases() == [Phase.DISCARDED, Phase.DISCARDED, Phase.WAITING]


@pytest.mark.parametrize(
    ("fired", "recovered"),
    [({"entityId": "e1"}, {}), ({}, {"entityId": "e1"})],
    ids=["the first sends an id", "the second sends an id"],
)
async def test_an_id_in_one_of_the_two_webhooks_only_still_ends_what_has_the_name(
    fired: dict[str, str], recovered: dict[str, str], tmp_path: Path, clock: Clock
) -> None:
    async with make_world(tmp_path, clock, SEVERAL) as world:
        await world.fire(name="api-1", **fired)
        await world.fire(name="api-2", **({"entityId": "e2"} if fired else {}))
        await world.recover(name="api-1", **recovered)
        assert world.phases() == [Phase.WAITING]
        second = {"entityId": "e2"} if recovered else {}
        await world.recover(name="api-2", **second)
        assert world.phases() == [Phase.DISCARDED]


async def test_names_are_the_same_in_any_case_and_with_any_white_space(tmp_path: Path, clock: Clock) -> None:
    async with make_world(tmp_path, clock, SEVERAL) as world:
        await world.fire("api-1")
        await world.fire("API  Gateway", entityId="e1")
        await world.recover(" API-1 ")
        assert world.phases() == [Phase.WAITING]
        await world.recover("api gateway")
        assert world.phases() == [Phase.DISCARDED]


async def test_an_id_that_one_webhook_begins_to_send_leaves_nothing_open(
    tmp_path: Path, clock: Clock
) -> None:
    async with make_world(tmp_path, clock, SEVERAL) as world:
        await world.fire("api-1")
        await world.fire("api-1", entityId="e1")
        await world.recover("api-1")
        assert world.phases() == [Phase.DISCARDED]


@pytest.mark.parametrize("recovered", ["api-1", "api-7"])
async def test_what_was_opened_by_hand_ends_with_the_last_that_fired(
    recovered: str, tmp_path: Path, clock: Clock
) -> None:
    async with make_world(tmp_path, clock, SEVERAL) as world:
        house = world.service.house
        [monitor] = house.config.monitors
        written = Opening(monitor=monitor, subject="API", message="Slow.", type="performance", components={})
        open_by_hand(house, written, house.config.employees["jordan"], world.clock())
        if recovered == "api-1":
            for name in ("api-1", "api-2"):
                await world.fire(name)
            await world.recover("api-2")
            assert world.phases() == [Phase.UNPUBLISHED]
        await world.recover(recovered)
        assert world.phases() == [Phase.DISCARDED]


async def test_a_monitor_that_gets_a_second_name_while_something_fires_still_ends_it(
    tmp_path: Path, clock: Clock
) -> None:
    one = CONFIG.replace("alert_name: Email Server", "alert_name: api-1")
    async with make_world(tmp_path, clock, one) as world:
        await world.fire("api-1")
        monitors = tuple(replace(it, alert_names=("api-1", "api-2")) for it in world.config.monitors)
        world.config = replace(world.config, monitors=monitors)
        await world.restart()
        await world.fire("api-1")
        await world.recover("api-1")
        assert world.phases() == [Phase.DISCARDED]


@pytest.mark.parametrize("fired", [{}, {"entityId": "e1"}], ids=["by name", "by id"])
async def test_nothing_is_left_of_what_recovered_by_name_during_a_maintenance(
    fired: dict[str, str], tmp_path: Path, clock: Clock
) -> None:
    async with make_world(tmp_path, clock, SEVERAL) as world:
        await plan(world)
        await world.after(hours=24, minutes=1)
        await world.fire("api-1", **fired)
        await world.recover("API-1")
        await world.after(hours=2)
        assert world.incidents() == ()


async def test_a_maintenance_leaves_what_still_fires_by_its_name(tmp_path: Path, clock: Clock) -> None:
    async with make_world(tmp_path, clock, SEVERAL) as world:
        await plan(world)
        await world.after(hours=24, minutes=1)
        await world.fire("api-1")
        await world.fire("api-2")
        await world.recover("api-2")
        await world.after(hours=2)
        [incident] = world.incidents()
        assert [alert.entity_id for alert in incident.alerts] == ["api-1"]
