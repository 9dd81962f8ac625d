"""Opening incidents and replaying posts over the API: as on the dashboard, and what cannot be is named."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest

from service.actions.api_tokens import Scope
from service.actions.house import House
from service.model import DeliveryKind
from service.store import deliveries, inbox_rows
from service.store.inbox_rows import Arrival, Door, InboxState
from service.web.api.routes import ROOT
from service.web.front import Front
from tests.rooms import CONFIG, Clock, config_in
from tests.web.api.programs import program_at
from tests.web.outages import Outages

pytestmark = pytest.mark.anyio

ALL = f"{ROOT}/incidents"
WORDS = {"subject": "Mail is slow", "message": "Mails arrive **late**."}
CRITICAL = b'{"monitorName": "Email Server", "state": "CRITICAL"}'


async def opened(program: httpx2.AsyncClient, **body: Any) -> dict[str, Any]:  # noqa: ANN401  JSON
    answer = await program.post(ALL, json=body)
    found: dict[str, Any] = answer.json()
    assert answer.status_code == 201, found
    return found


async def faults(program: httpx2.AsyncClient, **body: Any) -> list[str]:  # noqa: ANN401  JSON
    answer = await program.post(ALL, json=body)
    assert answer.status_code == 422
    return [one["pointer"] for one in answer.json()["errors"]]


async def test_a_blank_one_asks_whom_it_names(program: httpx2.AsyncClient, house: House) -> None:
    found = await opened(program, **WORDS, components={"Email": "partial_outage"}, notify_employees=["sam"])
    incident = found["incident"]
    assert (found["reason"], incident["phase"]) == ("opened_by_hand", "unpublished")
    assert (incident["subject"], incident["components"]) == ("Mail is slow", {"Email": "partial_outage"})
    assert incident["authored_by"] == "token:deploy"
    with house.store.reading() as connection:
        mails = deliveries.of_incident_to_employees(connection, incident["id"])
    assert [(mail.kind, mail.employee_id) for mail in mails] == [(DeliveryKind.APPROVAL, "sam")]


async def test_one_of_a_monitor_takes_what_is_left_out_from_its_template(
    program: httpx2.AsyncClient,
) -> None:
    incident = (await opened(program, monitor="victorops:Email Server", subject="No mail at all"))["incident"]
    assert (incident["subject"], incident["message"]) == (
        "No mail at all",
        "We are looking into **Email Server**.",
    )
    assert incident["components"] == {"Email": "major_outage"}
    assert set(incident["notify_employees"]) == {"token:deploy", "jordan", "sam"}


async def test_what_the_template_says_of_its_number_is_the_number_that_it_gets(
    front: Front, tmp_path: Path
) -> None:
    text = CONFIG.replace('message: "We are', 'message: "{{ incident.tag }} ({{ incident.id }}): we are')
    numbered = replace(front, house=replace(front.house, config=config_in(tmp_path, text)))
    async with program_at(numbered) as program:
        for number in (1, 2):
            incident = (await opened(program, monitor="victorops:Email Server"))["incident"]
            assert incident["id"] == number
            assert incident["message"] == f"INC-{number} ({number}): we are looking into **Email Server**."


async def test_an_alert_of_the_monitor_joins_it(program: httpx2.AsyncClient, outages: Outages) -> None:
    await opened(program, monitor="victorops:Email Server")
    assert outages.fire().id == 1


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, ["/subject", "/message"]),
        ({"monitor": "victorops:Nothing"}, ["/monitor"]),
        (WORDS | {"type": "weather"}, ["/type"]),
        (WORDS | {"components": {"a/b": "major_outage"}}, ["/components/a~1b"]),
        (WORDS | {"components": {"Email": "operational"}}, ["/components/Email"]),
        (WORDS | {"notify_employees": ["sam", "nobody"]}, ["/notify_employees/1"]),
    ],
)
async def test_what_cannot_be_is_named(
    body: dict[str, Any], pointers: list[str], program: httpx2.AsyncClient
) -> None:
    assert await faults(program, **body) == pointers


async def test_the_same_key_opens_one(program: httpx2.AsyncClient) -> None:
    key = {"idempotency-key": "one"}
    answers = [await program.post(ALL, json=WORDS, headers=key) for _ in range(2)]
    assert [one.json()["incident"]["id"] for one in answers] == [1, 1]


async def test_a_post_counts_once_more(program: httpx2.AsyncClient, house: House, clock: Clock) -> None:
    with house.store.transaction() as connection:
        inbox_rows.add_many(connection, [Arrival(Door.WEBHOOK, clock(), CRITICAL, provider="victorops")])
    answer = await program.post(f"{ROOT}/inbox/1/replay")
    assert (answer.status_code, answer.json()) == (201, {"inbox_id": 2})
    with house.store.reading() as connection:
        again = inbox_rows.get(connection, 2)
    assert again is not None
    assert (again.raw, again.state, again.about["replay_of"]) == (CRITICAL, InboxState.PENDING, 1)


async def test_a_dry_replay_shows_what_would_come_of_it_and_does_nothing(
    program: httpx2.AsyncClient, house: House, clock: Clock
) -> None:
    with house.store.transaction() as connection:
        inbox_rows.add_many(connection, [Arrival(Door.WEBHOOK, clock(), CRITICAL, provider="victorops")])
    answer = await program.post(f"{ROOT}/inbox/1/simulate")
    assert [step["reason"] for step in answer.json()["steps"]][:2] == ["opened", "wait_elapsed"]
    assert (await program.get(ALL)).json()["items"] == []


@pytest.mark.parametrize("order", ["replay", "simulate"])
async def test_a_mail_is_not_replayed(
    order: str, program: httpx2.AsyncClient, house: House, clock: Clock
) -> None:
    with house.store.transaction() as connection:
        inbox_rows.add_many(connection, [Arrival(Door.MAIL, clock(), b"From: sam\r\n\r\npublish")])
    assert (await program.post(f"{ROOT}/inbox/1/{order}")).status_code == 403
    assert (await program.post(f"{ROOT}/inbox/9/{order}")).status_code == 404


async def test_to_look_at_the_inbox_is_not_to_replay(front: Front) -> None:
    async with program_at(front, [Scope.INBOX_READ]) as program:
        assert (await program.post(f"{ROOT}/inbox/1/replay")).status_code == 403


async def test_what_was_recorded_is_simulated_anew(
    program: httpx2.AsyncClient, house: House, clock: Clock
) -> None:
    with house.store.transaction() as connection:
        inbox_rows.add_many(connection, [Arrival(Door.WEBHOOK, clock(), CRITICAL, provider="victorops")])
    span = {"since": "2026-11-24T00:00:00+01:00", "until": "2026-11-25T00:00:00+01:00"}
    found = (await program.post(f"{ROOT}/inbox/simulate", json={**span, "publish_after": "3m"})).json()
    [incident] = found["incidents"]
    assert (found["posts"], incident["phase"]) == (1, "published")
    assert (incident["published_at"], incident["mails_to_each_subscriber"]) == ("2026-11-24T12:08:00Z", 1)
    backwards = {"since": span["until"], "until": span["since"]}
    assert (await program.post(f"{ROOT}/inbox/simulate", json=backwards)).status_code == 422
