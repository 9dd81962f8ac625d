"""The inbox as employees see it: what arrived, as it arrived, and why it came to nothing."""

from dataclasses import replace
from datetime import timedelta

import httpx2
import pytest

from service.actions.alerts import take_alerts
from service.actions.house import House
from service.inbox import receive_handed
from service.model import Alert, AlertState
from service.store import inbox_bodies, inbox_rows
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


def title_of(text: str, number: int) -> str:
    """Give what a page calls an arrival."""
    row = text.partition(f'href="/dashboard/inbox/{number}">')[2]
    return row.partition('line__subject">')[2].partition("<")[0]


def take(house: House, clock: Clock, *alerts: Alert) -> int:
    """Store a post and let its alerts have their effect."""
    with house.store.transaction() as connection:
        [number] = inbox_rows.add_many(connection, [Arrival(Door.WEBHOOK, clock(), b"{}", "victorops")])
    take_alerts(house, number, alerts, clock())
    return number


def alert(
    name: str, state: AlertState = AlertState.FIRING, raw_state: str = "CRITICAL", **more: str
) -> Alert:
    return Alert("victorops", name, state, raw_state=raw_state, **more)  # type: ignore[arg-type]  # texts, all of them


async def test_a_post_is_called_by_what_it_says_of_which_monitor(
    sam: httpx2.AsyncClient, house: House, clock: Clock
) -> None:
    fired = take(house, clock, alert("Email Server"))
    unknown = take(house, clock, alert("Email <Server>", raw_state=""))
    unread = receive(house, clock, b"{}")
    text = (await sam.get("/dashboard/inbox")).text
    assert title_of(text, fired) == "Email Server: CRITICAL"
    assert title_of(text, unknown) == "Email &lt;Server&gt;: firing"
    assert title_of(text, unread) == "Post from victorops"
    assert 'href="/dashboard/incidents/1">INC-1</a>: ' in text


async def test_of_a_post_of_several_alerts_one_is_named_and_the_others_are_counted_once_each(
    sam: httpx2.AsyncClient, house: House, clock: Clock
) -> None:
    sent = [alert("Email Server", entity_id=one) for one in ("a", "b")]
    take(house, clock, *sent, alert("Disk"))
    assert title_of((await sam.get("/dashboard/inbox")).text, 1) == "Email Server: CRITICAL and 2 more"
    over = [replace(one, state=AlertState.RECOVERED, raw_state="RECOVERY") for one in sent]
    take(house, clock, *over)
    assert title_of((await sam.get("/dashboard/inbox")).text, 2) == "Email Server: RECOVERY and 1 more"


async def test_a_search_shows_the_name_that_it_found(
    sam: httpx2.AsyncClient, house: House, clock: Clock
) -> None:
    take(house, clock, alert("Email Server"), alert("Disk 100%"))
    text = (await sam.get("/dashboard/inbox?q=disk+100%25")).text
    assert title_of(text, 1) == "Disk 100%: CRITICAL and 1 more"


async def test_a_mail_is_called_by_its_sender_whose_address_is_for_admins(
    enter: Enter, house: House, clock: Clock
) -> None:
    for sender in ("Jordan Ray <JORDAN@acme.example>", "Ana <ana@reader.example>", "nobody"):
        raw = f"From: {sender}\r\n\r\npublish\r\n".encode()
        receive_handed(house.store, raw, size=len(raw), now=clock())
    with house.store.transaction() as connection:
        inbox_rows.finish(
            connection, 1, InboxState.DONE, reason="published", explanation="INC-4 is published."
        )
    async with enter("jordan") as jordan, enter("sam") as sam:
        theirs, text = (await jordan.get("/dashboard/inbox")).text, (await sam.get("/dashboard/inbox")).text
    assert [title_of(theirs, n) for n in (1, 2, 3)] == [
        "Jordan Ray: published",
        "Mail from ana@reader.example",
        "Mail from nobody",
    ]
    assert [title_of(text, n) for n in (1, 2, 3)] == ["Jordan Ray: published", "Mail", "Mail"]
    assert '<a href="/dashboard/incidents/4">INC-4</a> is published.' in text


async def test_whose_mail_it_was_is_removed_with_its_body(enter: Enter, house: House, clock: Clock) -> None:
    raw = b"From: Ana <ana@reader.example>\r\n\r\nwhy\r\n"
    receive_handed(house.store, raw, size=len(raw), now=clock())
    with house.store.transaction() as connection:
        inbox_rows.finish(connection, 1, InboxState.DONE, reason="unknown_sender")
        inbox_bodies.remove(connection, clock() + timedelta(days=1), clock(), limit=9)
    async with enter("jordan") as jordan:
        pages = [(await jordan.get(f"/dashboard/inbox{path}")).text for path in ("", "/1", "?q=ana@reader")]
    assert title_of(pages[0], 1) == "Mail"
    assert not any("ana@reader.example" in page for page in pages[:2])
    assert "Nothing is found" in pages[2]


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
