"""Whoever asks a database that is away for something is told whether it was done, and when to ask again."""

import errno
import os

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from service.actions.house import House
from service.errors import MachineExhausted, OutcomeUnknown, StoreUnavailable
from service.store.patient_connections import Silence, Silent
from service.web.api.problems import of_error
from service.web.guards import BoundedWaits

pytestmark = pytest.mark.anyio

NOT_DONE = "Nothing was changed; try again in a moment."
UNKNOWN = "It may have been done, or not."


@pytest.mark.parametrize(("error", "said"), [(StoreUnavailable, NOT_DONE), (OutcomeUnknown, UNKNOWN)])
async def test_a_page_says_whether_it_was_done(
    reader: httpx2.AsyncClient,
    house: House,
    monkeypatch: pytest.MonkeyPatch,
    error: type[StoreUnavailable],
    said: str,
) -> None:
    def refuse(**_how: bool) -> None:
        raise error("the server did not answer for 5 seconds")

    monkeypatch.setattr(house.store, "transaction", refuse)
    answer = await reader.post("/subscribe", data={"email": "ana@reader.example"})
    assert answer.status_code == 503
    assert said in answer.text
    assert [one in answer.text for one in (NOT_DONE, UNKNOWN)].count(True) == 1
    assert "did not answer for 5 seconds" not in answer.text
    assert answer.headers["retry-after"].isdecimal()


async def test_who_comes_while_nothing_can_be_opened_is_told_to_come_again(
    reader: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cannot_be_opened(*_: object, **__: object) -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE), "subscribe.html")

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr("service.web.public.subscribing.page", cannot_be_opened)
        answer = await reader.get("/subscribe")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "Look whether it was before you try again" in answer.text
    assert (await reader.get("/subscribe")).status_code == 200


async def test_another_fault_of_the_system_is_one_of_ours(
    reader: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def is_not_there(*_: object, **__: object) -> None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), "subscribe.html")

    monkeypatch.setattr("service.web.public.subscribing.page", is_not_there)
    with pytest.raises(FileNotFoundError):
        await reader.get("/subscribe")


def test_the_api_says_whether_it_was_done() -> None:
    told = [of_error(error("gone")) for error in (StoreUnavailable, OutcomeUnknown, MachineExhausted)]
    assert [one.problem.status for one in told] == [503, 503, 503]
    assert ["nothing was done" in one.problem.detail for one in told] == [True, False, True]
    assert "same Idempotency-Key" in told[1].problem.detail
    assert all(one.headers["retry-after"].isdecimal() for one in told)


@pytest.mark.parametrize(
    ("path", "is_bounded"), [("/dashboard", True), ("/api/v1/x", True), ("/webhook/generic", False)]
)
async def test_only_a_post_has_a_patience_of_its_own(path: str, *, is_bounded: bool) -> None:
    silence = Silence()
    silence.note()

    def ask(_request: Request) -> PlainTextResponse:
        try:
            silence.refuse()
        except Silent:
            return PlainTextResponse("refused")
        return PlainTextResponse("waits")

    application = BoundedWaits(Starlette(routes=[Route(path, ask)]))
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(application), base_url="http://a.example"
    ) as client:
        assert (await client.get(path)).text == ("refused" if is_bounded else "waits")
