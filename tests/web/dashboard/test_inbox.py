"""The inbox as employees see it: what arrived, as it arrived, and why it came to nothing."""

import httpx2
import pytest

from service.actions.house import House
from service.store import inbox_rows
from service.store.inbox_rows import Arrival, Door, InboxState
from service.web.dashboard.inbox import RAW_SHOWN, ROWS_SHOWN
from tests.rooms import Clock
from tests.web.employees import Enter, page_of
from tests.web.outages import Outages

pytestmark = pytest.mark.anyio


def receive(house: House, clock: Clock, raw: bytes, door: Door = Door.WEBHOOK) -> int:
    """Store something as it arrives, worked off as refused."""
    provider = "victorops" if door is Door.WEBHOOK else ""
    why = "no monitor is configured for `<b>`"
    arrival = Arrival(
        door, clock(), raw, provider, state=InboxState.REFUSED, reason="no_monitor", explanation=why
    )
    with house.store.transaction() as connection:
        return inbox_rows.add_many(connection, [arrival])[0]


async def test_the_inbox_shows_what_arrived_newest_first_and_why(
    sam: httpx2.AsyncClient, house: House, clock: Clock
) -> None:
    ids = [receive(house, clock, b"{}") for _ in range(ROWS_SHOWN + 1)]
    text = (await sam.get("/dashboard/inbox")).text
    assert text.index(f">#{ids[-1]}<") < text.index(f">#{ids[1]}<")
    assert f">#{ids[0]}<" not in text
    assert "no monitor is configured for <code>&lt;b&gt;</code>" in text
    older = (await sam.get(f"/dashboard/inbox?before={ids[1]}")).text
    assert f">#{ids[0]}<" in older


async def test_an_arrival_is_shown_as_text_up_to_a_bound(
    sam: httpx2.AsyncClient, house: House, clock: Clock
) -> None:
    number = receive(house, clock, b"<script>\xff</script>" + b"z" * 2 * RAW_SHOWN)
    text = (await sam.get(f"/dashboard/inbox/{number}")).text
    assert "&lt;script&gt;\ufffd&lt;/script&gt;" in text
    assert "The first 64.0 KiB of 128.0 KiB." in text
    assert RAW_SHOWN - 100 < text.count("z") < RAW_SHOWN + 100


async def test_an_arrival_leads_to_the_incidents_that_it_concerned(
    sam: httpx2.AsyncClient, outages: Outages
) -> None:
    incident = outages.fire()
    assert f'href="{page_of(incident)}"' in (await sam.get("/dashboard/inbox/1")).text


async def test_only_admins_read_mails_whole_since_they_quote_tokens(
    enter: Enter, house: House, clock: Clock
) -> None:
    number = receive(house, clock, b"To: status+token@acme.example\r\n\r\npublish", Door.MAIL)
    async with enter("jordan") as jordan:
        assert "status+token@acme.example" in (await jordan.get(f"/dashboard/inbox/{number}")).text
    for other in ("sam", "vera"):
        async with enter(other) as client:
            shown = (await client.get(f"/dashboard/inbox/{number}")).text
        assert "token@" not in shown
        assert "Only admins can read mails whole" in shown


async def test_an_unread_arrival_is_pending(sam: httpx2.AsyncClient, house: House, clock: Clock) -> None:
    with house.store.transaction() as connection:
        inbox_rows.add_many(connection, [Arrival(Door.MAIL, clock(), b"x", about={"folder": "INBOX"})])
    assert "1 not worked off yet" in (await sam.get("/dashboard/inbox")).text
    assert "INBOX" in (await sam.get("/dashboard/inbox/1")).text
