"""A published incident about which nothing is told: reminders, and what employees do with them."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from service.config.settings import Config
from service.model import Phase
from tests.rooms import CONFIG, Clock
from tests.stories.world import ANA, JORDAN, SAM, World, make_world

pytestmark = pytest.mark.anyio

REMIND = CONFIG.replace(
    "auto_close: true", "auto_close: true\n    remind_every: 30m\n    recovery_grace: 10m"
)


@pytest.fixture
async def public(tmp_path: Path, clock: Clock) -> AsyncIterator[World]:
    """Give a world in which an incident was published at 13:05 CET, and whose monitor reminds every half hour."""
    async with make_world(tmp_path, clock, REMIND) as world:
        await world.subscribe(ANA)
        await world.fire()
        await world.after(minutes=5)
        await world.answer(world.mails(JORDAN)[0], "publish")
        assert world.phases() == [Phase.PUBLISHED]
        yield world


def reminders(world: World, to: str = JORDAN) -> list[str]:
    """Give the texts of the reminders that somebody got."""
    return [mail.text for mail in world.mails(to) if "This is a reminder: INC-1 is still open" in mail.text]


async def test_employees_are_reminded_answer_and_are_reminded_from_there(public: World) -> None:
    await public.after(minutes=29)
    assert reminders(public) == []
    await public.after(minutes=1)
    assert "public since 24 Nov 2026, 13:05 CET; nothing was told about it since" in reminders(public)[0]
    assert len(reminders(public, SAM)) == 1
    assert len(public.mails(ANA)) == 2, "subscribers are not told of it"

    reminder = public.mails(JORDAN)[-1]
    assert reminder.header("References").split()[1] == public.mails(JORDAN)[0].header("References").split()[1]
    await public.after(minutes=10)
    await public.answer(reminder, "update We found it")
    assert "We found it" in public.mails(ANA)[-1].text
    assert public.timeline(1)[-1].reason == "update_posted"

    await public.after(minutes=29)
    assert len(reminders(public)) == 1
    await public.after(minutes=1)
    told = reminders(public, SAM)[1]
    assert "the last update is of 24 Nov 2026, 13:45 CET" in told
    assert "We found it" in told
    assert "1 subscriber by mail heard of it" in told


async def test_it_comes_again_until_it_is_closed_by_answering_it(public: World) -> None:
    await public.after(minutes=30)
    await public.after(minutes=30)
    assert len(reminders(public)) == 2
    await public.answer(public.mails(SAM)[-1], "close It works again")
    assert public.phases() == [Phase.CLOSED]
    assert "It works again" in public.mails(ANA)[-1].text
    await public.after(hours=5)
    assert len(reminders(public)) == 2


async def test_each_reminder_has_a_token_of_its_own(public: World) -> None:
    await public.after(minutes=30)
    first = public.mails(JORDAN)[-1]
    await public.answer(first, "update We look into it")
    await public.after(minutes=30)
    second = public.mails(JORDAN)[-1]
    assert first.header("Reply-To") != second.header("Reply-To")
    await public.answer(first, "update: Again")
    assert "was used before" in public.mails(JORDAN)[-1].text
    await public.answer(second, "update We found it")
    assert "We found it" in public.mails(ANA)[-1].text


async def test_news_without_the_word_are_asked_back_with_a_line_that_works(public: World) -> None:
    await public.after(minutes=30)
    await public.answer(public.mails(JORDAN)[-1], "We are still looking into it")
    assert len(public.mails(ANA)) == 2
    answer = public.mails(JORDAN)[-1]
    assert 'reply to this mail with "update: We are still looking into it" as the first line' in answer.text
    await public.answer(answer, "update: We are still looking into it")
    assert "We are still looking into it" in public.mails(ANA)[-1].text


async def test_what_may_be_a_sentence_is_asked_back_and_nobody_reads_it(public: World) -> None:
    await public.after(minutes=30)
    await public.answer(public.mails(JORDAN)[-1], "close not yet.")
    assert (len(public.mails(ANA)), public.phases()) == (2, [Phase.PUBLISHED])
    answer = public.mails(JORDAN)[-1]
    assert "put a colon between them" in answer.text
    await public.answer(answer, "close: no")
    assert (len(public.mails(ANA)), public.phases()) == (2, [Phase.PUBLISHED])
    assert "put a colon between them" not in public.mails(JORDAN)[-1].text


async def test_before_the_publication_nobody_hears_of_colons(tmp_path: Path, clock: Clock) -> None:
    async with make_world(tmp_path, clock, REMIND) as world:
        await world.fire()
        await world.after(minutes=5)
        await world.answer(world.mails(JORDAN)[0], "close not yet.")
        answer = world.mails(JORDAN)[-1].text
        assert "is not a command" in answer
        assert "put a colon between them" not in answer


async def test_a_recovery_ends_it_and_firing_again_begins_anew(public: World) -> None:
    await public.after(minutes=25)
    await public.recover()
    await public.after(minutes=8)
    assert reminders(public) == []
    await public.fire()
    assert public.phases() == [Phase.PUBLISHED]
    await public.after(minutes=29)
    assert reminders(public) == []
    await public.after(minutes=1)
    assert len(reminders(public)) == 1


async def test_after_the_service_stood_still_it_comes_once(public: World) -> None:
    await public.stop()
    public.clock.move(timedelta(hours=4))
    await public.start()
    await public.service.settle()
    assert len(reminders(public)) == 1


async def test_a_monitor_that_no_longer_wants_it_gets_none(public: World) -> None:
    public.config = without_reminders(public.config)
    await public.restart()
    await public.after(hours=2)
    assert reminders(public) == []
    assert public.incidents()[0].due_at is None


def without_reminders(config: Config) -> Config:
    """Give the same configuration with monitors that remind nobody."""
    return replace(config, monitors=tuple(replace(one, remind_every=None) for one in config.monitors))
