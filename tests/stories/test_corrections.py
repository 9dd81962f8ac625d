"""A correction goes to exactly those who were sent the wrong update, and changes nothing else."""

from dataclasses import replace

import pytest

from service.actions import deciding
from service.errors import NotFound
from service.model import Phase, Update, UpdateStatus
from service.store import narrative
from service.workflow import Reason
from tests.rooms import Clock
from tests.stories.world import ANA, JORDAN, World

pytestmark = pytest.mark.anyio
BEN, CEM = "ben@reader.example", "cem@reader.example"


async def publish(world: World) -> None:
    """Let incident 1 be published."""
    await world.fire()
    await world.after(minutes=5)
    await world.answer(world.mails(JORDAN)[0], "publish")


def updates(world: World) -> tuple[Update, ...]:
    with world.service.house.store.reading() as connection:
        return narrative.updates_of(connection, [1])[1]


async def correct(world: World, clock: Clock, number: int, text: str) -> Reason:
    """Put right the update of this place in the order of posting."""
    house = world.service.house
    by = house.config.employees["jordan"]
    decision = deciding.correct(house, 1, updates(world)[number].id, by, text, clock())
    await world.after(seconds=1)
    return decision.reason


async def test_only_those_who_were_sent_the_wrong_one_get_the_right_one(world: World, clock: Clock) -> None:
    for reader in (ANA, BEN):
        await world.subscribe(reader)
    await publish(world)
    await world.subscribe(CEM)
    assert await correct(world, clock, 0, "It is the **calendar**, not the mail.") is Reason.UPDATE_CORRECTED
    for reader in (ANA, BEN):
        last = world.mails(reader)[-1]
        assert "This corrects what we wrote on 24 Nov 2026" in last.text
        assert "calendar" in last.text
    assert "corrects" not in world.mails(CEM)[-1].text
    assert "Correction</strong> of the update of" in await world.page("/incidents/1")


async def test_a_correction_keeps_what_the_public_reads_of_the_state(world: World, clock: Clock) -> None:
    await world.subscribe(ANA)
    await publish(world)
    house, by = world.service.house, world.service.house.config.employees["jordan"]
    deciding.post_update(house, 1, by, UpdateStatus.MONITORING, "A fix is in.", clock())
    await world.after(seconds=1)
    await correct(world, clock, 0, "It began at noon.")
    assert updates(world)[-1].status is UpdateStatus.MONITORING
    assert world.phases() == [Phase.PUBLISHED]
    await world.recover()
    assert world.phases() == [Phase.CLOSED]
    assert "Resolved" in world.mails(ANA)[-1].text


async def test_what_is_closed_can_still_be_corrected(world: World, clock: Clock) -> None:
    await world.subscribe(ANA)
    await publish(world)
    await world.recover()
    before = world.incidents()[0]
    assert await correct(world, clock, -1, "It was the disk.") is Reason.UPDATE_CORRECTED
    assert replace(world.incidents()[0], version=before.version) == before
    assert "It was the disk." in world.mails(ANA)[-1].text
    assert await correct(world, clock, -1, "It was the fan.") is Reason.UPDATE_CORRECTED, "a correction too"


async def test_what_is_not_published_has_nothing_to_correct(world: World, clock: Clock) -> None:
    await world.fire()
    await world.after(minutes=5)
    house = world.service.house
    with pytest.raises(NotFound):
        deciding.correct(house, 1, 1, house.config.employees["jordan"], "x", clock())


async def test_a_correction_that_is_sent_twice_is_told_once(world: World, clock: Clock) -> None:
    await world.subscribe(ANA)
    await publish(world)
    assert await correct(world, clock, 0, "It is the calendar.") is Reason.UPDATE_CORRECTED
    count = len(world.mails(ANA))
    assert await correct(world, clock, 0, "It is the calendar.") is Reason.REFUSED_TEXT_THE_SAME
    assert len(world.mails(ANA)) == count
    assert await correct(world, clock, 0, "It is the mail after all.") is Reason.UPDATE_CORRECTED
    assert await correct(world, clock, 0, "It is the calendar.") is Reason.UPDATE_CORRECTED, (
        "it stood before only"
    )


async def test_an_update_that_is_sent_twice_is_told_once(world: World, clock: Clock) -> None:
    await world.subscribe(ANA)
    await publish(world)
    house, by = world.service.house, world.service.house.config.employees["jordan"]
    reasons = [
        deciding.post_update(house, 1, by, UpdateStatus.MONITORING, text, clock()).reason
        for text in ("A fix is in.", "A fix is in.", "It holds.", "A fix is in.")
    ]
    posted, same = Reason.UPDATE_POSTED, Reason.REFUSED_TEXT_THE_SAME
    assert reasons == [posted, same, posted, posted]


async def test_a_correction_that_had_not_left_when_it_was_over_still_leaves(
    world: World, clock: Clock
) -> None:
    await world.subscribe(ANA)
    await publish(world)
    house, by = world.service.house, world.service.house.config.employees["jordan"]
    deciding.correct(house, 1, updates(world)[0].id, by, "It is the calendar.", clock())
    deciding.close(house, 1, by, "It is over.", clock())
    await world.after(seconds=1)
    told = [mail.text for mail in world.mails(ANA)[-2:]]
    assert "It is the calendar." in told[0]
    assert "It is over." in told[1]
