"""Monitors and the inbox over the API: as configured, as arrived; and what an alert would bring about."""

from base64 import b64decode
from typing import Any

import httpx2
import pytest

from service.actions.api_tokens import Scope
from service.actions.house import House
from service.store import inbox_rows
from service.store.inbox_rows import Arrival, Door
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
