"""A post that comes alone is decided about before its sender is answered, and never out of its turn."""

import asyncio
import json

import pytest
from anyio import from_thread
from sqlalchemy import select

from service import jobs
from service.errors import OutcomeUnknown
from service.jobs import Turn
from service.model import Phase
from service.store.inbox_rows import InboxState
from service.store.schema import inbox
from tests.stories.world import JORDAN, World

pytestmark = pytest.mark.anyio
CRITICAL = json.dumps({"monitorName": "Email Server", "state": "CRITICAL"})
RECOVERY = json.dumps({"monitorName": "Email Server", "state": "RECOVERY"})


@pytest.fixture
def service(world: World) -> World:
    """Give a world whose decider is at work."""
    world.service.is_at_work = world.service.has_decided = True
    return world


def states(world: World) -> list[str]:
    with world.service.house.store.reading() as connection:
        return list(connection.execute(select(inbox.c.state).order_by(inbox.c.id)).scalars())


async def test_its_incident_is_there_when_it_is_answered(service: World) -> None:
    answer = await service.post(CRITICAL)
    assert (answer.status_code, answer.json()) == (202, {"id": 1})
    assert states(service) == [InboxState.DONE]
    assert service.phases() == [Phase.WAITING]
    await service.post(RECOVERY)
    assert service.phases() == [Phase.DISCARDED]
    assert not service.service.decide.is_set(), "nothing is left to decide"


async def test_the_mail_that_it_leads_to_is_sent_without_a_look_of_the_decider(service: World) -> None:
    await service.fire()
    await service.after(minutes=5)
    asked = len(service.mails(JORDAN))
    await service.post(RECOVERY)
    while await service.service.send_next():
        pass
    assert len(service.mails(JORDAN)) == asked + 1


async def test_one_that_names_no_monitor_is_refused_as_ever(service: World) -> None:
    answer = await service.post(CRITICAL.replace("Email", "Nobody's"))
    assert answer.status_code == 202
    assert states(service) == [InboxState.REFUSED]


async def test_it_waits_behind_one_that_nobody_has_decided_about(service: World) -> None:
    service.service.is_at_work = False
    await service.post(CRITICAL)
    service.service.is_at_work = True
    service.service.decide.clear()
    await service.post(RECOVERY)
    assert states(service) == [InboxState.PENDING] * 2
    async with asyncio.timeout(10):
        await service.service.decide.wait()
    await service.service.settle()
    assert states(service) == [InboxState.DONE] * 2
    assert service.phases() == [Phase.DISCARDED]


async def test_it_is_left_to_who_decides_just_now(service: World, monkeypatch: pytest.MonkeyPatch) -> None:
    posted: list[int] = []

    def decide(*_given: object) -> Turn:
        answer = from_thread.run(service.post, CRITICAL)
        posted.append(answer.status_code)
        return Turn(did=False, may_go_on=False)

    with monkeypatch.context() as patched:
        patched.setattr(jobs, "decide_what_is_due", decide)
        await service.service.decide_next()
    assert (posted, states(service)) == ([202], [InboxState.PENDING])
    await service.service.settle()
    assert service.phases() == [Phase.WAITING]


@pytest.mark.parametrize("body", [b"not a post", b"[]"])
async def test_what_cannot_be_read_is_refused_as_ever(service: World, body: bytes) -> None:
    answer = await service.post(body)
    assert answer.status_code == 400
    assert states(service) == [InboxState.REFUSED]
    assert service.phases() == []


async def test_the_first_one_goes_the_way_on_which_attempts_are_counted(world: World) -> None:
    world.service.is_at_work = True
    await world.post(CRITICAL)
    assert states(world) == [InboxState.PENDING]
    assert (await world.service.decide_next()).did
    await world.post(RECOVERY)
    assert states(world) == [InboxState.DONE] * 2


async def test_one_whose_reading_fails_unforeseen_is_stored_and_put_aside_after_three_tries(
    service: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_given: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(jobs, "read_post", fail)
    answer = await service.post(CRITICAL)
    assert answer.status_code == 202
    for _ in range(4):
        await service.service.decide_next()
    assert states(service) == [InboxState.QUARANTINED]


async def test_somebody_else_may_decide_once_one_has_failed(
    service: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_given: object) -> None:
        raise OutcomeUnknown("the database ended as this was to be stored")

    with monkeypatch.context() as patched:
        patched.setattr(jobs, "receive_post_and_decide", fail)
        assert (await service.post(CRITICAL)).status_code == 503
    await service.post(CRITICAL)
    assert states(service) == [InboxState.DONE]
