"""Monitors and the inbox over the API: as configured, as arrived; and what an alert would bring about."""

from base64 import b64decode
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from service.actions.api_tokens import Scope
from service.actions.house import House
from service.jobs import decide_what_is_due
from service.store import inbox_rows
from service.store.inbox_rows import Arrival, Door, InboxState
from service.web.api.routes import ROOT
from service.web.front import Front
from tests.rooms import Clock
from tests.web.api.programs import program_at
from tests.web.outages import Outages

pytestmark = pytest.mark.anyio

SIMULATE = f"{ROOT}/monitors/simulate"


async def test_monitors_are_shown_as_they_are_configured(program: httpx2.AsyncClient) -> None:
    email, echo = (await program.get(f"{ROOT}/monitors")).json()["items"]
    assert (email["key"], email["wait_time"], email["auto_close"]) == ("victorops:Email Server", "5m", True)
    assert (email["affected_components"], email["remind_every"]) == ({"Email": "major_outage"}, None)
    assert (echo["auto_close"], echo["escalate"]) == (False, [])


async def test_what_arrived_is_shown_as_it_came(program: httpx2.AsyncClient, outages: Outages) -> None:
    outages.fire()
    (headline,) = (await program.get(f"{ROOT}/inbox")).json()["items"]
    assert (headline["door"], headline["provider"], headline["size"]) == ("webhook", "victorops", 2)
    found = (await program.get(f"{ROOT}/inbox/1")).json()
    assert found["arrival"] == headline
    assert (b64decode(found["raw"]), found["incident_ids"]) == (b"{}", [1])
    assert (await program.get(f"{ROOT}/inbox/9")).status_code == 404


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ({}, [3, 2, 1]),
        ({"since": "2026-11-24T13:01:00+01:00"}, [3, 2]),
        ({"until": "2026-11-24T12:02:00Z"}, [2, 1]),
        ({"since": "2026-11-24T12:01:00Z", "until": "2026-11-24T12:02:00Z"}, [2]),
        ({"entity_id": "disk-1"}, [2, 1]),
        ({"entity_id": "disk-1", "before": "2"}, [1]),
        ({"door": "mail"}, [3]),
        ({"state": "refused", "limit": "1"}, [2]),
        ({"reason": "no_monitor", "q": "disk"}, [2, 1]),
        ({"q": "SAM@acme"}, [3]),
    ],
)
async def test_what_arrived_is_searched(
    query: dict[str, str], numbers: list[int], program: httpx2.AsyncClient, house: House, clock: Clock
) -> None:
    raw = b'{monitorName: "Disk", state: "CRITICAL", entityId: "disk-1"}'
    mail = b"From: sam@acme.example\r\n\r\npublish"
    for number, (door, body) in enumerate([(Door.WEBHOOK, raw), (Door.WEBHOOK, raw), (Door.MAIL, mail)]):
        arrival = Arrival(
            door,
            clock() + number * timedelta(minutes=1),
            body,
            "victorops" if door is Door.WEBHOOK else "",
            about={"sender": "sam@acme.example"} if door is Door.MAIL else {},
        )
        with house.store.transaction() as connection:
            inbox_rows.add_many(connection, [arrival])
    decide_what_is_due(house, clock() + timedelta(minutes=3))
    answer = await program.get(f"{ROOT}/inbox", params=query)
    assert answer.status_code == 200, answer.text
    assert [one["id"] for one in answer.json()["items"]] == numbers


async def test_a_search_that_cannot_be_read_is_refused(program: httpx2.AsyncClient) -> None:
    day, later = "2026-11-23T00:00:00Z", "2026-11-24T00:00:00Z"
    for query, parameter in (
        ({"since": later, "until": day}, "until"),
        ({"since": day, "until": day}, "until"),
        ({"since": "2026-11-23"}, "since"),
        ({"since": "2026-11-23T00:00:00"}, "since"),
        ({"state": "lost"}, "state"),
        ({"entity_id": "x" * 501}, "entity_id"),
    ):
        answer = await program.get(f"{ROOT}/inbox", params=query)
        assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (422, parameter)


@pytest.mark.parametrize("may_read_addresses", [False, True])
async def test_who_sent_a_mail_is_no_clue_for_those_who_may_not_read_addresses(
    front: Front, house: House, clock: Clock, *, may_read_addresses: bool
) -> None:
    about = {"sender": "ada@reader.example"}
    with house.store.transaction() as connection:
        said = "update to ada@reader.example: 5.1.1"
        inbox_rows.add_many(connection, [Arrival(Door.MAIL, clock(), b"Hi", about=about, explanation=said)])
    scopes = [Scope.INBOX_READ, *([Scope.SUBSCRIBERS_READ] if may_read_addresses else [])]
    async with program_at(front, scopes) as program:
        found = (await program.get(f"{ROOT}/inbox", params={"q": "ada@reader"})).json()["items"]
        shown = [(await program.get(f"{ROOT}/inbox")).json()["items"][0]]
        shown.append((await program.get(f"{ROOT}/inbox/1")).json()["arrival"])
    assert bool(found) == may_read_addresses
    whose = "ada" if may_read_addresses else "a…"
    assert [one["explanation"] for one in shown] == [f"update to {whose}@reader.example: 5.1.1"] * 2


async def test_of_a_mail_it_is_told_whether_it_was_believed(
    program: httpx2.AsyncClient, house: House, clock: Clock
) -> None:
    with house.store.transaction() as connection:
        [number] = inbox_rows.add_many(connection, [Arrival(Door.MAIL, clock(), b"Hi")])
        said = "dmarc=fail by mx.acme.example"
        done = InboxState.DONE
        inbox_rows.finish(connection, number, done, reason="not_authentic", authentic="no", evidence=said)
    (headline,) = (await program.get(f"{ROOT}/inbox")).json()["items"]
    assert (headline["authentic"], headline["evidence"]) == ("no", said)
    assert (await program.get(f"{ROOT}/inbox/1")).json()["arrival"] == headline


async def test_the_text_of_a_mail_is_shown_to_no_program_for_it_quotes_what_one_publishes_by(
    front: Front, house: House, clock: Clock
) -> None:
    with house.store.transaction() as connection:
        inbox_rows.add_many(connection, [Arrival(Door.MAIL, clock(), b"From: sam\r\n\r\npublish")])
    async with program_at(front, list(Scope)) as program:
        assert (await program.get(f"{ROOT}/inbox/1")).json()["raw"] is None


@pytest.mark.parametrize(
    ("also", "is_shown"), [(None, False), (Scope.MONITORS_READ, False), (Scope.SUBSCRIBERS_READ, True)]
)
async def test_who_sent_a_mail_is_told_to_those_alone_who_may_read_addresses(
    also: Scope | None, front: Front, house: House, clock: Clock, *, is_shown: bool
) -> None:
    about = {"sender": "ada@reader.example", "folder": "INBOX"}
    with house.store.transaction() as connection:
        inbox_rows.add_many(connection, [Arrival(Door.MAIL, clock(), b"Hi", about=about)])
    async with program_at(front, [Scope.INBOX_READ, *([also] if also else [])]) as program:
        found = (await program.get(f"{ROOT}/inbox/1")).json()
    assert found["about"] == (about if is_shown else {"folder": "INBOX"})
    assert found["raw"] is None


@pytest.mark.parametrize(
    "asked",
    [{"monitor": "Email Server"}, {"payload": '{monitorName: "Email Server", state: "CRITICAL"}'}],
)
async def test_what_would_happen_is_simulated(asked: dict[str, Any], program: httpx2.AsyncClient) -> None:
    answer = await program.post(SIMULATE, json={**asked, "recovered_after": "30m", "publish_after": "3m"})
    assert answer.status_code == 200, answer.text
    steps = answer.json()["steps"]
    assert [(one["after"], one["cause"], one["reason"]) for one in steps] == [
        ("0", "post", "opened"),
        ("5m", "timer", "wait_elapsed"),
        ("8m", "reply", "published"),
        ("30m", "post", "auto_closed"),
    ]
    assert steps[0]["monitors"] == ["victorops:Email Server"]
    assert "Email is unavailable" in steps[1]["mails"][0]["subject"]
    assert (await program.get(f"{ROOT}/incidents")).json()["items"] == []


@pytest.mark.parametrize("asked", [{}, {"monitor": "Email Server", "payload": "{}"}])
async def test_one_thing_alone_is_simulated(asked: dict[str, Any], program: httpx2.AsyncClient) -> None:
    assert (await program.post(SIMULATE, json=asked)).status_code == 422


@pytest.mark.parametrize("asked", [{"payload": "\u201d{"}, {"monitor": "X", "provider": "nobody"}])
async def test_what_cannot_be_read_is_said(asked: dict[str, Any], program: httpx2.AsyncClient) -> None:
    answer = await program.post(SIMULATE, json=asked)
    assert answer.status_code in {200, 422}
    assert "nobody" in answer.text or answer.json()["steps"][0]["complaint"]
