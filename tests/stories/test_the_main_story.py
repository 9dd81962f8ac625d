"""An alert becomes an incident, an employee answers "publish", everybody hears of it, and it closes by itself."""

import pytest

from service.model import Phase
from tests.stories.world import ANA, JORDAN, SAM, World

pytestmark = pytest.mark.anyio

VENDORS_OWN = '{\nmonitorName: "Email Server",\nstate: "CRITICAL"\n}'


async def test_published_by_answering_a_mail_and_closed_by_the_recovery(world: World) -> None:
    await world.subscribe(ANA)
    answer = await world.post(VENDORS_OWN)
    assert answer.status_code == 202
    await world.service.settle()
    assert world.phases() == [Phase.WAITING]
    assert world.mails(JORDAN) == []

    await world.after(minutes=5)
    assert world.phases() == [Phase.UNPUBLISHED]
    [asked] = world.mails(JORDAN)
    assert asked.subject == "[INC-1] Email is unavailable"
    assert "Email Server" in asked.text
    assert "1 subscriber" in asked.text
    assert len(world.mails(SAM)) == 1
    assert "Email is unavailable" not in await world.page()

    await world.after(minutes=1)
    await world.answer(asked, "publish")
    assert world.phases() == [Phase.PUBLISHED]
    assert "Email is unavailable" in await world.page()
    assert "<strong>Email Server</strong>" in await world.page("/incidents/1")
    told = world.mails(ANA)[-1]
    assert "Email is unavailable" in told.subject
    assert "INC-1 is published" in world.mails(JORDAN)[-1].text
    assert "Jordan Ray" in world.mails(SAM)[-1].text

    await world.after(minutes=30)
    await world.recover()
    assert world.phases() == [Phase.CLOSED]
    assert "Email works again." in world.mails(ANA)[-1].text
    assert "Email works again." in await world.page("/incidents/1")
    assert [entry.reason for entry in world.timeline(1)] == [
        "opened",
        "wait_elapsed",
        "published",
        "auto_closed",
    ]
    # one mail per transition and person: asked, answered, closed; and asked, told, closed
    assert len(world.mails(JORDAN)) == 3
    assert len(world.mails(SAM)) == 3
    assert len(world.mails(ANA)) == 3


async def test_all_mails_about_an_incident_are_one_thread(world: World) -> None:
    await world.fire()
    await world.after(minutes=5)
    [asked] = world.mails(JORDAN)
    await world.answer(asked, "publish")
    await world.recover()
    first, answered, closed = world.mails(JORDAN)
    root = first.header("References").split()[-1]
    assert answered.subject == f"Re: {first.subject}"
    assert closed.subject == first.subject
    assert root in answered.header("References").split()
    assert root in closed.header("References").split()
    assert answered.header("In-Reply-To") not in {"", root}


async def test_an_employee_may_discard_by_answering_too(world: World) -> None:
    await world.subscribe(ANA)
    await world.fire()
    await world.after(minutes=5)
    await world.answer(world.mails(JORDAN)[0], "false alarm")
    assert world.phases() == [Phase.DISCARDED]
    assert len(world.mails(ANA)) == 1, "only the mail that asked to confirm"
    assert "INC-1 is discarded" in world.mails(JORDAN)[-1].text
    assert "Jordan Ray" in world.mails(SAM)[-1].text


async def test_help_is_answered_and_changes_nothing(world: World) -> None:
    await world.fire()
    await world.after(minutes=5)
    asked = world.mails(JORDAN)[0]
    await world.answer(asked, "help")
    assert world.phases() == [Phase.UNPUBLISHED]
    assert "discard" in world.mails(JORDAN)[-1].text
    await world.answer(asked, "publish")
    assert world.phases() == [Phase.PUBLISHED], "help does not use the notification up"
