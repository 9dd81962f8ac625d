"""/calendar.ics: whether calendars understand it, and know a maintenance again that has changed."""

from datetime import timedelta
from typing import Any

import httpx2
import pytest
from icalendar import Calendar

from service.actions import maintaining
from service.actions.house import House
from service.workflow.maintenance import Plan
from tests.rooms import Clock

pytestmark = pytest.mark.anyio

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
TRICKY = "Upgrade; phase 1, \\n of \u00fcberm\u00e4\u00dfig langem Text \U0001f6a7" + " und so weiter" * 20


def plan(
    house: House, clock: Clock, subject: str = "Upgrade", message: str = "We upgrade.\n\nMail may be slow."
) -> int:
    """Plan a maintenance for tomorrow."""
    at = clock() + DAY
    wanted = Plan(subject, message, ("Email",), at, at + 2 * HOUR)
    return maintaining.plan(house, wanted, house.config.employees["sam"], clock()).maintenance.id


async def events(reader: httpx2.AsyncClient) -> list[Any]:
    answer = await reader.get("/calendar.ics")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    return Calendar.from_ical(answer.content).walk("VEVENT")


async def test_a_calendar_of_a_quiet_site_is_empty_and_never_changes(
    reader: httpx2.AsyncClient, clock: Clock
) -> None:
    first = await reader.get("/calendar.ics")
    clock.move(100 * DAY)
    assert (await reader.get("/calendar.ics")).content == first.content
    assert await events(reader) == []
    lines = first.text.split("\r\n")
    zone = lines[lines.index("BEGIN:VTIMEZONE") : lines.index("END:VTIMEZONE")]
    assert {"TZID:UTC", "DTSTART:19700101T000000", "TZOFFSETFROM:+0000", "TZOFFSETTO:+0000"} <= set(zone), (
        "RFC 5545 section 3.6 wants one component at least"
    )
    assert {"VERSION:2.0", "REFRESH-INTERVAL;VALUE=DURATION:PT15M", "NAME:Acme Status"} <= set(lines)


async def test_an_event_has_what_the_rfc_demands(
    reader: httpx2.AsyncClient, house: House, clock: Clock
) -> None:
    plan(house, clock)
    (event,) = await events(reader)
    assert event["uid"] == "maintenance-1@status.acme.example"
    assert (event.decoded("dtstart"), event.decoded("dtend")) == (clock() + DAY, clock() + DAY + 2 * HOUR)
    assert event.decoded("dtstamp") == clock()
    assert event["summary"] == "Upgrade"
    assert event["description"].startswith("We upgrade.\n\nMail may be slow.")
    assert event["url"] == "http://status.acme.example/maintenance/1"
    assert event["status"] == "CONFIRMED"
    raw = (await reader.get("/calendar.ics")).text
    assert "DTSTART:20261125T120000Z" in raw


async def test_a_description_is_plain_text_with_the_addresses_of_its_links(
    reader: httpx2.AsyncClient, house: House, clock: Clock
) -> None:
    plan(house, clock, message="We **upgrade**:\n\n- [the plan](https://x.example/plan)\n- ~~no~~ `disks`")
    (event,) = await events(reader)
    assert event["description"] == (
        "We upgrade:\n\n- the plan (https://x.example/plan)\n- no disks\n\nhttp://status.acme.example/maintenance/1"
    )


async def test_hostile_texts_are_escaped_and_folded(
    reader: httpx2.AsyncClient, house: House, clock: Clock
) -> None:
    plan(house, clock, TRICKY)
    (event,) = await events(reader)
    assert event["summary"] == TRICKY
    raw = (await reader.get("/calendar.ics")).content
    assert max(len(line) for line in raw.split(b"\r\n")) <= 75
    assert b"\n" not in raw.replace(b"\r\n", b"")


async def test_control_characters_stay_out(reader: httpx2.AsyncClient, house: House, clock: Clock) -> None:
    plan(house, clock, "Up\x00grade\x1b\rBEGIN:VEVENT")
    (event,) = await events(reader)
    assert event["summary"] == "UpgradeBEGIN:VEVENT"


async def test_a_change_has_the_same_uid_and_a_higher_sequence(
    reader: httpx2.AsyncClient, house: House, clock: Clock
) -> None:
    number, sam = plan(house, clock), house.config.employees["sam"]
    (planned,) = await events(reader)
    clock.move(HOUR)
    maintaining.cancel(house, number, sam, clock())
    (cancelled,) = await events(reader)
    assert cancelled["uid"] == planned["uid"]
    assert cancelled["sequence"] > planned["sequence"]
    assert cancelled["status"] == "CANCELLED"
    assert cancelled.decoded("last-modified") == clock()


async def test_what_ended_long_ago_is_no_longer_there(
    reader: httpx2.AsyncClient, house: House, clock: Clock
) -> None:
    number = plan(house, clock)
    for hours in (24, 2):
        clock.move(hours * HOUR)
        maintaining.fire_maintenance_timer(house, number, clock())
    clock.move(90 * DAY)
    assert [event["uid"] for event in await events(reader)] == ["maintenance-1@status.acme.example"]
    clock.move(DAY)
    assert await events(reader) == []
