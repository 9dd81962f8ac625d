"""Finding incidents on the dashboard: what is asked for is kept, and how far was looked is said."""

import re

import httpx2
import pytest

from service.store import incident_search
from service.web.dashboard import incident_list
from tests.rooms import Clock
from tests.web.outages import ECHO, Outages

pytestmark = pytest.mark.anyio

PAGE = "/dashboard/incidents"


async def found(client: httpx2.AsyncClient, query: str) -> list[int]:
    """Give the numbers of what is found, as the page shows them."""
    text = (await client.get(f"{PAGE}?{query}")).text
    return [int(number) for number in re.findall(r'line__tag">INC-([0-9]+)<', text)]


def following(text: str) -> str:
    """Give the query of the link that leads on."""
    link = text.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
    return link.partition("?")[2]


@pytest.fixture
def three(outages: Outages, clock: Clock) -> None:
    """Let three incidents happen, on two days: one ends, one is published, one waits."""
    outages.discard(outages.fire(ECHO, subject="No <calendar>", message="M"))
    clock.now = clock.now.replace(day=25, hour=22, minute=59)
    outages.published(ECHO, subject="Slow", message="M")
    clock.now = clock.now.replace(hour=23, minute=0)
    outages.fire()


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("", [3, 2, 1]),
        ("q=calendar", [1]),
        ("q=email+serv", [3]),
        ("q=inc-2", [2]),
        ("phase=undecided", []),
        ("phase=waiting", [3]),
        ("phase=public", [2]),
        ("phase=ended&q=calendar", [1]),
        ("phase=ended&q=slow", []),
        ("component=Email", [3]),
        ("component=Gone", []),
        ("to=2026-11-24", [1]),
        ("from=2026-11-25&to=2026-11-25", [2]),
        ("from=2026-11-26", [3]),
        ("phase=x&before=z&from=yesterday&to=0001-01-01&nonsense=1", [3, 2, 1]),
        ("from=9999-12-31", [3, 2, 1]),
        ("from=0002-01-01&to=9998-12-31", [3, 2, 1]),
    ],
)
async def test_they_are_found_by_words_phase_component_and_the_sites_days(
    sam: httpx2.AsyncClient, query: str, numbers: list[int]
) -> None:
    assert await found(sam, query) == numbers


@pytest.mark.usefixtures("three")
async def test_the_page_of_a_component_leads_to_its_incidents(sam: httpx2.AsyncClient) -> None:
    text = (await sam.get("/dashboard/components/email")).text
    address = text.partition(f'href="{PAGE}?')[2].partition('"')[0]
    assert address == "component=Email"
    assert await found(sam, address) == [3]


@pytest.mark.usefixtures("three")
async def test_what_was_asked_for_stands_in_the_form(sam: httpx2.AsyncClient) -> None:
    asked = {"q": '<"x">', "phase": "ended", "component": "Gone", "from": "2026-11-24", "to": "2026-11-25"}
    text = (await sam.get(PAGE, params=asked)).text
    assert 'value="&lt;&#34;x&#34;&gt;"' in text
    assert '<option value="ended" selected>' in text
    assert '<option value="Gone" selected>' in text
    assert 'type="date" value="2026-11-24"' in text
    assert "No incident is found by that." in text


async def test_the_next_page_keeps_what_was_looked_for(
    sam: httpx2.AsyncClient, outages: Outages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incident_list, "FOUND_SHOWN", 2)
    for number in range(7):
        outages.fire(ECHO, subject="disk & mail" if number % 2 else "calendar", message="M")
    query = "q=disk+%26&phase=undecided"
    assert await found(sam, query) == [6, 4]
    text = (await sam.get(f"{PAGE}?{query}")).text
    assert "Show older" in text
    assert await found(sam, following(text)) == [2]


async def test_it_is_said_how_far_was_looked_and_older_ones_are_offered(
    sam: httpx2.AsyncClient, outages: Outages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incident_search, "SEARCHED", 3)
    monkeypatch.setattr(incident_list, "SEARCHED", 3)
    outages.fire(ECHO, subject="disk", message="M")
    for _ in range(4):
        outages.fire(ECHO, subject="calendar", message="M")
    text = (await sam.get(f"{PAGE}?q=disk")).text
    assert "up to 3 incidents are looked through at a time" in text
    assert "None is among the newest incidents that were looked through." in text
    assert "Looked through down to INC-3" in text
    assert ">Search older<" in text
    assert await found(sam, following(text)) == [1]


async def test_the_first_one_says_what_will_stand_there(sam: httpx2.AsyncClient) -> None:
    assert "Nothing has happened yet." in (await sam.get(PAGE)).text
