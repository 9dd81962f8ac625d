"""Two instances whose clocks are half a minute apart take turns: nothing fires twice, and nobody is told twice."""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

import pytest

from service.model import Phase
from service.store import leases
from tests.rooms import Clock
from tests.store.databases import databases
from tests.stories.world import ANA, JORDAN, SAM, World

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.parametrize("database", [databases()[1]], indirect=True),
]

APART = timedelta(seconds=30)
STEP = timedelta(seconds=20)
"""Shorter than what the clocks are apart, so that each hour comes to one while it is over for the other."""


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look at each step who plays the part, and not each second."""
    monkeypatch.setattr(leases, "LOOK_AGAIN", 0.0)


@pytest.fixture(params=[APART, -APART], ids=["ahead", "behind"])
async def other(request: pytest.FixtureRequest, world: World, clock: Clock) -> AsyncIterator[World]:
    """Give a second instance, whose clock is fast or slow."""
    made = World(world.folder, world.config, Clock(clock.now + request.param), world.sandbox)
    await made.start()
    yield made
    await made.stop()


async def take_turns(worlds: Sequence[World], minutes: int) -> None:
    """Let time pass, and at each step each of them work for once as the only one who may."""
    for _ in range(timedelta(minutes=minutes) // STEP):
        for world in worlds:
            world.clock.move(STEP)
        for world in worlds:
            for resting in worlds:
                resting.service.part.close()
            await world.service.settle()


async def test_no_timer_fires_twice_and_nothing_is_told_twice(world: World, other: World) -> None:
    both = (world, other)
    await world.subscribe(ANA)
    await world.fire()
    await take_turns(both, minutes=7)
    assert world.phases() == [Phase.UNPUBLISHED]
    assert len(world.mails(JORDAN)) == 1
    await world.sandbox.send_reply(world.mails(JORDAN)[0].kept, "publish", now=world.clock())
    await take_turns(both, minutes=2)
    await other.recover()
    await take_turns(both, minutes=3)
    (incident,) = world.incidents()
    assert incident.phase is Phase.CLOSED
    steps = Counter((entry.from_phase, entry.to_phase) for entry in world.timeline(incident.id))
    assert set(steps.values()) == {1}
    # to confirm, published, resolved; asked, published, closed
    assert [len(world.mails(somebody)) for somebody in (ANA, JORDAN, SAM)] == [3, 3, 3]
