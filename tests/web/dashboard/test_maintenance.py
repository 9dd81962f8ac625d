"""Planned work on the dashboard: planning, what is shown of it, and what is ordered about it."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx2
import pytest

from service.actions import maintaining
from service.actions.house import House
from service.model import Maintenance, MaintenancePhase
from service.store import maintenances, narrative
from service.workflow.maintenance import Plan
from tests.rooms import Clock
from tests.web.employees import Enter

pytestmark = pytest.mark.anyio

PAGE = "/dashboard/maintenance"
TYPED = {
    "subject": "Database  upgrade",
    "message": "We move to **faster disks**.",
    "component:Email": "1",
    "component:Nothing": "1",
    "starts_at": "2026-11-25T13:00",
    "ends_at": "2026-11-25T15:00",
    "remind": "4h",
    "closing_comment": "",
    "audience": "Partners, , Partners",
}


def known(house: House) -> list[Maintenance]:
    with house.store.reading() as connection:
        return list(maintenances.listed(connection, limit=100))


def told(house: House) -> list[str]:
    """Give the texts that subscribers of the newest one read, oldest first."""
    with house.store.reading() as connection:
        number = maintenances.listed(connection, limit=1)[0].id
        return [one.body for one in narrative.updates_of_maintenances(connection, [number])[number]]


@pytest.fixture
def planned(house: House, clock: Clock) -> Maintenance:
    """Give one that Jordan planned for tomorrow."""
    start = clock() + timedelta(hours=24)
    plan = Plan(
        "Upgrade", "We upgrade.", ("Email",), start, start + timedelta(hours=2), start - timedelta(hours=1)
    )
    return maintaining.plan(house, plan, house.config.employees["jordan"], clock()).maintenance


async def order(client: httpx2.AsyncClient, name: str, **form: str) -> str:
    """Order something about the first one, and read the page that it leads to."""
    answer = await client.post(f"{PAGE}/1/{name}", data=form)
    if answer.status_code != 303:
        return answer.text
    return (await client.get(answer.headers["location"])).text


async def test_what_is_typed_is_planned_in_the_sites_time_zone(sam: httpx2.AsyncClient, house: House) -> None:
    assert 'type="datetime-local"' in (await sam.get(f"{PAGE}/plan")).text
    answer = await sam.post(f"{PAGE}/plan", data=TYPED)
    shown = (await sam.get(answer.headers["location"])).text
    assert "It is planned, and subscribers are being told." in shown
    (one,) = known(house)
    assert (one.subject, one.components, one.audience) == ("Database upgrade", ("Email",), ("Partners",))
    assert (one.starts_at, one.ends_at) == (
        datetime(2026, 11, 25, 12, tzinfo=UTC),
        datetime(2026, 11, 25, 14, tzinfo=UTC),
    )
    assert (one.remind_at, one.planned_by) == (datetime(2026, 11, 25, 8, tzinfo=UTC), "sam")


async def test_a_plan_that_is_sent_twice_is_planned_once(sam: httpx2.AsyncClient, house: House) -> None:
    await sam.post(f"{PAGE}/plan", data=TYPED)
    again = await sam.post(f"{PAGE}/plan", data=TYPED)
    assert again.status_code == 422
    assert "#1 is the same maintenance: it is planned already; nothing was changed." in again.text
    await order(sam, "start")
    now = known(house)[0]
    anew = TYPED | {"starts_at": now.starts_at.isoformat()}
    again = await sam.post(f"{PAGE}/plan", data=anew)
    assert "#1 is the same maintenance: it is going on already; nothing was changed." in again.text
    assert known(house) == [now]


async def test_an_update_that_is_sent_twice_is_posted_once(
    sam: httpx2.AsyncClient, house: House, planned: Maintenance
) -> None:
    await order(sam, "update", text="We begin soon.")
    again = await sam.post(f"{PAGE}/{planned.id}/update", data={"text": "We begin soon."})
    assert again.status_code == 409
    assert "#1 says just that already; nothing was changed." in again.text
    assert told(house) == ["We upgrade.", "We begin soon."]


async def test_every_component_may_be_ticked_however_many_there_are(
    sam: httpx2.AsyncClient, house: House
) -> None:
    ticked = {f"component:Server {number}": "1" for number in range(200)}
    answer = await sam.post(f"{PAGE}/plan", data=TYPED | ticked)
    assert answer.status_code == 303
    assert known(house)[0].components == ("Email",)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"subject": " "}, "Say in a few words what is done."),
        ({"subject": "x" * 501}, "at most 500 fit"),
        ({"message": ""}, "Write what subscribers shall read."),
        ({"message": "x" * 20_001}, "at most 20,000 can be sent"),
        ({"closing_comment": "x" * 20_001}, "at most 20,000 can be sent"),
        ({"starts_at": ""}, "Choose a day and a time."),
        ({"starts_at": "tomorrow"}, "This is not a date and time"),
        ({"ends_at": "2027-03-28T02:30"}, "This does not exist in Europe/Berlin"),
        ({"ends_at": "2026-11-25T13:00"}, "It must end after it begins."),
        ({"starts_at": "2026-11-24T12:00"}, "That time is past"),
        ({"starts_at": "2026-11-20T12:00", "ends_at": "2026-11-20T13:00"}, "That time is past"),
    ],
)
async def test_what_cannot_be_planned_is_shown_again_with_what_to_mend(
    changed: dict[str, str], said: str, sam: httpx2.AsyncClient, house: House
) -> None:
    answer = await sam.post(f"{PAGE}/plan", data=TYPED | {"audience": "Friends"} | changed)
    assert answer.status_code == 422
    assert said in answer.text
    assert 'value="Friends"' in answer.text
    assert known(house) == []


async def test_the_list_shows_what_is_ahead_and_what_is_over(
    sam: httpx2.AsyncClient, house: House, planned: Maintenance, clock: Clock
) -> None:
    shown = (await sam.get(PAGE)).text
    assert "Upgrade" in shown
    assert "begins <strong>in 1 d</strong>" in re.sub(r"</?time[^>]*>", "", shown)
    maintaining.cancel(house, planned.id, house.config.employees["jordan"], clock())
    shown = (await sam.get(PAGE)).text
    assert "Nothing is planned." in shown
    assert "called off" in shown


async def test_older_ones_are_on_further_pages(
    sam: httpx2.AsyncClient, house: House, planned: Maintenance, clock: Clock
) -> None:
    jordan = house.config.employees["jordan"]
    maintaining.cancel(house, planned.id, jordan, clock())
    wanted = replace(maintaining.plan_of(planned), subject="Another")
    for _ in range(30):
        later = maintaining.plan(house, wanted, jordan, clock())
        maintaining.cancel(house, later.maintenance.id, jordan, clock())
    shown = (await sam.get(PAGE)).text
    assert f'href="{PAGE}?before=7"' in shown
    assert "Upgrade" in (await sam.get(f"{PAGE}?before=7")).text


@pytest.mark.usefixtures("planned")
async def test_it_is_started_extended_told_of_and_ended(
    sam: httpx2.AsyncClient, house: House, clock: Clock
) -> None:
    assert "It has begun" in await order(sam, "start")
    assert "Its end was moved" in await order(sam, "extend", ends_at="2026-11-25T18:00")
    assert "The update is posted" in await order(sam, "update", text="Half done.")
    clock.move(timedelta(hours=1))
    shown = await order(sam, "end", comment="All done.")
    assert "It is over" in shown
    assert known(house)[0].phase is MaintenancePhase.DONE
    assert told(house) == [
        "We upgrade.",
        "This maintenance has begun.",
        "The end was moved: this maintenance is planned until 25 Nov 2026, 18:00 CET now.",
        "Half done.",
        "All done.",
    ]


async def test_one_that_is_moved_keeps_the_distance_of_its_reminder(
    sam: httpx2.AsyncClient, house: House, planned: Maintenance
) -> None:
    assert 'value="2026-11-25T13:00"' in (await sam.get(f"{PAGE}/1")).text
    shown = await order(sam, "move", starts_at="2026-11-26T13:00", ends_at="2026-11-26T14:00")
    assert "It was moved" in shown
    assert planned.remind_at
    assert known(house)[0].remind_at == planned.remind_at + timedelta(hours=24)


AUTUMN = datetime(2027, 10, 31, tzinfo=UTC)
"""Clocks are put back at one o'clock UTC: in Berlin 02:30 is half an hour before and half an hour after it."""
FIRST, SECOND = AUTUMN + timedelta(minutes=30), AUTUMN + timedelta(minutes=90)
HALF_PAST_TWO = "2027-10-31T02:30"


async def test_in_the_hour_that_comes_twice_a_window_begins_in_the_first_and_ends_in_the_second(
    sam: httpx2.AsyncClient, house: House
) -> None:
    typed = TYPED | {"starts_at": HALF_PAST_TWO, "ends_at": HALF_PAST_TWO}
    answer = await sam.post(f"{PAGE}/plan", data=typed)
    shown = (await sam.get(answer.headers["location"])).text
    assert "02:30 comes twice that day: this is the first, +02:00." in shown
    assert "02:30 comes twice that day: this is the second, +01:00." in shown
    assert [(one.starts_at, one.ends_at) for one in known(house)] == [(FIRST, SECOND)]


async def test_a_field_that_is_left_as_it_was_keeps_its_moment_in_the_hour_that_comes_twice(
    sam: httpx2.AsyncClient, house: House, planned: Maintenance, clock: Clock
) -> None:
    maintaining.cancel(house, planned.id, house.config.employees["jordan"], clock())
    for subject, start, end in (
        ("Begins in the second", SECOND, SECOND + timedelta(hours=1)),
        ("Ends in the first", FIRST - timedelta(hours=1), FIRST),
    ):
        wanted = replace(maintaining.plan_of(planned), subject=subject, starts_at=start, ends_at=end)
        maintaining.plan(house, wanted, house.config.employees["jordan"], clock())
    shown = (await sam.get(f"{PAGE}/2")).text
    assert f'value="{HALF_PAST_TWO}"' in shown
    assert "this is the second, +01:00." in shown
    await sam.post(f"{PAGE}/2/move", data={"starts_at": HALF_PAST_TWO, "ends_at": "2027-10-31T05:00"})
    await sam.post(f"{PAGE}/3/move", data={"starts_at": "2027-10-31T00:30", "ends_at": HALF_PAST_TWO})
    ends_first, begins_second = known(house)[:2]
    assert (begins_second.starts_at, begins_second.ends_at) == (SECOND, datetime(2027, 10, 31, 4, tzinfo=UTC))
    assert (ends_first.starts_at, ends_first.ends_at) == (datetime(2027, 10, 30, 22, 30, tzinfo=UTC), FIRST)


@pytest.mark.usefixtures("planned")
async def test_one_that_is_on_is_extended_into_the_hour_that_comes_twice(
    sam: httpx2.AsyncClient, house: House
) -> None:
    await order(sam, "start")
    shown = await order(sam, "extend", ends_at=HALF_PAST_TWO)
    assert "Its end was moved" in shown
    assert "this is the second, +01:00." in shown
    assert known(house)[0].ends_at == SECOND
    assert "planned already" in await order(sam, "extend", ends_at=HALF_PAST_TWO)


@pytest.mark.parametrize(
    ("name", "form", "said"),
    [
        ("end", {}, "It has not begun; nothing was changed."),
        ("extend", {"ends_at": "2026-11-26T13:00"}, "It has not begun; nothing was changed."),
        ("extend", {}, "Choose a day and a time."),
        ("move", {"starts_at": "2026-11-26T13:00"}, "Choose a day and a time."),
        ("move", {"starts_at": "2026-11-25T13:00", "ends_at": "2026-11-25T15:00"}, "planned already"),
        ("update", {"text": " "}, "Write what subscribers shall read; nothing was sent."),
        ("update", {"text": "x" * 20_001}, "at most 20,000 can be sent"),
        ("end", {"comment": "x" * 20_001}, "at most 20,000 can be sent"),
    ],
)
async def test_what_cannot_be_done_is_said_and_changes_nothing(
    name: str, form: dict[str, str], said: str, sam: httpx2.AsyncClient, house: House, planned: Maintenance
) -> None:
    assert said in await order(sam, name, **form)
    assert known(house) == [planned]
    assert told(house) == ["We upgrade."]


async def test_a_text_that_comes_too_late_is_shown_again_with_what_happened_before(
    sam: httpx2.AsyncClient, house: House, clock: Clock, planned: Maintenance
) -> None:
    jordan = house.config.employees["jordan"]
    maintaining.start_now(house, planned.id, jordan, clock())
    maintaining.end_now(house, planned.id, jordan, "", clock())
    refused = await sam.post(f"{PAGE}/1/end", data={"comment": "We are <done>."})
    assert refused.status_code == 409
    assert "It is over already; nothing was changed." in refused.text
    assert "What you typed, which was not sent" in refused.text
    assert "We are &lt;done&gt;." in refused.text
    maintaining.plan(house, maintaining.plan_of(planned), jordan, clock())
    maintaining.cancel(house, 2, jordan, clock())
    refused = await sam.post(f"{PAGE}/2/update", data={"text": "A word more."})
    assert "It was called off; nothing was changed." in refused.text
    assert "A word more.</textarea>" in refused.text


@pytest.mark.usefixtures("planned")
async def test_one_is_called_off_once(sam: httpx2.AsyncClient, house: House) -> None:
    assert "It is called off" in await order(sam, "cancel")
    assert "It was called off; nothing was changed." in await order(sam, "cancel")
    assert told(house)[1:] == ["This maintenance is called off: it does not take place."]
    assert "<form" not in (await sam.get(f"{PAGE}/1")).text.replace('<form class="leave"', "")


@pytest.mark.usefixtures("planned")
async def test_a_viewer_looks_and_finds_no_forms(enter: Enter) -> None:
    async with enter("vera") as vera:
        for path in (PAGE, f"{PAGE}/1"):
            shown = await vera.get(path)
            assert shown.status_code == 200
            assert shown.text.count("<form") == 1  # that to log out
            assert "Plan maintenance" not in shown.text
        assert (await vera.get(f"{PAGE}/plan")).status_code == 403


@pytest.mark.parametrize("number", ["7", "x", "9" * 30])
async def test_what_is_not_there_is_not_found(number: str, sam: httpx2.AsyncClient) -> None:
    assert (await sam.get(f"{PAGE}/{number}")).status_code == 404
    assert (await sam.post(f"{PAGE}/{number}/start")).status_code == 404


async def test_what_is_typed_comes_out_as_text(sam: httpx2.AsyncClient) -> None:
    nasty = "<script>alert(1)</script>"
    answer = await sam.post(f"{PAGE}/plan", data=TYPED | {"subject": nasty, "message": nasty})
    shown = (await sam.get(answer.headers["location"])).text
    assert "alert(1)" in shown
    assert nasty not in shown
