"""Deciding by the link in the mail: a look changes nothing, the button decides, by the same rules as a reply."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest

from service.config.settings import Authenticity, Policy
from service.model import Phase
from tests.rooms import CONFIG, Clock
from tests.stories.world import ANA, JORDAN, SAM, Received, World, make_world

pytestmark = pytest.mark.anyio

REQUIRE = Authenticity(Policy.REQUIRE, "mx.acme.example")


@pytest.fixture
async def strict(tmp_path: Path, clock: Clock) -> AsyncIterator[World]:
    """Give a world in which a token alone is no proof, with a viewer who is asked as well."""
    config = CONFIG.replace("notify_employees: [jordan, sam]", "notify_employees: [jordan, sam, vera]")
    async with make_world(tmp_path, clock, config) as world:
        assert world.config.mail is not None
        world.config = replace(world.config, mail=replace(world.config.mail, authenticity=REQUIRE))
        await world.restart()
        yield world


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
    assert "1 subscriber by mail would read" in page


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


async def test_where_the_token_is_proof_the_page_says_what_the_link_is_worth(world: World) -> None:
    page = await world.page(await asked(world))
    assert "Whoever has this link can decide in the name of Jordan Ray" in page


async def enter(world: World, email: str) -> None:
    """Log an employee in by a link that is mailed."""
    await world.client.post("/login", data={"email": email})
    await world.service.settle()
    entered = await use_mailed_link(world, email)
    assert entered.status_code == 303


async def use_mailed_link(world: World, email: str) -> httpx2.Response:
    """Press the button behind the newest log-in link in somebody's mailbox."""
    found = re.search(r"/login/[a-z2-7]{26}", world.mails(email)[-1].text)
    assert found is not None
    return await world.client.post(found[0])


@pytest.mark.parametrize("what", ["publish", "discard"])
async def test_a_forwarded_link_shows_everything_and_decides_nothing(strict: World, what: str) -> None:
    link = await asked(strict)
    page = await strict.page(link)
    assert "<strong>Email Server</strong>" in page
    assert "1 subscriber by mail would read" in page
    assert 'value="publish"' not in page
    answer = await strict.client.post(link, data={"order": what})
    assert answer.status_code == 403
    assert "You are not logged in; this link was sent to Jordan Ray" in answer.text
    assert strict.phases() == [Phase.UNPUBLISHED]
    assert len(strict.mails(ANA)) == 1


async def test_a_log_in_link_goes_to_the_registered_address_and_leads_back(strict: World) -> None:
    link = await asked(strict)
    assert 'value="log_in"' in await strict.page(link)
    answer = await order(strict, link, "log_in")
    assert "A link is on its way to the address of <strong>Jordan Ray</strong>" in answer
    assert JORDAN not in answer
    entered = await use_mailed_link(strict, JORDAN)
    assert (entered.status_code, entered.headers["location"]) == (303, link)
    assert 'value="publish"' in await strict.page(link)
    assert "INC-1 is published" in await order(strict, link, "publish")
    assert strict.incidents()[0].published_by == "jordan"


async def test_a_stranger_with_the_link_cannot_use_the_log_in_link_that_he_asked_for_elsewhere(
    strict: World,
) -> None:
    link = await asked(strict)
    await order(strict, link, "log_in")
    strict.client.cookies.clear()
    assert (await use_mailed_link(strict, JORDAN)).status_code == 410
    assert (await strict.client.post(link, data={"order": "publish"})).status_code == 403


async def test_another_employee_is_told_whose_link_it_is_and_where_to_decide(strict: World) -> None:
    link = await asked(strict)
    await enter(strict, SAM)
    page = await strict.page(link)
    assert "You are logged in as Sam Lee; this link was sent to Jordan Ray" in page
    assert 'href="/dashboard/incidents/1">Decide as Sam Lee on the dashboard' in page
    assert "<button" not in page.partition("<main")[2]
    mails = len(strict.mails(JORDAN))
    for what, status in (("publish", 403), ("discard", 403), ("log_in", 200)):
        answer = await strict.client.post(link, data={"order": what})
        assert (answer.status_code, "this link was sent to Jordan Ray" in answer.text) == (status, True)
    await strict.service.settle()
    assert strict.phases() == [Phase.UNPUBLISHED]
    assert len(strict.mails(JORDAN)) == mails


async def test_who_may_only_look_is_not_sent_to_decide(strict: World) -> None:
    await asked(strict)
    link = link_in(strict.mails("vera@acme.example")[0])
    await enter(strict, "vera@acme.example")
    answer = await strict.client.post(link, data={"order": "publish"})
    assert answer.status_code == 403
    assert "Vera Moss may look, but not publish" in answer.text
    page = await strict.page(link_in(strict.mails(JORDAN)[0]))
    assert "Decide as Vera Moss" not in page


async def test_a_link_that_was_used_says_so_to_everybody(strict: World) -> None:
    link = await asked(strict)
    await enter(strict, JORDAN)
    await order(strict, link, "publish")
    assert "already published by Jordan Ray" in await order(strict, link, "publish")
    strict.client.cookies.clear()
    assert "It was published at" in await strict.page(link)
    assert (await strict.client.post(link, data={"order": "publish"})).status_code == 403


async def test_the_log_in_order_mails_nothing_where_none_is_needed(world: World) -> None:
    link = await asked(world)
    assert 'value="publish"' in await order(world, link, "log_in")
    assert len(world.mails(JORDAN)) == 1
