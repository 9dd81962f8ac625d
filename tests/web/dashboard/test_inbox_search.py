"""Finding what arrived: by door, state, reason, and by part of a name, but never by what a body holds."""

import httpx2
import pytest

from service.actions.house import House
from service.inbox import receive_handed
from service.store import inbox_rows, inbox_search
from service.store.inbox_rows import Arrival, Door, InboxState
from service.web.dashboard.inbox import ROWS_SHOWN
from tests.rooms import Clock
from tests.web.employees import Enter
from tests.web.outages import Outages

pytestmark = pytest.mark.anyio

PAGE = "/dashboard/inbox"


def receive(house: House, clock: Clock, why: str, **more: object) -> int:
    """Store a post that was refused, or what it says otherwise."""
    fields = {"state": InboxState.REFUSED, "reason": "no_monitor"} | more
    door = fields.pop("door", Door.WEBHOOK)
    arrival = Arrival(door, clock(), b"a raw body", "victorops", explanation=why, **fields)  # type: ignore[arg-type]  # what a test says of it
    with house.store.transaction() as connection:
        return inbox_rows.add_many(connection, [arrival])[0]


async def found(client: httpx2.AsyncClient, query: str) -> list[int]:
    """Give the numbers of what is found, as the page shows them."""
    text = (await client.get(f"{PAGE}?{query}")).text
    return [int(part.partition("<")[0]) for part in text.split('class="line__tag">#')[1:]]


async def test_what_arrived_is_found_by_each_of_its_marks(
    sam: httpx2.AsyncClient, house: House, clock: Clock
) -> None:
    first = receive(house, clock, "no monitor is configured for `Disk 100%`")
    second = receive(house, clock, "it cannot be read", reason="unreadable")
    third = receive(house, clock, "", state=InboxState.PENDING, reason="")
    assert await found(sam, "q=disk+100%25") == [first]
    assert await found(sam, "q=%25") == [first]
    assert await found(sam, "q=READ") == [second]
    assert await found(sam, "reason=unreadable") == [second]
    assert await found(sam, "state=pending") == [third]
    assert await found(sam, "door=mail") == []
    assert await found(sam, "door=webhook&state=refused") == [second, first]
    assert await found(sam, "q=raw+body") == []
    assert await found(sam, "door=x&state=y&before=z") == [third, second, first]


async def test_a_post_is_found_by_the_name_of_its_monitor(sam: httpx2.AsyncClient, outages: Outages) -> None:
    outages.fire()
    assert await found(sam, "q=mail+serv") == [1]


async def test_mails_are_found_by_their_sender_by_admins_alone(
    enter: Enter, house: House, clock: Clock
) -> None:
    raw = b"To: x\r\nFROM: Ada\r\n <ada@reader.example>\r\n\r\nFrom: eve@evil.example\r\n"
    receive_handed(house.store, raw, size=len(raw), now=clock())
    async with enter("jordan") as jordan, enter("sam") as sam:
        assert await found(jordan, "q=ada@reader") == [1]
        assert await found(jordan, "q=evil.example") == []
        assert await found(sam, "q=ada@reader") == []
        assert "Ada &lt;ada@reader.example&gt;" in (await jordan.get(f"{PAGE}/1")).text
        assert "ada@reader.example" not in (await sam.get(f"{PAGE}/1")).text


async def test_whose_mail_came_back_is_told_and_found_by_admins_alone(
    enter: Enter, house: House, clock: Clock
) -> None:
    said = "subscriber_update to ada.king@reader.example: 5.1.1 no ada.king@reader.example here"
    receive(house, clock, said, door=Door.MAIL, reason="bounce_hard")
    receive(house, clock, "no monitor is configured for `disk@host`")
    async with enter("jordan") as jordan, enter("sam") as sam:
        assert await found(jordan, "q=ada.king") == [1]
        assert await found(sam, "q=ada.king") == []
        assert await found(sam, "q=bounce") == [1]
        assert await found(sam, "q=disk@host") == [2]
        for page in (PAGE, f"{PAGE}/1"):
            assert "ada.king@reader.example" in (await jordan.get(page)).text
            text = (await sam.get(page)).text
            assert "ada" not in text
            assert "to a…@reader.example: 5.1.1 no a…@reader.example here" in text
        assert "<code>disk@host</code>" in (await sam.get(f"{PAGE}/2")).text


async def test_pages_of_what_is_found_keep_what_was_looked_for(
    sam: httpx2.AsyncClient, house: House, clock: Clock
) -> None:
    numbers = [receive(house, clock, "disk" if number % 2 else "") for number in range(2 * ROWS_SHOWN + 4)]
    text = (await sam.get(f"{PAGE}?q=disk&state=refused")).text
    link = text.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
    assert await found(sam, link.partition("?")[2]) == [numbers[3], numbers[1]]


async def test_it_is_said_how_far_back_is_looked(
    sam: httpx2.AsyncClient, house: House, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = receive(house, clock, "disk")
    monkeypatch.setattr(inbox_search, "SEARCHED", 3)
    assert await found(sam, "q=disk") == [old]
    for _ in range(3):
        receive(house, clock, "")
    assert await found(sam, "q=disk") == []
    text = (await sam.get(f"{PAGE}?q=disk")).text
    assert "among the newest 5,000" in text
    assert ">Search older<" in text
    link = text.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
    assert await found(sam, link.partition("?")[2]) == [old]
