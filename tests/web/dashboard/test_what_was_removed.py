"""Of what was kept long enough the pages say that it was removed, and never that it was not there."""

from datetime import timedelta

import httpx2
import pytest
from sqlalchemy import select

from service import jobs
from service.actions.fan_out import queue_next_chunk
from service.actions.house import House
from service.model import SubscriberState
from service.store import deliveries, inbox_rows, schema, subscribers
from service.store.inbox_rows import InboxState
from tests.rooms import Clock
from tests.web.employees import Enter
from tests.web.outages import Outages

pytestmark = pytest.mark.anyio
MOMENT = timedelta(seconds=1)


def ended_long_ago(house: House, clock: Clock, outages: Outages) -> int:
    """Let a subscriber hear of an incident and of its end, and all of that be removed; gives its number."""
    with house.store.transaction() as connection:
        ana = subscribers.add(
            connection, public_id="a" * 32, address="ana@reader.example", unsubscribe_hash="a", now=clock()
        )
        subscribers.set_state(connection, ana.id, SubscriberState.CONFIRMED, confirmed_at=clock())
    incident = outages.published()
    send_all(house, clock)
    outages.close(incident)
    send_all(house, clock)
    clock.move(house.config.retention.alerts + MOMENT)
    jobs.keep_house(house, clock())
    return incident.id


def send_all(house: House, clock: Clock) -> None:
    while queue_next_chunk(house, clock()):
        pass
    with house.store.transaction() as connection:
        for number in connection.execute(select(schema.deliveries.c.id)).scalars().all():
            deliveries.mark_sent(connection, number, clock())
        for row in inbox_rows.untried_posts(connection, 99):
            inbox_rows.finish(connection, row.id, InboxState.DONE, reason="")


async def test_an_incident_keeps_its_counts_and_says_what_was_removed(
    enter: Enter, house: House, clock: Clock, outages: Outages
) -> None:
    number = ended_long_ago(house, clock, outages)
    async with enter("sam") as browser:
        page = (await browser.get(f"/dashboard/incidents/{number}")).text
    assert "1 sent" in page
    assert "who they went to was removed, the counts stay" in page
    assert "None is listed. Deliveries are listed for 400d" in page
    assert "What was received is not listed any more: posts and alerts are for 1095d" in page


async def test_nobody_is_promised_a_correction_whom_nobody_knows_any_more(
    enter: Enter, house: House, clock: Clock, outages: Outages
) -> None:
    number = ended_long_ago(house, clock, outages)
    async with enter("sam") as browser:
        page = (await browser.get(f"/dashboard/incidents/{number}")).text
    assert "and no mail is sent: who was sent this update was removed" in page
    assert (
        "who heard of the incident was removed (<code>retention.deliveries</code>), so no mail is sent"
        in page
    )
    assert "nobody, for who that was was removed" in page
    assert "nobody is subscribed who heard" not in page


async def test_the_list_of_deliveries_says_how_far_back_it_goes(sam: httpx2.AsyncClient) -> None:
    page = (await sam.get("/dashboard/deliveries")).text
    assert "to each recipient, for 400d (<code>retention.deliveries</code>)" in page
