"""A post-mortem tells why a closed incident happened: on the page always, to those who heard of it if wanted."""

from dataclasses import replace

import pytest

from service.actions import deciding
from service.errors import NotAllowed
from service.model import Phase, Update, UpdateStatus
from service.store import narrative
from service.workflow import Reason
from tests.rooms import Clock
from tests.stories.world import ANA, JORDAN, World

pytestmark = pytest.mark.anyio
BEN = "ben@reader.example"
WHY = "A disk was full. Now it is **watched**."


async def close_one(world: World) -> None:
    """Let incident 1 be published and recover."""
    await world.subscribe(ANA)
    await world.fire()
    await world.after(minutes=5)
    await world.answer(world.mails(JORDAN)[0], "publish")
    await world.recover()


async def tell_why(
    world: World, clock: Clock, body: str = WHY, *, is_sent: bool = True, by: str = "jordan"
) -> Reason:
    house = world.service.house
    employee = house.config.employees[by]
    decision = deciding.post_mortem(house, 1, employee, body, clock(), is_sent=is_sent)
    await world.after(seconds=1)
    return decision.reason


def updates(world: World) -> tuple[Update, ...]:
    with world.service.house.store.reading() as connection:
        return narrative.updates_of(connection, [1])[1]


async def test_those_who_heard_of_the_incident_read_why_it_happened(world: World, clock: Clock) -> None:
    await close_one(world)
    await world.subscribe(BEN)
    before, resolved = world.incidents()[0], world.mails(ANA)[-1]
    assert await tell_why(world, clock) is Reason.POSTMORTEM_POSTED
    last = world.mails(ANA)[-1]
    assert "Post-mortem: " in last.text
    assert "A disk was full. Now it is **watched**." in last.text
    assert last.header("In-Reply-To") == resolved.header("In-Reply-To"), "it is in the thread of the incident"
    assert not [mail for mail in world.mails(BEN) if "Post-mortem" in mail.text]
    assert replace(world.incidents()[0], version=before.version) == before, "it stays closed"


async def test_it_stands_on_the_page_and_nobody_is_told_where_that_is_not_wanted(
    world: World, clock: Clock
) -> None:
    await close_one(world)
    mails = len(world.mails(ANA))
    assert await tell_why(world, clock, is_sent=False) is Reason.POSTMORTEM_POSTED
    assert len(world.mails(ANA)) == mails
    page = await world.page("/incidents/1")
    assert '<h2 id="post-mortem">Post-mortem</h2>' in page
    assert "Now it is <strong>watched</strong>." in page
    assert page.count("A disk was full.") == 1, "it is not among the updates as well"
    assert 'href="/incidents/1#post-mortem"' in await world.page("/history")
    assert "Now it is" in await world.page("/feed.atom")


async def test_the_same_is_posted_once_and_another_one_follows(world: World, clock: Clock) -> None:
    await close_one(world)
    assert await tell_why(world, clock) is Reason.POSTMORTEM_POSTED
    assert await tell_why(world, clock) is Reason.REFUSED_TEXT_THE_SAME
    assert await tell_why(world, clock, "It was the fan.") is Reason.POSTMORTEM_POSTED


async def test_a_correction_of_it_stays_a_post_mortem_and_one_of_an_update_does_not_become_one(
    world: World, clock: Clock
) -> None:
    await close_one(world)
    await tell_why(world, clock)
    house, by = world.service.house, world.service.house.config.employees["jordan"]
    deciding.correct(house, 1, updates(world)[-1].id, by, "It was the fan.", clock())
    await world.after(seconds=1)
    assert updates(world)[-1].status is UpdateStatus.POSTMORTEM
    assert "This corrects what we wrote" in world.mails(ANA)[-1].text
    assert "Post-mortem: " in world.mails(ANA)[-1].text
    deciding.correct(house, 1, updates(world)[0].id, by, "It is the calendar.", clock())
    assert updates(world)[-1].status is UpdateStatus.RESOLVED
    assert await tell_why(world, clock, "It was the fan.") is Reason.REFUSED_TEXT_THE_SAME


async def test_what_still_goes_on_is_closed_first(world: World, clock: Clock) -> None:
    await world.fire()
    assert await tell_why(world, clock) is Reason.REFUSED_NOT_PUBLISHED
    await world.after(minutes=5)
    await world.answer(world.mails(JORDAN)[0], "publish")
    assert await tell_why(world, clock) is Reason.REFUSED_STILL_OPEN
    assert world.phases() == [Phase.PUBLISHED]


async def test_a_viewer_posts_none(world: World, clock: Clock) -> None:
    await close_one(world)
    with pytest.raises(NotAllowed):
        await tell_why(world, clock, by="vera")
