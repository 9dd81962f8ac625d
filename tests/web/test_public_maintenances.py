"""What the public reads of maintenances: ahead, on, and over."""

from datetime import timedelta

import httpx2
import pytest

from service.actions import maintaining
from service.actions.house import House
from service.model import Maintenance
from service.workflow.maintenance import Plan
from tests.rooms import Clock
from tests.web.outages import Outages

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)
SUBJECT = "Database upgrade"
FAR = timedelta(days=40)


@pytest.fixture
def work(house: House, clock: Clock) -> Maintenance:
    """Give a maintenance that begins in an hour and ends two hours later."""
    plan = Plan(SUBJECT, "It may be **slow**.", ("Email",), clock() + HOUR, clock() + 3 * HOUR)
    return maintaining.plan(house, plan, house.config.employees["jordan"], clock()).maintenance


def pass_time(house: House, clock: Clock, work: Maintenance, span: timedelta) -> None:
    clock.move(span)
    maintaining.fire_maintenance_timer(house, work.id, clock())


async def test_what_is_planned_is_announced_and_all_is_still_well(
    reader: httpx2.AsyncClient, work: Maintenance
) -> None:
    page = (await reader.get("/")).text
    assert "Scheduled maintenance" in page
    assert "It may be <strong>slow</strong>." in page
    assert "24 Nov 2026, 14:00 CET" in page
    assert "<h1>All systems operational</h1>" in page


async def test_while_it_is_on_its_components_are_under_maintenance(
    reader: httpx2.AsyncClient, work: Maintenance, house: House, clock: Clock
) -> None:
    pass_time(house, clock, work, HOUR)
    page = (await reader.get("/")).text
    assert "<h1>Under maintenance: Email</h1>" in page
    assert "Maintenance now" in page
    assert "Scheduled maintenance" not in page


async def test_an_incident_beside_it_says_worse(
    reader: httpx2.AsyncClient, work: Maintenance, house: House, clock: Clock, outages: Outages
) -> None:
    incident = outages.fire()
    pass_time(house, clock, work, HOUR)
    outages.publish(incident)
    assert "<h1>Major outage: Email</h1>" in (await reader.get("/")).text


@pytest.mark.parametrize("path", ["/", "/history"])
async def test_what_is_done_is_history(
    path: str, reader: httpx2.AsyncClient, work: Maintenance, house: House, clock: Clock
) -> None:
    pass_time(house, clock, work, HOUR)
    pass_time(house, clock, work, 2 * HOUR)
    page = (await reader.get(path)).text
    assert f'<a href="/maintenance/{work.id}">{SUBJECT}</a>' in page
    assert "Completed" in page
    assert "Maintenance now" not in page


@pytest.mark.parametrize("path", ["/", "/history"])
async def test_what_is_called_off_is_no_history(
    path: str, reader: httpx2.AsyncClient, work: Maintenance, house: House, clock: Clock
) -> None:
    maintaining.cancel(house, work.id, house.config.employees["jordan"], clock())
    assert SUBJECT not in (await reader.get(path)).text
    assert "Cancelled" in (await reader.get(f"/maintenance/{work.id}")).text


async def test_its_page_follows_it_to_its_end(
    reader: httpx2.AsyncClient, work: Maintenance, house: House, clock: Clock
) -> None:
    path = f"/maintenance/{work.id}"
    for words, span in (("Scheduled", HOUR), ("In progress", 2 * HOUR), ("Completed", FAR)):
        page = (await reader.get(path)).text
        assert words in page
        assert SUBJECT in page
        pass_time(house, clock, work, span)
    assert "Completed" in (await reader.get(path)).text


@pytest.mark.parametrize("number", ["0", "2", "x", "01", "9" * 30])
async def test_a_maintenance_that_is_not_there_is_not_found(
    number: str, reader: httpx2.AsyncClient, work: Maintenance
) -> None:
    answer = await reader.get(f"/maintenance/{number}")
    assert answer.status_code == 404
    assert "There is no maintenance at this address." in answer.text
