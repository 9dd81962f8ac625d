"""A long list is imported in steps, and still once for one Idempotency-Key, whatever comes between."""

from collections.abc import Sequence

import httpx2
import pytest
from sqlalchemy import Connection

from service.actions import subscriber_admin
from service.actions.house import House
from service.actions.subscribing import subscribe
from service.errors import IncidentChangedMeanwhile
from service.store import audit, given_answers, subscriber_lists
from service.store.subscriber_lists import Standing, Tally
from service.web.api.routes import ROOT
from tests.rooms import Clock

pytestmark = pytest.mark.anyio

IMPORT = f"{ROOT}/subscribers/import?have_agreed=true"
HEADERS = {"content-type": "text/csv", "idempotency-key": "e6b1f3d9"}
MANY = ("Email\n" + "".join(f"reader{number}@reader.example\n" for number in range(1_200))).encode()


async def take(program: httpx2.AsyncClient, raw: bytes = MANY) -> httpx2.Response:
    return await program.post(IMPORT, content=raw, headers=HEADERS)


def tally(house: House) -> Tally:
    with house.store.reading() as connection:
        return subscriber_lists.tally(connection)


def times_imported(house: House) -> int:
    with house.store.reading() as connection:
        return len(audit.listed(connection, by=None, act="subscribers_imported", limit=9))


async def test_the_answer_to_the_same_list_is_the_same_and_nothing_is_done_twice(
    program: httpx2.AsyncClient, house: House
) -> None:
    first, again = await take(program), await take(program)
    assert first.json()["added"] == 1_200
    assert again.content == first.content
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    assert times_imported(house) == 1


async def test_others_write_while_it_is_imported(
    program: httpx2.AsyncClient, house: House, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = subscriber_lists.standings

    def look_and_sign_up(connection: Connection, addresses: Sequence[str]) -> dict[str, Standing]:
        found = look(connection, addresses)
        subscribe(house, "ana@reader.example", clock())
        return found

    monkeypatch.setattr(subscriber_lists, "standings", look_and_sign_up)
    assert (await take(program)).status_code == 200
    assert tally(house) == Tally(confirmed=1_200, pending=1)


async def test_what_cannot_be_kept_is_not_done_and_the_same_key_tries_it_anew(
    program: httpx2.AsyncClient, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def taken(*_: object) -> None:
        raise IncidentChangedMeanwhile("the same request is being answered just now")

    monkeypatch.setattr(given_answers, "add", taken)
    assert (await take(program)).status_code == 409
    assert tally(house) == Tally()
    assert times_imported(house) == 0
    monkeypatch.undo()
    assert (await take(program)).json()["added"] == 1_200


async def test_another_list_under_the_same_key_is_refused(program: httpx2.AsyncClient, house: House) -> None:
    await take(program)
    answer = await take(program, b"Email\neve@reader.example\n")
    assert answer.status_code == 422
    assert "take a new one" in answer.json()["detail"]
    assert times_imported(house) == 1


async def test_a_refusal_that_did_nothing_is_answered_again(
    program: httpx2.AsyncClient, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscriber_admin, "ASKED_AT_ONCE", 1)
    path = IMPORT.partition("?")[0]
    answers = [await program.post(path, content=MANY, headers=HEADERS) for _ in range(2)]
    assert [one.status_code for one in answers] == [422, 422]
    assert answers[0].content == answers[1].content
    assert answers[1].headers["idempotency-replayed"] == "true"
    assert tally(house) == Tally()
