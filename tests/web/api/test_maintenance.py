"""Planned work over the API: planned, begun, extended, told of, ended, called off."""

from typing import Any

import httpx2
import pytest

from service.web.api.routes import ROOT

pytestmark = pytest.mark.anyio

ALL = f"{ROOT}/maintenance"
PLAN: dict[str, Any] = {
    "subject": "Database  upgrade",
    "message": "Mail may be slow.",
    "components": ["Email", "Email"],
    "starts_at": "2026-11-25T13:00:00+01:00",
    "ends_at": "2026-11-25T14:00:00Z",
    "remind_at": "2026-11-25T08:00:00Z",
    "audience": ["Partners"],
}


async def order(program: httpx2.AsyncClient, name: str, **body: Any) -> str:  # noqa: ANN401  JSON
    """Order something about the first one, and give the reason."""
    answer = await program.post(f"{ALL}/1/{name}", json=body)
    reason = str(answer.json()["reason"])
    assert answer.status_code == (409 if reason.startswith("refused_") else 200)
    return reason


async def test_work_is_planned(program: httpx2.AsyncClient) -> None:
    answer = await program.post(ALL, json=PLAN)
    assert answer.status_code == 201
    done = answer.json()
    assert (done["reason"], done["said"]) == (
        "maintenance_planned",
        "It is planned, and subscribers are being told.",
    )
    assert done["maintenance"] == {
        "id": 1,
        "phase": "planned",
        "subject": "Database upgrade",
        "message": "Mail may be slow.",
        "components": ["Email"],
        "audience": ["Partners"],
        "starts_at": "2026-11-25T12:00:00Z",
        "ends_at": "2026-11-25T14:00:00Z",
        "remind_at": "2026-11-25T08:00:00Z",
        "closing_comment": "",
        "planned_at": "2026-11-24T12:00:00Z",
        "planned_by": "token:deploy",
        "started_at": None,
        "ended_at": None,
    }
    assert (await program.get(ALL)).json() == {"items": [done["maintenance"]], "next_before": None}


async def test_the_same_work_is_planned_once(program: httpx2.AsyncClient) -> None:
    await program.post(ALL, json=PLAN)
    again = await program.post(ALL, json=PLAN)
    assert (again.status_code, again.json()["reason"]) == (409, "refused_maintenance_planned_already")
    said = "#1 is the same maintenance: it is planned already; nothing was changed."
    assert again.json()["detail"] == said
    assert len((await program.get(ALL)).json()["items"]) == 1


async def test_the_same_is_told_once(program: httpx2.AsyncClient) -> None:
    await program.post(ALL, json=PLAN)
    assert await order(program, "updates", body="We begin soon.") == "maintenance_update_posted"
    assert await order(program, "updates", body="We begin soon.") == "refused_text_the_same"
    assert len((await program.get(f"{ALL}/1")).json()["updates"]) == 2


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"subject": ""}, "/subject"),
        ({"subject": "x" * 501}, "/subject"),
        ({"message": " "}, "/message"),
        ({"components": ["Email", "Emial"]}, "/components/1"),
        ({"components": "Email"}, "/components"),
        ({"starts_at": "2026-11-25 13:00"}, "/starts_at"),
        ({"starts_at": "0001-01-01T00:00:00+14:00"}, "/starts_at"),
        ({"ends_at": "9999-12-31T23:59:59-14:00"}, "/ends_at"),
        ({"ends_at": 1_800_000_000}, "/ends_at"),
        ({"closing_comment": None}, "/closing_comment"),
    ],
)
async def test_what_cannot_be_planned_is_named(
    changed: dict[str, Any], pointer: str, program: httpx2.AsyncClient
) -> None:
    answer = await program.post(ALL, json=PLAN | changed)
    assert answer.status_code == 422
    assert [one["pointer"] for one in answer.json()["errors"]] == [pointer]
    assert (await program.get(ALL)).json()["items"] == []


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"starts_at": "2026-11-20T13:00:00Z"}, "refused_in_the_past"),
        ({"ends_at": "2026-11-25T12:00:00Z"}, "refused_ends_before_it_starts"),
    ],
)
async def test_a_window_that_cannot_be_is_refused(
    changed: dict[str, str], reason: str, program: httpx2.AsyncClient
) -> None:
    answer = await program.post(ALL, json=PLAN | changed)
    assert (answer.status_code, answer.json()["reason"]) == (409, reason)


async def test_it_is_begun_extended_told_of_and_ended(program: httpx2.AsyncClient) -> None:
    await program.post(ALL, json=PLAN)
    assert await order(program, "end") == "refused_maintenance_not_on"
    assert await order(program, "start") == "maintenance_started"
    assert await order(program, "cancel") == "refused_maintenance_on"
    assert await order(program, "extend", ends_at="2026-11-25T18:00:00Z") == "maintenance_extended"
    assert await order(program, "updates", body="Half done.") == "maintenance_update_posted"
    assert await order(program, "end", comment="All done.") == "maintenance_ended"
    found = (await program.get(f"{ALL}/1")).json()
    assert (found["maintenance"]["phase"], found["maintenance"]["ends_at"]) == (
        "done",
        "2026-11-25T18:00:00Z",
    )
    assert [one["body"] for one in found["updates"]][-2:] == ["Half done.", "All done."]
    assert {one["posted_by"] for one in found["updates"]} == {"token:deploy"}


async def test_it_is_called_off_once(program: httpx2.AsyncClient) -> None:
    await program.post(ALL, json=PLAN)
    assert await order(program, "cancel", comment="Not now.") == "maintenance_cancelled"
    assert await order(program, "cancel") == "refused_maintenance_cancelled"


@pytest.mark.parametrize("name", ["start", "end", "cancel"])
async def test_what_is_not_there_is_not_found(name: str, program: httpx2.AsyncClient) -> None:
    answer = await program.post(f"{ALL}/7/{name}")
    assert (answer.status_code, answer.json()["detail"]) == (404, "There is no maintenance 7.")
    assert (await program.get(f"{ALL}/7")).status_code == 404
