"""Deciding by the link in the mail: a look changes nothing, the button decides, by the same rules as a reply."""

import re

import pytest

from service.model import Phase
from tests.stories.world import ANA, JORDAN, SAM, Received, World

pytestmark = pytest.mark.anyio


def link_in(mail: Received) -> str:
    """Find the link by which a mail lets decide."""
    found = re.search(r"/act/[a-z2-7]{26}", mail.text)
    assert found is not None
    return found[0]


async def asked(world: World) -> str:
    """Let employees be asked, and give Jordan's link."""
    await world.subscribe(ANA)
    await world.fire()
    await world.after(minutes=5)
    return link_in(world.mails(JORDAN)[0])


async def order(world: World, link: str, what: str) -> str:
    """Press a button behind a link."""
    answer = await world.client.post(link, data={"order": what})
    await world.service.settle()
    return answer.text


async def test_a_scanner_that_opens_every_link_changes_nothing(world: World) -> None:
    await asked(world)
    for mail in world.mails(JORDAN) + world.mails(ANA):
        for link in re.findall(r"http://status\.acme\.example(/\S*)", mail.text):
            for method in ("HEAD", "GET", "OPTIONS"):
                answer = await world.client.request(method, link)
                assert answer.status_code < 500
    await world.service.settle()
    assert world.phases() == [Phase.UNPUBLISHED]
    assert len(world.mails(ANA)) == 1


async def test_the_link_shows_what_would_be_published_and_to_how_many(world: World) -> None:
    page = await world.page(await asked(world))
    assert "Email is unavailable" in page
    assert "<strong>Email Server</strong>" in page
    assert "1 subscriber would read" in page


async def test_the_button_publishes(world: World) -> None:
    said = await order(world, await asked(world), "publish")
    assert "INC-1 is published" in said
    assert world.phases() == [Phase.PUBLISHED]
    assert world.incidents()[0].published_by == "jordan"
    assert len(world.mails(ANA)) == 2
    assert "Jordan Ray" in world.mails(SAM)[-1].text


async def test_the_second_press_is_told_what_the_first_did(world: World) -> None:
    link = await asked(world)
    await order(world, link, "publish")
    said = await order(world, link, "publish")
    assert "already published by Jordan Ray" in said
    assert len(world.mails(ANA)) == 2


async def test_a_reply_after_the_link_is_told_too(world: World) -> None:
    await order(world, await asked(world), "discard")
    await world.answer(world.mails(JORDAN)[0], "publish")
    assert world.phases() == [Phase.DISCARDED]
    assert "discarded by Jordan Ray" in world.mails(JORDAN)[-1].text


async def test_a_link_is_worth_nothing_after_its_time(world: World) -> None:
    link = await asked(world)
    await world.after(hours=72)
    answer = await world.client.post(link, data={"order": "publish"})
    assert answer.status_code == 410
    assert world.phases() == [Phase.UNPUBLISHED]


@pytest.mark.parametrize("link", ["/act/" + "a" * 26, "/act/x"])
async def test_a_made_up_link_opens_nothing(world: World, link: str) -> None:
    await asked(world)
    assert (await world.client.get(link)).status_code == 410
    assert (await world.client.post(link, data={"order": "publish"})).status_code == 410


async def test_another_site_cannot_press_the_button(world: World) -> None:
    link = await asked(world)
    headers = {"sec-fetch-site": "cross-site"}
    answer = await world.client.post(link, data={"order": "publish"}, headers=headers)
    assert answer.status_code == 403
    assert world.phases() == [Phase.UNPUBLISHED]


async def test_a_button_that_does_not_exist_does_nothing(world: World) -> None:
    link = await asked(world)
    assert (await world.client.post(link, data={"order": "delete"})).status_code == 404
    assert world.phases() == [Phase.UNPUBLISHED]
