"""Incidents over the API: what is read of them, and that an order does what it does on the dashboard."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from service.actions import deciding
from service.actions.api_tokens import Scope
from service.actions.house import House
from service.errors import IncidentChangedMeanwhile
from service.model import DeliveryKind, Phase
from service.store import deliveries, incident_search
from service.web.api.routes import ROOT
from service.web.front import Front
from tests.rooms import CONFIG, Clock, make_front, make_house
from tests.web.api.programs import program_at
from tests.web.outages import Outages

pytestmark = pytest.mark.anyio

ALL = f"{ROOT}/incidents"
ONE = f"{ALL}/1"


async def order(program: httpx2.AsyncClient, name: str, **body: Any) -> dict[str, Any]:  # noqa: ANN401  JSON
    """Order something about the first incident, and give what was answered."""
    answer = await program.post(f"{ONE}/{name}", json=body)
    found: dict[str, Any] = answer.json()
    assert answer.status_code == (409 if found["reason"].startswith("refused_") else 200)
    return found


async def test_one_is_read_whole(program: httpx2.AsyncClient, outages: Outages) -> None:
    incident = outages.fire()
    outages.publish(incident)
    outages.tell(incident, "A disk is full.")
    found = (await program.get(ONE)).json()
    assert (found["incident"]["tag"], found["incident"]["phase"]) == ("INC-1", "published")
    assert found["incident"]["components"] == {"Email": "major_outage"}
    assert [(one["monitor_name"], one["state"], one["reason"]) for one in found["alerts"]] == [
        ("Email Server", "firing", "opened")
    ]
    assert [(one["status"], one["posted_by"]) for one in found["updates"]] == [
        ("investigating", "sam"),
        ("identified", "sam"),
    ]
    assert [one["reason"] for one in found["timeline"]] == ["opened", "published", "update_posted"]
    assert (await program.get(f"{ONE}/updates")).json()["items"] == found["updates"]


async def test_they_are_listed_by_phase(program: httpx2.AsyncClient, outages: Outages) -> None:
    undecided, published, discarded = (outages.fire("Echo", subject=one, message="M") for one in "ABC")
    outages.publish(published)
    outages.discard(discarded)
    listed = (await program.get(ALL, params={"phase": ["unpublished", "published"]})).json()["items"]
    assert [one["id"] for one in listed] == [published.id, undecided.id]
    assert [one["id"] for one in (await program.get(ALL)).json()["items"]] == [3, 2, 1]


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ({"q": "slow"}, [2]),
        ({"q": "echo", "phase": "waiting"}, []),
        ({"q": "INC-1"}, [1]),
        ({"component": "Calendar"}, [2]),
        ({"since": "2026-11-24T13:30:00+01:00"}, [2]),
        ({"until": "2026-11-24T12:30:00Z"}, [1]),
    ],
)
async def test_they_are_found_as_on_the_dashboard(
    program: httpx2.AsyncClient, outages: Outages, clock: Clock, query: dict[str, str], numbers: list[int]
) -> None:
    outages.fire()
    clock.move(timedelta(hours=1))
    outages.fire("Echo", subject="Slow", message="M")
    assert [one["id"] for one in (await program.get(ALL, params=query)).json()["items"]] == numbers


async def test_a_search_that_looked_through_enough_says_where_to_go_on(
    program: httpx2.AsyncClient, outages: Outages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incident_search, "SEARCHED", 2)
    for subject in ("disk", "mail", "mail"):
        outages.fire("Echo", subject=subject, message="M")
    first = (await program.get(ALL, params={"q": "disk"})).json()
    assert first == {"items": [], "next_before": 2}
    second = (await program.get(ALL, params={"q": "disk", "before": 2})).json()
    assert ([one["id"] for one in second["items"]], second["next_before"]) == ([1], None)


async def test_publishing_says_what_came_of_it_and_by_whom(
    program: httpx2.AsyncClient, house: House, outages: Outages
) -> None:
    outages.wait(outages.fire())
    done = await order(program, "publish", text_version=1)
    assert (done["reason"], done["incident"]["phase"]) == ("published", "published")
    assert done["said"].startswith("INC-1 is published")
    assert done["incident"]["published_by"] == "token:deploy"
    assert (await program.get(ONE)).json()["timeline"][-1]["by"] == "token:deploy"
    again = await order(program, "publish", text_version=1)
    assert again["reason"] == "refused_already_published"
    assert again["detail"] == "INC-1 was already published by token deploy at 13:05 CET."


async def test_employees_hear_of_it_as_of_any_other(
    program: httpx2.AsyncClient, house: House, outages: Outages
) -> None:
    outages.wait(outages.fire())
    await order(program, "publish", text_version=1)
    with house.store.reading() as connection:
        told = [
            one
            for one in deliveries.of_incident_to_employees(connection, 1)
            if one.kind is DeliveryKind.PUBLISHED
        ]
    assert {one.recipient for one in told} == {"jordan@acme.example", "sam@acme.example"}


async def test_a_text_that_was_changed_meanwhile_is_not_published(
    program: httpx2.AsyncClient, house: House, outages: Outages, clock: Clock
) -> None:
    outages.wait(outages.fire())
    edited = await order(program, "edit", subject="Mail  is slow", message="Late.", text_version=1)
    assert (edited["reason"], edited["incident"]["subject"]) == ("edited", "Mail is slow")
    refused = await order(program, "publish", text_version=1)
    assert refused["reason"] == "refused_text_changed"
    assert refused["detail"] == "INC-1 is in version 2: read it, and order that one."
    assert (await order(program, "publish", text_version=2))["reason"] == "published"


async def test_an_edit_changes_what_it_names_and_leaves_the_rest(
    program: httpx2.AsyncClient, outages: Outages
) -> None:
    before = outages.fire()
    components = {"Email": "degraded_performance", "API": "partial_outage"}
    edited = await order(program, "edit", components=components, text_version=1)
    assert (edited["incident"]["components"], edited["incident"]["text_version"]) == (components, 2)
    assert (edited["incident"]["subject"], edited["incident"]["type"]) == (before.subject, before.type)
    edited = await order(program, "edit", type="performance", text_version=2)
    assert (edited["incident"]["components"], edited["incident"]["type"]) == (components, "performance")
    assert (await order(program, "edit", text_version=3))["reason"] == "refused_text_the_same"
    assert (await program.get(ONE)).json()["timeline"][1]["note"].splitlines() == [
        "Email: major outage → degraded performance",
        "API: not affected → partial outage",
    ]


async def test_an_edit_to_what_config_yaml_does_not_have_names_each_fault(
    program: httpx2.AsyncClient, outages: Outages
) -> None:
    outages.fire()
    said = {"type": "nonsense", "components": {"A/B": "major_outage"}, "text_version": 1}
    answer = await program.post(f"{ONE}/edit", json=said)
    assert answer.status_code == 422
    assert [one["pointer"] for one in answer.json()["errors"]] == ["/type", "/components/A~1B"]
    assert (await program.get(ONE)).json()["incident"]["text_version"] == 1


async def test_it_is_held_and_discarded(program: httpx2.AsyncClient, outages: Outages) -> None:
    outages.wait(outages.fire())
    held = await order(program, "hold", span="1h30m")
    assert (held["reason"], held["incident"]["held_until"]) == ("held", "2026-11-24T13:35:00Z")
    assert (await order(program, "discard"))["reason"] == "discarded"
    assert (await order(program, "discard"))["reason"] == "refused_discarded"


@pytest.mark.parametrize("span", ["0", "0m", "8d", "30", "30 minutes", "-1h", "m30"])
async def test_what_is_no_span_holds_nothing(
    span: str, program: httpx2.AsyncClient, outages: Outages
) -> None:
    outages.wait(outages.fire())
    answer = await program.post(f"{ONE}/hold", json={"span": span})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/span"


async def test_more_is_told_and_put_right(program: httpx2.AsyncClient, outages: Outages) -> None:
    outages.publish(outages.fire())
    posted = await order(program, "updates", status="identified", body=" A disk is full. \r\n")
    assert posted["reason"] == "update_posted"
    assert (posted["update"]["body"], posted["update"]["posted_by"]) == ("A disk is full.", "token:deploy")
    corrected = await order(program, f"updates/{posted['update']['id']}/correct", body="Two disks.")
    assert (corrected["reason"], corrected["update"]["corrects_id"]) == (
        "update_corrected",
        posted["update"]["id"],
    )
    assert (await program.post(f"{ONE}/updates/99/correct", json={"body": "B"})).status_code == 404


@pytest.mark.parametrize(
    ("name", "body", "told"),
    [
        ("close", {}, "Echo works again."),
        ("close", {"comment": "Over."}, "Over."),
        ("updates", {"status": "resolved", "body": "Over."}, "Over."),
    ],
)
async def test_it_is_closed(
    name: str, body: dict[str, Any], told: str, program: httpx2.AsyncClient, outages: Outages
) -> None:
    outages.publish(outages.fire())
    done = await order(program, name, **body)
    assert (done["reason"], done["incident"]["phase"]) == ("closed", "closed")
    assert done["update"]["status"] == "resolved"
    assert done["update"]["body"] == told.replace("Echo", "Email")


async def test_what_is_not_published_is_not_told_of(program: httpx2.AsyncClient, outages: Outages) -> None:
    outages.fire()
    for name, body in (("updates", {"status": "identified", "body": "B"}), ("close", {})):
        assert (await order(program, name, **body))["reason"] == "refused_not_published"


@pytest.mark.parametrize("name", ["publish", "discard", "hold", "edit", "updates", "close"])
async def test_what_is_not_there_is_not_found(name: str, program: httpx2.AsyncClient) -> None:
    bodies: dict[str, dict[str, Any]] = {
        "publish": {"text_version": 1},
        "hold": {"span": "1h"},
        "edit": {"subject": "S", "message": "M", "text_version": 1},
        "updates": {"status": "identified", "body": "B"},
    }
    answer = await program.post(f"{ALL}/7/{name}", json=bodies.get(name, {}))
    assert answer.status_code == 404
    assert answer.json()["detail"] == "There is no incident INC-7."
    assert (await program.get(f"{ALL}/7")).status_code == 404


async def test_to_write_does_not_include_to_read(front: Front, outages: Outages) -> None:
    outages.fire()
    async with program_at(front, [Scope.INCIDENTS_WRITE]) as program:
        assert (await program.get(ONE)).status_code == 403
        assert (await order(program, "discard"))["incident"]["phase"] == Phase.DISCARDED


async def test_a_change_by_somebody_else_at_the_same_moment_is_said(
    program: httpx2.AsyncClient, outages: Outages, monkeypatch: pytest.MonkeyPatch
) -> None:
    outages.fire()

    def changed(*_: object) -> None:
        raise IncidentChangedMeanwhile("INC-1 was changed by somebody else; decide again")

    monkeypatch.setattr(deciding, "discard", changed)
    answer = await program.post(f"{ONE}/discard")
    assert (answer.status_code, answer.json()["reason"]) == (409, "changed_meanwhile")


async def test_a_token_is_none_of_the_two_who_must_approve(tmp_path: Path, clock: Clock) -> None:
    house = make_house(tmp_path, CONFIG.replace("wait_time: 5m", "wait_time: 5m\n    approvals: 2"))
    front, outages = make_front(house, clock), Outages(house, clock)
    outages.wait(outages.fire())
    async with program_at(front, [Scope.INCIDENTS_WRITE]) as program:
        answer = await program.post(f"{ONE}/publish", json={"text_version": 1})
    house.store.close()
    assert answer.status_code == 403
    assert "needs 2 employees, and a token is none" in answer.text


async def test_a_post_mortem_is_posted_once_it_is_closed(
    program: httpx2.AsyncClient, outages: Outages
) -> None:
    incident = outages.published()
    refused = await order(program, "postmortem", body="A disk was full.")
    assert refused["reason"] == "refused_still_open"
    outages.close(incident)
    told = await order(program, "postmortem", body="A disk was full.", is_sent=False)
    assert (told["reason"], told["update"]["status"]) == ("postmortem_posted", "postmortem")
    assert told["update"]["body"] == "A disk was full."
