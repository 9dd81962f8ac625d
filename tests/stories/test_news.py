"""A reply that comes while the mailbox is watched is decided about by the thread that brings it, in one transaction."""

from dataclasses import replace

import pytest

from service.errors import StoreUnavailable
from service.mail.imap import FetchedMail
from service.mail.sandbox import reply_to
from service.model import Phase
from tests.stories.world import JORDAN, World

pytestmark = pytest.mark.anyio


async def ask(world: World) -> FetchedMail:
    """Let an incident wait for a decision, and give the reply that publishes it, as the mailbox brings it."""
    await world.fire()
    await world.after(minutes=5)
    raw = reply_to(world.mails(JORDAN)[0].kept, "publish", now=world.clock())
    return FetchedMail("x", "INBOX", 1, 1, raw, len(raw), truncated=False, is_news=True)


async def test_it_has_its_effect_before_anybody_else_decides(world: World) -> None:
    news = await ask(world)
    world.service.take_mails([news])
    assert world.phases() == [Phase.PUBLISHED]
    assert (world.inbox()[-1].state, world.inbox()[-1].reason) == ("done", "published")


async def test_what_was_found_there_has_the_same_effect(world: World) -> None:
    found = replace(await ask(world), is_news=False)
    world.service.take_mails([found])
    assert world.phases() == [Phase.PUBLISHED]
    assert world.inbox()[-1].state == "done"


@pytest.mark.parametrize(
    ("was", "now", "reason"),
    [
        (b"From: ", b"Auto-Submitted: auto-replied\r\nFrom: ", "automatic"),
        (JORDAN.encode(), b"mallory@elsewhere.example", "unknown_sender"),
    ],
)
async def test_what_is_no_employees_answer_is_recorded_as_ever(
    world: World, was: bytes, now: bytes, reason: str
) -> None:
    news = await ask(world)
    world.service.take_mails([replace(news, raw=news.raw.replace(was, now))])
    assert world.phases() == [Phase.UNPUBLISHED]
    assert (world.inbox()[-1].state, world.inbox()[-1].reason) == ("done", reason)


async def test_where_acting_fails_it_is_stored_and_tried_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_given: object) -> str:
        raise ValueError("nobody thought of this")

    news = await ask(world)
    with monkeypatch.context() as broken:
        broken.setattr("service.jobs.act_on_reply", fail)
        world.service.take_mails([news])
    assert world.phases() == [Phase.UNPUBLISHED]
    assert (world.inbox()[-1].state, world.inbox()[-1].attempts) == ("pending", 1)
    await world.service.settle()
    assert world.phases() == [Phase.PUBLISHED]


async def test_where_the_store_is_unavailable_it_stays_in_the_mailbox(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def be_locked(*_given: object) -> str:
        raise StoreUnavailable("the database is locked")

    news = await ask(world)
    arrivals = len(world.inbox())
    with monkeypatch.context() as broken:
        broken.setattr("service.jobs.act_on_reply", be_locked)
        with pytest.raises(StoreUnavailable):
            world.service.take_mails([news])
    assert len(world.inbox()) == arrivals
    world.service.take_mails([replace(news, is_news=False)])
    assert world.phases() == [Phase.PUBLISHED]


async def test_what_ends_the_process_is_counted_as_soon_as_it_is_found_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end(*_given: object) -> str:
        raise KeyboardInterrupt

    news = await ask(world)
    arrivals = len(world.inbox())
    monkeypatch.setattr("service.jobs.act_on_reply", end)
    with pytest.raises(KeyboardInterrupt):
        world.service.take_mails([news])
    assert len(world.inbox()) == arrivals, "it is in the mailbox alone"
    with pytest.raises(KeyboardInterrupt):
        world.service.take_mails([replace(news, is_news=False)])
    assert (world.inbox()[-1].state, world.inbox()[-1].attempts) == ("pending", 1)
