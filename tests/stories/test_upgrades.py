"""What fired under an older version, which knew alerts by their ids alone, recovers under this one."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command

from service.model import Phase
from service.store.database import Store, open_store
from service.store.migrating import alembic_config
from tests.rooms import Clock
from tests.stories.test_several_names import APART, SEVERAL, published
from tests.stories.world import ANA, World, make_world

pytestmark = pytest.mark.anyio

AT_ONCE = APART.replace("wait_time: 5m", "wait_time: 0s").replace("auto_publish: false", "auto_publish: true")


def as_before_names(store: Store) -> None:
    """Make the database one of the version before: the next start upgrades it."""
    with store.transaction() as connection:
        command.downgrade(alembic_config(connection), "0003")


def as_from_beside(store: Store) -> None:
    """Make what fired be noted as by an instance of the version before, which still works beside this one."""
    with store.transaction() as connection:
        connection.exec_driver_sql("UPDATE joined_alerts SET name = ''")


@pytest.fixture(params=[as_before_names, as_from_beside])
def older(request: pytest.FixtureRequest) -> Callable[[Store], None]:
    """Give what makes a database one in which an older version worked."""
    made: Callable[[Store], None] = request.param
    return made


async def upgraded(world: World, older: Callable[[Store], None]) -> None:
    """Start this version where an older one worked until now."""
    await world.stop()
    with closing(open_store(world.config.database)) as store:
        older(store)
    await world.start()


async def test_a_recovery_of_what_never_fired_ends_nothing_that_did(
    older: Callable[[Store], None], tmp_path: Path, clock: Clock
) -> None:
    async with make_world(tmp_path, clock, AT_ONCE) as world:
        await world.subscribe(ANA)
        for number in range(3):
            await world.fire(f"api-{number}", entityId=f"e{number}")
        await upgraded(world, older)
        told = len(world.mails(ANA))
        await world.recover("api-9", entityId="e9")
        await world.recover("api-9")
        assert (world.phases(), len(world.mails(ANA))) == ([Phase.PUBLISHED] * 3, told)
        await world.recover("api-1", entityId="e1")
        assert world.phases() == [Phase.PUBLISHED, Phase.CLOSED, Phase.PUBLISHED]


async def test_what_came_without_an_id_ends_with_what_has_its_name(
    older: Callable[[Store], None], tmp_path: Path, clock: Clock
) -> None:
    async with make_world(tmp_path, clock, SEVERAL) as world:
        await published(world, "api-1", "api-2", "api-3")
        await upgraded(world, older)
        told = len(world.mails(ANA))
        await world.recover("api-1")
        await world.recover("api-2", entityId="e2")
        assert (world.phases(), len(world.mails(ANA))) == ([Phase.PUBLISHED], told)
        await world.recover("API-3")
        assert (world.phases(), len(world.mails(ANA))) == ([Phase.CLOSED], told + 1)


async def test_what_fired_by_its_id_ends_by_the_name_that_it_is_known_to_have(
    tmp_path: Path, clock: Clock
) -> None:
    async with make_world(tmp_path, clock, SEVERAL) as world:
        await world.fire("api-1", entityId="e1")
        await world.fire("api-2", entityId="e2")
        await upgraded(world, as_before_names)
        await world.recover("api-1")
        assert world.phases() == [Phase.WAITING]
        await world.recover("api-2")
        assert world.phases() == [Phase.DISCARDED]


async def test_what_fires_again_is_known_by_its_name_from_then_on(tmp_path: Path, clock: Clock) -> None:
    async with make_world(tmp_path, clock, SEVERAL) as world:
        await world.fire("api-1", entityId="e1")
        await upgraded(world, as_from_beside)
        await world.recover("api-1")
        assert world.phases() == [Phase.WAITING]
        await world.fire("api-1", entityId="e1")
        await world.recover("api-1")
        assert world.phases() == [Phase.DISCARDED]
