"""Who hears of an incident, as its page says before and after it is published, and while they are being told."""

import pytest

from service.actions import subscriber_admin
from service.actions.fan_out import queue_next_chunk
from service.actions.house import House
from tests.rooms import Clock
from tests.web.employees import SEEN, Enter, page_of
from tests.web.outages import Outages

pytestmark = pytest.mark.anyio


async def test_how_many_get_an_update_is_said_once_it_is_known(
    enter: Enter, house: House, clock: Clock, outages: Outages
) -> None:
    list_of_one, jordan = b"Email\nada@reader.example\n", house.config.employees["jordan"]
    subscriber_admin.import_file(house, list_of_one, jordan, clock(), have_agreed=True)
    incident = outages.published()
    async with enter("sam") as browser:
        before = (await browser.get(page_of(incident))).text
        while queue_next_chunk(house, clock()):
            pass
        after = (await browser.get(page_of(incident))).text
    assert "What all who hear of it get to read" in before
    assert "Nobody has subscribed" not in before
    assert "What 1 subscriber by mail and the status page get to read" in after


@pytest.mark.parametrize(
    ("component", "before", "after"),
    [
        (
            "API",
            "<strong>Nobody has subscribed to these components</strong>, so no mail is sent.",
            "it is on the status page; nobody has subscribed to it, so no mail is sent.",
        ),
        (
            "Email",
            "mails it to exactly\n    <strong>1 subscriber by mail</strong>.",
            "it is on the status page, and 1 subscriber by mail is being told.",
        ),
    ],
)
async def test_who_subscribed_to_other_components_is_not_counted(
    enter: Enter, house: House, clock: Clock, outages: Outages, component: str, before: str, after: str
) -> None:
    one, jordan = (
        f"Email,Components\nada@reader.example,{component}\n".encode(),
        house.config.employees["jordan"],
    )
    subscriber_admin.import_file(house, one, jordan, clock(), have_agreed=True)
    incident = outages.fire()
    async with enter("sam") as browser:
        assert before in (await browser.get(page_of(incident))).text
        answer = await browser.post(page_of(incident, "publish"), data=SEEN)
        # as another process would say it, which has counted nobody
        house.counted.clear()
        assert after in (await browser.get(answer.headers["location"])).text


async def test_nor_is_a_correction_or_a_post_mortem_said_to_go_to_nobody(
    enter: Enter, house: House, clock: Clock, outages: Outages
) -> None:
    incident = outages.published()
    outages.close(incident)
    async with enter("sam") as browser:
        before = (await browser.get(page_of(incident))).text
        while queue_next_chunk(house, clock()):
            pass
        after = (await browser.get(page_of(incident))).text
    assert "Those who are just being told of the incident get it by mail" in before
    assert "heard of the incident: they are just being told" in before
    assert "nobody is subscribed who heard of the incident" in after
    assert "heard of the incident: nobody" in after
