"""An order that is sent twice with one Idempotency-Key is done once, and answered twice with the same words."""

import asyncio
import threading
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from sqlalchemy import text

from service.actions import maintaining
from service.actions.house import House
from service.errors import IncidentChangedMeanwhile
from service.jobs import keep_house
from service.store import given_answers, maintenances
from service.store.given_answers import GivenAnswer
from service.web.api.routes import ROOT
from service.web.front import Front
from tests.rooms import Clock
from tests.web.api.programs import make_secret
from tests.web.outages import Outages

pytestmark = pytest.mark.anyio

PLANS = f"{ROOT}/maintenance"
BODY = {
    "subject": "Database upgrade",
    "message": "Mail may be slow.",
    "starts_at": "2026-12-01T22:00:00Z",
    "ends_at": "2026-12-02T00:00:00Z",
}
KEY = {"idempotency-key": '"8e03978e-40d5-43e8-bc93-6894a57f9324"'}


@pytest.fixture(autouse=True)
def _published(outages: Outages) -> None:
    """Let there be a published incident."""
    outages.publish(outages.fire())


def planned(house: House) -> int:
    """Count what was planned."""
    with house.store.reading() as connection:
        return len(maintenances.listed(connection, limit=100))


async def test_the_same_order_is_done_once(program: httpx2.AsyncClient, house: House, clock: Clock) -> None:
    first = await program.post(PLANS, json=BODY, headers=KEY)
    clock.move(timedelta(hours=23))
    again = await program.post(PLANS, json=BODY, headers=KEY)
    assert (first.status_code, first.text) == (again.status_code, again.text)
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert planned(house) == 1


async def test_without_a_key_each_order_counts(program: httpx2.AsyncClient, house: House) -> None:
    for subject in ("Disks", "Cables"):
        await program.post(PLANS, json=BODY | {"subject": subject})
    assert planned(house) == 2


async def test_without_a_key_the_same_work_is_refused(program: httpx2.AsyncClient, house: House) -> None:
    answers = [await program.post(PLANS, json=BODY) for _ in range(2)]
    assert [one.status_code for one in answers] == [201, 409]
    assert planned(house) == 1


async def test_a_refusal_is_answered_again_too(program: httpx2.AsyncClient) -> None:
    answers = [await program.post(f"{ROOT}/incidents/1/discard", headers=KEY) for _ in range(2)]
    assert {one.status_code for one in answers} == {409}
    assert {one.headers["content-type"] for one in answers} == {"application/problem+json"}
    assert answers[0].text == answers[1].text


@pytest.mark.parametrize(
    ("path", "body"),
    [(PLANS, BODY | {"message": "Another."}), (f"{ROOT}/incidents/1/close", {"comment": "Over."})],
)
async def test_the_same_key_for_another_order_is_refused(
    path: str, body: dict[str, Any], program: httpx2.AsyncClient, house: House
) -> None:
    await program.post(PLANS, json=BODY, headers=KEY)
    answer = await program.post(path, json=body, headers=KEY)
    assert answer.status_code == 422
    assert "another request" in answer.json()["detail"]
    assert planned(house) == 1


async def test_keys_of_two_tokens_are_two_keys(
    program: httpx2.AsyncClient, front: Front, house: House
) -> None:
    await program.post(PLANS, json=BODY, headers=KEY)
    other = {"authorization": f"Bearer {make_secret(house, front.clock(), name='other')}"}
    answer = await program.post(PLANS, json=BODY, headers=KEY | other)
    assert "idempotency-replayed" not in answer.headers
    assert answer.json()["reason"] == "refused_maintenance_planned_already"


@pytest.mark.parametrize("is_swept", [True, False])
async def test_after_a_day_a_key_is_new_again(
    program: httpx2.AsyncClient, house: House, clock: Clock, *, is_swept: bool
) -> None:
    await program.post(PLANS, json=BODY, headers=KEY)
    clock.move(timedelta(hours=24))
    if is_swept:
        keep_house(house, clock())
    again = await program.post(PLANS, json=BODY, headers=KEY)
    assert "idempotency-replayed" not in again.headers
    assert again.json()["reason"] == "refused_maintenance_planned_already"


async def test_while_it_is_being_done_the_same_is_refused(
    program: httpx2.AsyncClient, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_begun, may_end = threading.Event(), threading.Event()
    plan = maintaining.plan

    def slowly(*given: Any) -> object:  # noqa: ANN401  whatever it is called with
        is_begun.set()
        assert may_end.wait(10)
        return plan(*given)

    monkeypatch.setattr(maintaining, "plan", slowly)
    first = asyncio.create_task(program.post(PLANS, json=BODY, headers=KEY))
    assert await asyncio.to_thread(is_begun.wait, 10)
    second = await program.post(PLANS, json=BODY, headers=KEY)
    may_end.set()
    assert (second.status_code, second.headers["retry-after"]) == (409, "1")
    assert (await first).status_code == 201
    assert planned(house) == 1


async def test_what_could_not_be_done_is_tried_anew(
    program: httpx2.AsyncClient, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = f"{ROOT}/incidents/2/discard"
    assert (await program.post(missing, headers=KEY)).status_code == 404
    assert "idempotency-replayed" not in (await program.post(missing, headers=KEY)).headers
    assert (await program.post(PLANS, json=BODY, headers=KEY)).status_code == 201


@pytest.mark.parametrize("key", ["", "x" * 256, "a b", '"a', 'a"b', "\xe9"])
async def test_what_is_no_key_is_said_to_be_none(key: str, program: httpx2.AsyncClient, house: House) -> None:
    headers = [(b"idempotency-key", key.encode("latin-1"))]
    answer = await program.post(PLANS, json=BODY, headers=headers)
    assert answer.status_code == 400
    assert planned(house) == 0


async def test_a_key_in_quotes_is_the_key_without_them(program: httpx2.AsyncClient, house: House) -> None:
    for key in ('"one"', "one"):
        await program.post(PLANS, json=BODY, headers={"idempotency-key": key})
    assert planned(house) == 1


async def test_what_cannot_be_kept_is_not_done_either(
    program: httpx2.AsyncClient, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def taken(*_: object) -> None:
        raise IncidentChangedMeanwhile("the same request is being answered just now")

    monkeypatch.setattr(given_answers, "add", taken)
    answer = await program.post(PLANS, json=BODY, headers=KEY)
    assert (answer.status_code, answer.headers["retry-after"]) == (409, "1")
    assert planned(house) == 0


def test_two_processes_cannot_both_answer_under_one_key(house: House, clock: Clock) -> None:
    make_secret(house, clock())
    with house.store.transaction() as connection:
        # the other's row comes between our look and our writing
        taken = "CREATE TRIGGER taken BEFORE INSERT ON given_answers BEGIN SELECT RAISE(ABORT, 'taken'); END"
        connection.execute(text(taken))

    def keep() -> None:
        with house.store.transaction() as connection:
            given_answers.add(connection, 1, "key", GivenAnswer("f", 200, "{}"), clock())

    with pytest.raises(IncidentChangedMeanwhile):
        keep()
