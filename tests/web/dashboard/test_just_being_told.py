"""While subscribers are being told of an incident, its page does not say that nobody hears of it."""

import pytest

from service.actions import subscriber_admin
from service.actions.fan_out import queue_next_chunk
from service.actions.house import House
from tests.rooms import Clock
from tests.web.employees import Enter, page_of
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
