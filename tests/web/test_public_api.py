"""/api/v2: the shape that clients of Statuspage expect, what stands for what, and what never appears."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.actions import deciding, maintaining
from service.actions.house import House
from service.model import UpdateStatus
from service.store import incidents
from service.web.public.pages import render_all
from service.web.public.renderers import RENDERERS
from service.web.public.routes import ROUTES as PUBLIC_ROUTES
from service.workflow.maintenance import Plan
from tests.rooms import CONFIG, Clock, make_client, make_front, make_house
from tests.web.outages import ECHO, ECHO_MONITOR, Outages
from tests.web.statuspage_shape import ANSWERS, faults

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


async def read(reader: httpx2.AsyncClient, name: str) -> dict[str, Any]:
    answer = await reader.get(f"/api/v2/{name}.json")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def plan(house: House, clock: Clock) -> int:
    """Plan a maintenance for tomorrow."""
    begins = clock() + DAY
    wanted = Plan("Upgrade", "We upgrade.", ("API", "Email"), begins, begins + 2 * HOUR)
    return maintaining.plan(house, wanted, house.config.employees["sam"], clock()).maintenance.id


def nothing(_outages: Outages) -> None:
    """Let all be well."""


def an_outage(outages: Outages) -> None:
    outages.tell(outages.published(), "We watch.", UpdateStatus.MONITORING)
    outages.close(outages.published(ECHO, subject="Slow", message="x"))


def a_maintenance_ahead(outages: Outages) -> None:
    plan(outages.house, outages.clock)


def a_maintenance_that_is_on(outages: Outages) -> None:
    number = plan(outages.house, outages.clock)
    outages.clock.move(DAY)
    maintaining.fire_maintenance_timer(outages.house, number, outages.clock())


@pytest.mark.parametrize("name", ANSWERS)
@pytest.mark.parametrize("happen", [nothing, an_outage, a_maintenance_ahead, a_maintenance_that_is_on])
@pytest.mark.anyio
async def test_every_answer_has_the_shape_of_statuspages(
    name: str, happen: Callable[[Outages], None], reader: httpx2.AsyncClient, outages: Outages
) -> None:
    happen(outages)
    assert faults(await read(reader, name), ANSWERS[name]) == []


@pytest.mark.anyio
async def test_any_site_may_read_it(reader: httpx2.AsyncClient) -> None:
    headers = (await reader.get("/api/v2/summary.json")).headers
    assert headers["access-control-allow-origin"] == "*"
    assert headers["content-type"] == "application/json; charset=utf-8"


@pytest.mark.anyio
async def test_what_is_not_there_is_told_in_json(reader: httpx2.AsyncClient) -> None:
    answer = await reader.get("/api/v2/nothing.json")
    assert (answer.status_code, list(answer.json())) == (404, ["error"])


@pytest.mark.parametrize(
    ("state", "indicator", "description", "impact"),
    [
        ("operational", "none", "All Systems Operational", "none"),
        ("degraded_performance", "minor", "Partially Degraded Service", "minor"),
        ("partial_outage", "major", "Partial System Outage", "major"),
        ("major_outage", "critical", "Major Service Outage", "critical"),
    ],
)
@pytest.mark.anyio
async def test_the_worst_state_is_the_indicator_and_the_impact(
    state: str, indicator: str, description: str, impact: str, tmp_path: Path, clock: Clock
) -> None:
    house = make_house(tmp_path, CONFIG.replace("{Email: major_outage}", f"{{Email: {state}}}"))
    Outages(house, clock).published()
    async with make_client(make_front(house, clock), PUBLIC_ROUTES) as reader:
        found = await read(reader, "summary")
    house.store.close()
    assert found["status"] == {"indicator": indicator, "description": description}
    assert found["incidents"][0]["impact"] == impact


@pytest.mark.anyio
async def test_an_incident_from_its_first_word_to_its_last(
    reader: httpx2.AsyncClient, outages: Outages, clock: Clock
) -> None:
    incident = outages.published()
    (open_one,) = (await read(reader, "incidents/unresolved"))["incidents"]
    clock.move(HOUR)
    outages.tell(incident, "We watch.", UpdateStatus.MONITORING)
    clock.move(HOUR)
    outages.close(incident)
    assert (await read(reader, "incidents/unresolved"))["incidents"] == []
    (over,) = (await read(reader, "incidents"))["incidents"]
    assert {name: over[name] for name in ("id", "created_at", "started_at", "shortlink", "impact")} == {
        "id": open_one["id"],
        "created_at": "2026-11-24T13:00:00.000+01:00",
        "started_at": "2026-11-24T13:00:00.000+01:00",
        "shortlink": "http://status.acme.example/incidents/1",
        "impact": "critical",
    }
    assert (open_one["status"], open_one["resolved_at"]) == ("investigating", None)
    assert (over["status"], over["monitoring_at"], over["resolved_at"]) == (
        "resolved",
        "2026-11-24T14:00:00.000+01:00",
        "2026-11-24T15:00:00.000+01:00",
    )
    told = [(one["status"], one["body"]) for one in over["incident_updates"]]
    assert told == [
        ("resolved", "Email works again."),
        ("monitoring", "We watch."),
        ("investigating", "We are looking into **Email Server**."),
    ]
    changes = [one["affected_components"][0] for one in over["incident_updates"]]
    assert [(one["old_status"], one["new_status"]) for one in changes] == [
        ("major_outage", "operational"),
        ("major_outage", "major_outage"),
        ("operational", "major_outage"),
    ]
    assert over["incident_updates"][-1]["id"] == open_one["incident_updates"][0]["id"]


@pytest.mark.anyio
async def test_components_stand_in_their_groups(reader: httpx2.AsyncClient, outages: Outages) -> None:
    outages.published()
    found = (await read(reader, "components"))["components"]
    assert [(one["name"], one["group"], one["position"], one["status"]) for one in found] == [
        ("Office", True, 1, "major_outage"),
        ("Email", False, 1, "major_outage"),
        ("Calendar", False, 2, "operational"),
        ("Platform", True, 2, "operational"),
        ("API", False, 1, "operational"),
    ]
    office, email, calendar, *_ = found
    assert office["components"] == [email["id"], calendar["id"]]
    assert {email["group_id"], calendar["group_id"]} == {office["id"]}
    assert len({one["id"] for one in found}) == 5


@pytest.mark.anyio
async def test_a_maintenance_is_upcoming_then_active_then_over(
    reader: httpx2.AsyncClient, house: House, clock: Clock
) -> None:
    number = plan(house, clock)

    async def where() -> list[str]:
        names = ("scheduled-maintenances/upcoming", "scheduled-maintenances/active", "summary")
        lists = [(await read(reader, name))["scheduled_maintenances"] for name in names]
        return [one[0]["status"] if one else "" for one in lists]

    assert await where() == ["scheduled", "", "scheduled"]
    clock.move(DAY)
    maintaining.fire_maintenance_timer(house, number, clock())
    assert await where() == ["", "in_progress", "in_progress"]
    status = (await read(reader, "status"))["status"]
    assert status == {"indicator": "maintenance", "description": "Service Under Maintenance"}
    clock.move(HOUR * 2)
    maintaining.fire_maintenance_timer(house, number, clock())
    assert await where() == ["", "", ""]
    (over,) = (await read(reader, "scheduled-maintenances"))["scheduled_maintenances"]
    assert (over["status"], over["scheduled_for"], over["resolved_at"]) == (
        "completed",
        "2026-11-25T13:00:00.000+01:00",
        "2026-11-25T15:00:00.000+01:00",
    )


@pytest.mark.anyio
async def test_one_that_was_called_off_is_completed_and_says_so(
    reader: httpx2.AsyncClient, house: House, clock: Clock
) -> None:
    maintaining.cancel(house, plan(house, clock), house.config.employees["sam"], clock(), comment="Not now.")
    (over,) = (await read(reader, "scheduled-maintenances"))["scheduled_maintenances"]
    assert (over["status"], over["incident_updates"][0]["body"]) == ("completed", "Not now.")


@pytest.mark.anyio
async def test_a_page_in_utc_has_zulu_times(tmp_path: Path, clock: Clock) -> None:
    house = make_house(tmp_path, CONFIG.replace("Europe/Berlin", "UTC"))
    Outages(house, clock).published()
    async with make_client(make_front(house, clock), PUBLIC_ROUTES) as reader:
        found = await read(reader, "summary")
    house.store.close()
    assert found["page"]["updated_at"] == "2026-11-24T12:00:00.000Z"


STEPS = ("fire", "recover", "wait", "publish", "discard", "tell", "close")


@given(st.lists(st.sampled_from(STEPS), max_size=10))
@settings(max_examples=30, deadline=None)
def test_only_what_was_published_ever_appears(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str]
) -> None:
    house, clock = make_house(tmp_path_factory.mktemp("house"), CONFIG + ECHO_MONITOR), Clock()
    outages = Outages(house, clock)
    orders = {name: getattr(outages, name) for name in ("wait", "publish", "discard", "close")}
    last = outages.fire(ECHO, subject="Secret-0-", message="Zanzibar")
    for number, step in enumerate(steps, start=1):
        clock.move(timedelta(seconds=1))
        if step == "fire":
            last = outages.fire(ECHO, subject=f"Secret-{number}-", message="Zanzibar")
        elif step == "recover":
            outages.recover(ECHO)
        elif step == "tell":
            outages.tell(last, f"Secret-{last.id}-more")
        else:
            orders[step](last)
    with house.store.reading() as connection:
        known = incidents.listed(connection, limit=99)
        rendered = render_all(RENDERERS, connection, make_front(house, clock), clock())
    house.store.close()
    for incident in known:
        appears = {path for path, one in rendered.items() if incident.subject.encode() in one.body}
        assert ("/api/v2/incidents.json" in appears) == ("/feed.rss" in appears) == incident.phase.is_public
        assert ("/api/v2/summary.json" in appears) == (incident.phase.is_public and incident.phase.is_open)
        assert incident.phase.is_public or not appears


@pytest.mark.anyio
async def test_a_post_mortem_is_the_last_word_and_stands_in_fields_of_its_own(
    reader: httpx2.AsyncClient, outages: Outages, house: House, clock: Clock
) -> None:
    incident = outages.published()
    outages.close(incident)
    clock.move(HOUR)
    deciding.post_mortem(house, incident.id, house.config.employees["sam"], "A **disk** was full.", clock())
    (over,) = (await read(reader, "incidents"))["incidents"]
    assert (over["status"], over["postmortem_body"]) == ("postmortem", "A **disk** was full.")
    assert over["postmortem_published_at"] == "2026-11-24T14:00:00.000+01:00"
    assert over["incident_updates"][0]["status"] == "postmortem"
    assert over["incident_updates"][0]["affected_components"][0]["new_status"] == "operational"
    assert over["resolved_at"] == "2026-11-24T13:00:00.000+01:00"
