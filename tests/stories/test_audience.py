"""A monitor whose incidents only some groups of subscribers hear of."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from service.store import subscribers
from tests.rooms import CONFIG, Clock
from tests.stories.world import ANA, JORDAN, World, make_world

pytestmark = pytest.mark.anyio

BEN = "ben@partner.example"
FOR_PARTNERS = CONFIG.replace("    wait_time: 5m\n", "    wait_time: 5m\n    audience: [Partners, Staff]\n")


@pytest.fixture
async def partners(tmp_path: Path, clock: Clock) -> AsyncIterator[World]:
    """Give a world with two subscribers, of whom Ben is a partner."""
    async with make_world(tmp_path, clock, FOR_PARTNERS) as made:
        for address in (ANA, BEN):
            await made.subscribe(address)
        with made.service.house.store.transaction() as connection:
            ben = subscribers.find_by_address(connection, BEN)
            assert ben
            subscribers.choose(connection, ben.id, components=None, groups=["Partners"])
        yield made


def heard(world: World, to: str) -> list[str]:
    """Give the first lines of somebody's mails about incidents."""
    return [mail.text.splitlines()[0] for mail in world.mails(to)[1:]]


async def test_the_approval_mail_counts_the_group_alone(partners: World) -> None:
    await partners.fire()
    await partners.after(minutes=5)
    assert re.search("This is what 1 .+ would read:", partners.mails(JORDAN)[0].text)


async def test_only_the_group_hears_of_it_to_its_end(partners: World) -> None:
    await partners.fire()
    await partners.after(minutes=5)
    await partners.answer(partners.mails(JORDAN)[0], "publish")
    await partners.recover()
    assert heard(partners, BEN) == [
        "Investigating: Email is unavailable",
        "Resolved: Email is unavailable",
    ]
    assert heard(partners, ANA) == []


async def test_whoever_publishes_by_reply_is_told_how_many_hear_of_it(partners: World) -> None:
    await partners.fire()
    await partners.after(minutes=5)
    await partners.answer(partners.mails(JORDAN)[0], "publish")
    answer = partners.mails(JORDAN)[-1]
    html = answer.message.get_body(("html",))
    assert html is not None
    said = "INC-1 is published: it is on the status page, and 1 subscriber by mail is being told."
    assert said in answer.text.replace("\n", " ")
    assert said in html.get_content()


async def test_where_nobody_subscribed_to_it_whoever_publishes_is_told_so(
    tmp_path: Path, clock: Clock
) -> None:
    async with make_world(tmp_path, clock, FOR_PARTNERS) as world:
        await world.subscribe(ANA)
        await world.fire()
        await world.after(minutes=5)
        await world.answer(world.mails(JORDAN)[0], "publish")
        said = "it is on the status page; nobody has subscribed to it, so no mail is sent."
        assert said in world.mails(JORDAN)[-1].text.replace("\n", " ")
        assert heard(world, ANA) == []


async def test_the_page_shows_it_to_everybody(partners: World) -> None:
    await partners.fire()
    await partners.after(minutes=5)
    await partners.answer(partners.mails(JORDAN)[0], "publish")
    assert "Email is unavailable" in await partners.page()
