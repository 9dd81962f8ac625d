"""Finding what arrived in a span of time, in whichever zone it is typed, and by the entity of an alert."""

import html
from datetime import UTC, datetime

import httpx2
import pytest

from service.actions.house import House
from service.jobs import decide_what_is_due
from service.store import inbox_rows
from service.store.inbox_rows import Arrival, Door, InboxState
from service.web.dashboard.inbox import ROWS_SHOWN
from tests.rooms import Clock
from tests.web.dashboard.test_inbox_search import PAGE, found, receive

pytestmark = pytest.mark.anyio


def at(house: House, *moments: str) -> None:
    """Store a post that was received at each moment, which are in UTC."""
    times = (datetime.fromisoformat(one).replace(tzinfo=UTC) for one in moments)
    posts = [Arrival(Door.WEBHOOK, one, b"{}", "victorops", state=InboxState.DONE) for one in times]
    with house.store.transaction() as connection:
        inbox_rows.add_many(connection, posts)


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("from=2026-11-23T10:00", [3, 2]),  # of the site's zone, Europe/Berlin
        ("from=2026-11-23T10:00&zone=UTC", [3]),
        ("from=2026-11-23+18:00&zone=Asia/Tokyo", [3, 2]),
        ("until=2026-11-23T10:30", [2, 1]),
        ("until=2026-11-23T10:29", [1]),
        ("from=2026-11-23&until=2026-11-23", [2, 1]),
        ("from=2026-11-23&until=2026-11-23&zone=Asia/Tokyo", [2, 1]),
        ("from=2026-11-24&until=2026-11-24&zone=Asia/Tokyo", [3]),
        ("from=2026-11-23T10:30%2B01:00&until=2026-11-23T09:30Z&zone=Asia/Tokyo", [2]),
        ("from=2026-11-24&until=2026-11-30", [3]),
        ("until=2025-01-01", []),
        ("zone=Asia/Tokyo", [3, 2, 1]),
        ("from=&until=&zone=", [3, 2, 1]),
    ],
)
async def test_a_span_is_of_the_zone_that_is_named_and_holds_the_minutes_that_were_typed(
    sam: httpx2.AsyncClient, house: House, query: str, numbers: list[int]
) -> None:
    at(house, "2026-11-22T23:30:40", "2026-11-23T09:30:40", "2026-11-24T09:30:40")
    assert await found(sam, query) == numbers


async def test_an_hour_that_comes_twice_is_found_whole_and_one_that_never_comes_loses_nothing(
    sam: httpx2.AsyncClient, house: House
) -> None:
    at(house, "2026-03-29T01:15", "2026-10-25T00:30", "2026-10-25T01:30", "2026-10-25T02:30")
    assert await found(sam, "from=2026-10-25T02:30&until=2026-10-25T02:30") == [3, 2]
    assert await found(sam, "from=2026-03-29T02:30&until=2026-03-29T03:15") == [1]


@pytest.mark.parametrize(
    ("query", "name", "said"),
    [
        ("from=yesterday", "from", "This is no time"),
        ("until=2026-11-23T25:00", "until", "This is no time"),
        ("from=1999-12-31", "from", "This is no time"),
        ("until=9999-12-31", "until", "This is no time"),
        ("from=0001-01-01", "from", "This is no time"),
        ("from=2026-11-23&zone=Atlantis", "zone", "This is no time zone"),
        ("from=2026-11-23&zone=../UTC", "zone", "This is no time zone"),
        ("from=2026-11-23&zone=Europe", "zone", "This is no time zone"),
        ("from=2026-11-24&until=2026-11-23", "until", "before the time from which"),
    ],
)
async def test_what_cannot_be_read_is_said_beside_it_and_nothing_is_looked_for(
    sam: httpx2.AsyncClient, house: House, query: str, name: str, said: str
) -> None:
    at(house, "2026-11-23T09:30")
    answer = await sam.get(f"{PAGE}?{query}")
    assert answer.status_code == 422
    assert said in html.unescape(answer.text.partition(f'id="{name}-problem">')[2].partition("</p>")[0])
    assert f'aria-describedby="{name}-problem"' in answer.text
    assert "Nothing was looked for" in answer.text
    assert '<details class="fold" open>' in answer.text
    assert 'class="line__tag"' not in answer.text


async def test_the_form_shows_what_was_typed_and_a_script_names_the_readers_zone_only_before(
    sam: httpx2.AsyncClient,
) -> None:
    fresh = (await sam.get(PAGE)).text
    assert 'value="Europe/Berlin" data-zone' in fresh
    searched = (await sam.get(f"{PAGE}?from=2026-11-23&until=2026-11-23T10:30&zone=Asia/Tokyo")).text
    assert 'value="2026-11-23T00:00"' in searched
    assert 'value="2026-11-23T10:30"' in searched
    assert 'value="Asia/Tokyo" list=' in searched
    assert "from 2026-11-23 00:00 until 2026-11-23 10:30</span></summary>" in searched


async def test_the_next_page_is_of_the_same_span_in_the_same_zone(
    sam: httpx2.AsyncClient, house: House
) -> None:
    at(house, "2026-11-22T23:30", *["2026-11-23T09:30"] * (ROWS_SHOWN + 1), "2026-11-25T09:30")
    text = (await sam.get(f"{PAGE}?from=2026-11-23T01:00&until=2026-11-23&zone=Europe/Paris&entity=")).text
    link = text.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
    assert "entity" not in link
    assert await found(sam, link.partition("?")[2]) == [2]


async def test_a_post_is_found_by_its_entity_to_which_its_page_leads(
    sam: httpx2.AsyncClient, house: House, clock: Clock
) -> None:
    for entity in ("disk/1 & 2", "disk/1", "disk/1 & 2"):
        raw = f'{{monitorName: "Nobody", state: "CRITICAL", entityId: "{entity}"}}'.encode()
        with house.store.transaction() as connection:
            inbox_rows.add_many(connection, [Arrival(Door.WEBHOOK, clock(), raw, "victorops")])
    decide_what_is_due(house, clock())
    receive(house, clock, "disk/1")
    assert await found(sam, "entity=disk/1") == [2]
    page = (await sam.get(f"{PAGE}/3")).text
    link = page.partition('href="/dashboard/inbox?')[2].partition('"')[0].replace("&amp;", "&")
    assert await found(sam, link) == [3, 1]
    assert await found(sam, f"{link}&state=done") == []
    assert await found(sam, f"{link}&q=nobody&before=3") == [1]
