"""Two instances on one database of PostgreSQL: both take posts, serve pages and send, one decides."""

from collections.abc import AsyncIterator

import pytest
from anyio import to_thread

from service.model import Phase
from service.store import inbox_rows, leases
from service.store.inbox_rows import Arrival, Door
from tests.rooms import Clock
from tests.store.databases import databases
from tests.store.postgres import server
from tests.stories.test_posts_that_come_alone import CRITICAL, RECOVERY
from tests.stories.world import JORDAN, SAM, World

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.parametrize("database", [databases()[1]], indirect=True),
]


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look at each step who plays the part, and not each second."""
    monkeypatch.setattr(leases, "LOOK_AGAIN", 0.0)


@pytest.fixture
async def other(world: World, clock: Clock) -> AsyncIterator[World]:
    """Give a second instance, which came later."""
    made = World(world.folder, world.config, clock, world.sandbox)
    await made.start()
    yield made
    await made.stop()


async def test_what_one_takes_in_the_other_decides(world: World, other: World) -> None:
    await other.fire()
    assert world.phases() == []
    await world.service.settle()
    assert other.phases() == [Phase.WAITING]


async def test_a_post_that_comes_alone_is_decided_about_at_once_by_the_one_that_decides(
    world: World, other: World
) -> None:
    for one in (world, other):
        await one.service.may_work()
        one.service.is_at_work = one.service.has_decided = True
    await other.post(CRITICAL)
    assert world.phases() == []
    await world.service.settle()
    await world.post(RECOVERY)
    assert other.phases() == [Phase.DISCARDED]


async def test_a_reply_that_the_second_brings_is_decided_by_the_first(world: World, other: World) -> None:
    await world.fire()
    await world.after(minutes=5)
    await other.sandbox.send_reply(world.mails(JORDAN)[0].kept, "publish", now=other.clock())
    assert other.service.mailbox is not None
    assert await to_thread.run_sync(other.service.mailbox.poll_once) == 1
    assert world.phases() == [Phase.UNPUBLISHED]
    await world.service.settle()
    assert world.phases() == [Phase.PUBLISHED]
    assert "Email is unavailable" in await other.page()
    assert len(world.mails(SAM)) == 2


async def test_everybody_is_told_once_whoever_settles(world: World, other: World) -> None:
    await world.fire()
    for _ in range(3):
        await other.after(minutes=2)
        await world.service.settle()
    assert len(world.mails(JORDAN)) == 1


async def test_when_the_first_is_gone_the_second_goes_on(world: World, other: World) -> None:
    await world.fire()
    await world.stop()
    await other.after(minutes=5)
    assert other.phases() == [Phase.UNPUBLISHED]
    assert len(other.mails(JORDAN)) == 1
    await world.start()


async def test_when_the_first_lost_its_connections_the_second_goes_on_and_the_first_rests(
    world: World, other: World
) -> None:
    await world.fire()
    server().end_connections(str(world.config.database).partition("?")[0].rpartition("/")[2])
    await other.after(minutes=5)
    await world.service.settle()
    assert not world.service.part.is_held()
    assert len(other.mails(JORDAN)) == 1


async def test_who_stands_by_leaves_the_mailbox_alone(world: World, other: World) -> None:
    await world.fire()
    await world.after(minutes=5)
    await other.answer(world.mails(JORDAN)[0], "publish")
    assert len(world.inbox()) == 1
    await world.stop()
    await other.service.settle()
    assert other.phases() == [Phase.PUBLISHED]
    await world.start()


async def test_who_stands_by_tells_of_posts_that_the_other_one_leaves_lying(
    world: World, other: World
) -> None:
    with world.service.house.store.transaction() as connection:
        inbox_rows.add_many(connection, [Arrival(Door.WEBHOOK, other.clock(), b"{}", provider="victorops")])
    assert world.service.part.is_held()
    await other.after(minutes=6)
    for _ in range(2):
        other.service.watch()
        await other.service.settle()
    assert [one.subject for one in other.mails(JORDAN)] == [
        "Acme Status: Posts or replies wait to be decided about"
    ]
    await world.service.settle()
    other.service.watch()
    world.service.watch()
    await other.service.settle()
    assert [one.subject for one in other.mails(JORDAN)][1:] == [
        "Acme Status: Posts and replies are decided about again"
    ]


async def test_who_stands_by_blames_nobody_for_a_mailbox_that_another_one_reads(
    world: World, other: World
) -> None:
    await other.after(days=1)
    seen = other.service.seen()
    assert (seen.is_standby, seen.mailbox_since, seen.mailbox_read_at) == (True, None, None)
    await world.stop()
    assert await other.service.may_work()
    assert other.service.seen().mailbox_since == other.clock()
    assert other.service.seen().decided_at == other.clock()
    await world.start()
