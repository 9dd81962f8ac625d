"""Update, close, status and editing by reply, in English and in other languages."""

from pathlib import Path

import pytest

from service.model import Phase
from tests.rooms import CONFIG, Clock
from tests.stories.world import ANA, JORDAN, SAM, Received, World, make_world

pytestmark = pytest.mark.anyio


async def asked(world: World) -> Received:
    """Let employees be asked, and give the mail that asks Jordan."""
    await world.subscribe(ANA)
    await world.fire()
    await world.after(minutes=5)
    return world.mails(JORDAN)[0]


async def test_an_update_by_reply_reaches_page_and_subscribers(world: World) -> None:
    await world.answer(await asked(world), "publish")
    await world.answer(world.mails(JORDAN)[-1], "update identified: A disk was full,\nwe are moving mails.")
    assert world.phases() == [Phase.PUBLISHED]
    told = world.mails(ANA)[-1].text
    assert "Identified" in told
    assert "A disk was full" in told
    assert "we are moving mails" in told
    assert "A disk was full" in await world.page("/incidents/1")


async def test_closing_by_reply_says_the_comment(world: World) -> None:
    await world.answer(await asked(world), "publish")
    await world.answer(world.mails(JORDAN)[-1], "close It was a cable.")
    assert world.phases() == [Phase.CLOSED]
    assert "It was a cable." in world.mails(ANA)[-1].text
    assert "is closed" in world.mails(JORDAN)[-1].text


async def test_an_update_before_the_publication_is_refused_with_the_way_to_do_it(world: World) -> None:
    await world.answer(await asked(world), "update We know why.")
    assert world.phases() == [Phase.UNPUBLISHED]
    assert "publish it first" in world.mails(JORDAN)[-1].text


async def test_status_says_how_it_stands_and_changes_nothing(world: World) -> None:
    mail = await asked(world)
    await world.answer(mail, "status")
    assert "1 subscriber by mail would hear of it" in world.mails(JORDAN)[-1].text
    await world.answer(mail, "publish")
    assert world.phases() == [Phase.PUBLISHED]


async def test_an_edit_is_mailed_back_and_published_by_answering_that_mail(world: World) -> None:
    first = await asked(world)
    await world.answer(first, "publish\nsubject: Mail is slow\nmessage: Mails arrive late.\nNothing is lost.")
    assert world.phases() == [Phase.UNPUBLISHED]
    assert len(world.mails(ANA)) == 1, "nothing is published that nobody has read whole"
    new = world.mails(JORDAN)[-1]
    assert "Mail is slow" in new.text
    assert "Nothing is lost." in new.text
    assert "Mail is slow" in world.mails(SAM)[-1].text
    await world.answer(world.mails(SAM)[0], "publish")
    assert world.phases() == [Phase.UNPUBLISHED]
    assert "INC-1 was changed" in world.mails(SAM)[-1].text
    await world.answer(new, "publish")
    assert world.phases() == [Phase.PUBLISHED]
    assert "Mails arrive late." in world.mails(ANA)[-1].text
    assert "We are looking into" not in world.mails(ANA)[-1].text


async def test_an_answer_shows_no_text_and_so_publishes_no_newer_one(world: World) -> None:
    first = await asked(world)
    await world.answer(world.mails(SAM)[0], "subject: Mail is slow")
    await world.answer(first, "publish")
    assert "was changed" in world.mails(JORDAN)[-1].text
    await world.answer(world.mails(JORDAN)[-1], "publish")
    assert world.phases() == [Phase.UNPUBLISHED]


async def test_a_used_notification_is_answered_with_a_fresh_one(world: World) -> None:
    mail = await asked(world)
    await world.answer(mail, "publish")
    await world.answer(mail, "close Done.")
    assert world.phases() == [Phase.PUBLISHED]
    assert "Answer this mail instead" in world.mails(JORDAN)[-1].text
    await world.answer(world.mails(JORDAN)[-1], "close Done.")
    assert world.phases() == [Phase.CLOSED]


async def test_of_a_used_notification_whose_text_was_changed_the_newest_mail_is_named(world: World) -> None:
    mail = await asked(world)
    await world.answer(mail, "subject: Mail is down")
    await world.answer(mail, "publish")
    assert "Answer the newest mail that shows its text instead" in " ".join(
        world.mails(JORDAN)[-1].text.split()
    )
    assert world.phases() == [Phase.UNPUBLISHED]


@pytest.mark.parametrize(
    ("language", "word"),
    [
        ("de", "Veröffentlichen"),
        ("fr", "Publier"),
        ("es", "publicar"),
        ("ru", "Опубликовать"),
        ("ja", "公開。"),
    ],
)
async def test_commands_are_read_in_the_languages_of_config_yaml(
    tmp_path: Path, clock: Clock, language: str, word: str
) -> None:
    async with make_world(tmp_path, clock, f"replies: {{languages: [en, {language}]}}\n{CONFIG}") as world:
        await world.answer(await asked(world), word)
        assert world.phases() == [Phase.PUBLISHED]


async def test_where_any_reply_publishes_a_refusal_still_does_not(tmp_path: Path, clock: Clock) -> None:
    async with make_world(tmp_path, clock, f"replies: {{any_reply_publishes: true}}\n{CONFIG}") as world:
        mail = await asked(world)
        for text in ("No, not yet", "Wait a moment", "Is that true?", "Stop!"):
            await world.answer(mail, text)
            assert world.phases() == [Phase.UNPUBLISHED], text
        await world.answer(mail, "Looks good to me")
        assert world.phases() == [Phase.PUBLISHED]
