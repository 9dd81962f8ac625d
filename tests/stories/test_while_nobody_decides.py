"""Reminders, the ladder, holds, two approvals, and what recovers before anybody decided."""

from pathlib import Path

import pytest

from service.model import Phase
from tests.rooms import CONFIG, Clock
from tests.stories.world import ANA, JORDAN, SAM, World, make_world

pytestmark = pytest.mark.anyio


def monitor_with(**keys: str) -> str:
    """Give the monitor of tests/rooms.py with more keys."""
    more = "".join(f"\n    {name}: {value}" for name, value in keys.items())
    return CONFIG.replace("auto_close: true", f"auto_close: true{more}").replace(
        "[jordan, sam]", "[jordan]" if "escalate" in keys else "[jordan, sam]"
    )


async def begin(world: World) -> None:
    """Let an incident come so far that employees are asked."""
    await world.subscribe(ANA)
    await world.fire()
    await world.after(minutes=5)


async def test_employees_are_reminded_until_somebody_decides(tmp_path: Path, clock: Clock) -> None:
    async with make_world(tmp_path, clock, monitor_with(remind_every="10m")) as world:
        await begin(world)
        await world.after(minutes=10)
        await world.after(minutes=10)
        assert len(world.mails(JORDAN)) == 3
        assert "reminder" in world.mails(JORDAN)[-1].text
        await world.answer(world.mails(JORDAN)[0], "discard")
        await world.after(hours=3)
        assert len(world.mails(JORDAN)) == 4, "the answer, and no reminder any more"


async def test_the_ladder_asks_others_and_publishes_at_last(tmp_path: Path, clock: Clock) -> None:
    ladder = "[{after: 10m, notify: [sam]}, {after: 30m, then: publish}]"
    async with make_world(tmp_path, clock, monitor_with(escalate=ladder)) as world:
        await begin(world)
        assert world.mails(SAM) == []
        await world.after(minutes=10)
        assert len(world.mails(SAM)) == 1
        assert len(world.mails(JORDAN)) == 1
        await world.after(minutes=20)
        assert world.phases() == [Phase.PUBLISHED]
        assert len(world.mails(ANA)) == 2
        assert "automatically" in world.mails(JORDAN)[-1].text
        assert "automatically" in world.mails(SAM)[-1].text


async def test_a_hold_by_reply_asks_again_later(world: World) -> None:
    await begin(world)
    await world.answer(world.mails(JORDAN)[0], "hold 20m")
    assert "is held until 13:25 CET" in world.mails(JORDAN)[-1].text
    await world.answer(world.mails(JORDAN)[-1], "OK")
    assert world.phases() == [Phase.UNPUBLISHED], "an ok to the hold is no publication"
    await world.after(minutes=20)
    assert "time for which it was held is over" in world.mails(JORDAN)[-1].text
    await world.answer(world.mails(JORDAN)[0], "publish")
    assert world.phases() == [Phase.PUBLISHED], "a hold does not use the notification up"


async def test_two_must_approve(tmp_path: Path, clock: Clock) -> None:
    async with make_world(tmp_path, clock, monitor_with(approvals="2")) as world:
        await begin(world)
        await world.answer(world.mails(JORDAN)[0], "publish")
        assert world.phases() == [Phase.UNPUBLISHED]
        assert "1 more is needed" in world.mails(JORDAN)[-1].text
        assert "Jordan Ray approved it" in world.mails(SAM)[-1].text
        await world.answer(world.mails(JORDAN)[-1], "publish")
        assert world.phases() == [Phase.UNPUBLISHED]
        assert "from somebody else" in world.mails(JORDAN)[-1].text
        await world.answer(world.mails(SAM)[0], "publish")
        assert world.phases() == [Phase.PUBLISHED]
        assert len(world.mails(ANA)) == 2


async def test_what_recovered_may_be_kept_and_published_as_resolved(tmp_path: Path, clock: Clock) -> None:
    async with make_world(tmp_path, clock, monitor_with(if_recovered_unpublished="keep")) as world:
        await begin(world)
        await world.recover()
        assert world.phases() == [Phase.UNPUBLISHED]
        asked = world.mails(JORDAN)[-1]
        assert "It has recovered meanwhile" in asked.text
        assert "Email works again." in asked.text, "the mail shows all that would be published"
        await world.answer(asked, "publish")
        assert world.phases() == [Phase.CLOSED]
        told = world.mails(ANA)[-1]
        assert "We are looking into" in told.text
        assert "Email works again." in told.text
        assert len(world.mails(ANA)) == 2, "one mail says that it was and that it is over"


async def test_what_recovered_may_be_published_as_resolved_by_itself(tmp_path: Path, clock: Clock) -> None:
    config = monitor_with(if_recovered_unpublished="publish_resolved")
    async with make_world(tmp_path, clock, config) as world:
        await begin(world)
        await world.recover()
        assert world.phases() == [Phase.CLOSED]
        assert "Email works again." in world.mails(ANA)[-1].text
        assert "Email works again." in await world.page("/incidents/1")
