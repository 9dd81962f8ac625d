"""How the status page shows components: in groups, with the days that they have behind them."""

import re
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest

from service.actions.house import House
from service.actions.recording_states import record_at_start
from service.web.public.routes import ROUTES as PUBLIC_ROUTES
from service.web.public.status_page import MOST_OPEN
from service.web.public.view import DAYS_OF_HISTORY
from tests.rooms import CONFIG, Clock, make_client, make_front, make_house
from tests.web.outages import Outages

pytestmark = pytest.mark.anyio
DAY = re.compile(r'<section class="day">\s*<h3><time datetime="([^"]*)"')


def start(house: House, clock: Clock) -> None:
    with house.store.transaction() as connection:
        record_at_start(connection, house.config, clock())


def open_groups(page: str) -> list[str]:
    """Name the groups that are open."""
    return re.findall(r'<details class="[^"]*group[^"]*"[^>]* open>\s*<summary[^>]*><h3>(.*?)</h3>', page)


async def test_a_component_shows_its_uptime_and_its_bad_days(
    reader: httpx2.AsyncClient, house: House, clock: Clock, outages: Outages
) -> None:
    start(house, clock)
    clock.move(timedelta(days=9, hours=10))
    incident = outages.published()
    clock.move(timedelta(hours=2))
    outages.close(incident)
    clock.move(timedelta(days=1))
    page = (await reader.get("/")).text
    assert "Email, since 24 Nov 2026: 99.20 % uptime. Not operational throughout on 2 days." in page
    assert "Calendar, since 24 Nov 2026: 100 % uptime. Operational throughout." in page
    assert '<time datetime="2026-12-03">3 Dec 2026</time>: major outage for 1 h' in page
    assert '<time datetime="2026-12-04">4 Dec 2026</time>: major outage for 1 h' in page


async def test_a_figure_says_from_which_day_on_it_is_until_it_is_of_ninety(
    reader: httpx2.AsyncClient, house: House, clock: Clock
) -> None:
    start(house, clock)
    page = " ".join(re.sub("<[^>]*>", "", (await reader.get("/")).text).split())
    assert "100 % uptime" not in page, "nothing is known before a moment has passed"
    clock.move(timedelta(minutes=13))
    outages = Outages(house, clock)
    outages.close(outages.published())
    page = " ".join(re.sub("<[^>]*>", "", (await reader.get("/")).text).split())
    assert "100 % uptime since 24 Nov" in page
    clock.move(timedelta(days=89))
    outages.close(outages.published())
    page = " ".join(re.sub("<[^>]*>", "", (await reader.get("/")).text).split())
    assert "since" not in page
    assert "100 % uptimein 90 days" in page


async def test_days_before_the_first_record_are_not_said_to_be_quiet(
    reader: httpx2.AsyncClient, house: House, clock: Clock, outages: Outages
) -> None:
    start(house, clock)
    assert DAY.findall((await reader.get("/")).text) == ["2026-11-24"]
    clock.move(timedelta(days=2))
    outages.close(outages.published())
    page = (await reader.get("/")).text
    assert DAY.findall(page) == ["2026-11-26", "2026-11-25", "2026-11-24"]
    assert "The last 3 days" in page
    clock.move(timedelta(days=30))
    outages.close(outages.published())
    assert len(DAY.findall((await reader.get("/")).text)) == DAYS_OF_HISTORY


async def test_without_a_record_there_are_no_bars(reader: httpx2.AsyncClient) -> None:
    assert '<svg class="bars"' not in (await reader.get("/")).text


async def test_groups_of_a_small_page_are_open(reader: httpx2.AsyncClient) -> None:
    assert open_groups((await reader.get("/")).text) == ["Office", "Platform"]


async def test_on_a_large_page_only_groups_with_something_to_say_are_open(
    tmp_path: Path, clock: Clock
) -> None:
    more = "".join(f'  - {{name: "Region {number}", group: Regions}}\n' for number in range(MOST_OPEN))
    house = make_house(tmp_path, CONFIG.replace("monitors:", f"{more}monitors:", 1))
    Outages(house, clock).published()
    async with make_client(make_front(house, clock), PUBLIC_ROUTES) as reader:
        assert open_groups((await reader.get("/")).text) == ["Office"]
    house.store.close()
