"""What every operation has in common: forms that are agreed on, bounds, faults named by field, pages."""

import json
from typing import Any

import httpx2
import pytest

from service.web.api.accepting import accepts, is_of_type
from service.web.api.routes import ROOT
from tests.effort import counting
from tests.web.outages import Outages

pytestmark = pytest.mark.anyio

UPDATES = f"{ROOT}/incidents/1/updates"
JSON = {"content-type": "application/json"}


def problem(answer: httpx2.Response, status: int) -> dict[str, Any]:
    """Read a problem document, as every refusal is."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    found: dict[str, Any] = answer.json()
    assert (found["type"], found["status"]) == ("about:blank", status)
    return found


@pytest.mark.parametrize("path", ["/", "/nowhere", "/incidents/x", "/incidents/0", f"/incidents/{'9' * 30}"])
async def test_where_nothing_is_a_problem_says_so(path: str, program: httpx2.AsyncClient) -> None:
    assert problem(await program.get(ROOT + path), 404)["title"] == "Not Found"


@pytest.mark.parametrize("tag", ["INC-4", "inc-4"])
async def test_who_writes_the_tag_of_an_incident_is_told_to_write_its_number(
    tag: str, program: httpx2.AsyncClient
) -> None:
    answer = problem(await program.get(f"{ROOT}/incidents/{tag}"), 404)
    assert answer["detail"] == f"Write the number alone: 4 in place of {tag}."


async def test_a_method_that_is_not_there_names_those_that_are(program: httpx2.AsyncClient) -> None:
    answer = await program.put(f"{ROOT}/maintenance")
    problem(answer, 405)
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD", "POST"}


async def test_head_answers_as_get_without_a_body(program: httpx2.AsyncClient) -> None:
    answer = await program.head(f"{ROOT}/incidents")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")


async def test_a_form_that_is_not_taken_is_not_sent(program: httpx2.AsyncClient) -> None:
    problem(await program.get(f"{ROOT}/incidents", headers={"accept": "text/html"}), 406)
    problem(await program.get(f"{ROOT}/subscribers/export", headers={"accept": "application/json"}), 406)


@pytest.mark.parametrize(
    ("accept", "is_taken"),
    [
        ("", True),
        ("*/*", True),
        ("application/*;q=0.5", True),
        ("text/html, application/json;q=0.1", True),
        ("text/html", False),
        ("application/json;q=0", False),
        ("*/*, application/json;q=0.0", False),
        ("APPLICATION/JSON", True),
        (";;;,,", False),
    ],
)
def test_accept_is_read_by_its_most_precise_range(accept: str, *, is_taken: bool) -> None:
    assert accepts(accept, "application/json") is is_taken


@pytest.mark.parametrize(
    ("content_type", "is_json"),
    [
        ("application/json", True),
        ('Application/JSON; charset="UTF-8"', True),
        ("application/json; charset=latin-1", False),
        ("text/plain", False),
        ("", False),
    ],
)
def test_a_body_is_taken_for_what_it_is_said_to_be(content_type: str, *, is_json: bool) -> None:
    assert is_of_type(content_type, "application/json") is is_json


async def test_a_body_of_another_kind_is_not_read(program: httpx2.AsyncClient) -> None:
    answer = await program.post(UPDATES, content=b"status=identified", headers={"content-type": "text/plain"})
    problem(answer, 415)
    assert answer.headers["accept"] == "application/json"


@pytest.mark.parametrize("is_declared", [True, False])
async def test_a_body_that_is_too_large_is_not_read(
    program: httpx2.AsyncClient, *, is_declared: bool
) -> None:
    async def chunks() -> Any:  # noqa: ANN401  an async iterator of bytes
        for _ in range(5):
            yield b" " * 64 * 1024

    content = b" " * (256 * 1024 + 1) if is_declared else chunks()
    assert problem(await program.post(UPDATES, content=content, headers=JSON), 413)["detail"] == (
        "The body is over 256 KiB."
    )


@pytest.mark.parametrize(
    "body", [b"{", b"\xff", b'{"status": "\\ud800"}', b"[" * 1000, b'{"status": 1}}', b"'"]
)
async def test_what_is_no_json_is_said_to_be_none(body: bytes, program: httpx2.AsyncClient) -> None:
    answer = await program.post(UPDATES, content=body, headers=JSON)
    assert "no JSON" in problem(answer, 400)["detail"]


@pytest.mark.parametrize(
    ("sent", "pointers"),
    [
        ({}, ["/status", "/body"]),
        ({"status": "identified", "body": "B", "also/~": 1}, ["/also~1~0"]),
        ({"status": "scheduled", "body": "B"}, ["/status"]),
        ({"status": "identified", "body": 5}, ["/body"]),
        ({"status": "identified", "body": " \n"}, ["/body"]),
        ({"status": "identified", "body": "a\0b"}, ["/body"]),
        ({"status": "identified", "body": "x" * 20_001}, ["/body"]),
        ([], [""]),
    ],
)
async def test_every_fault_of_a_body_is_named(
    sent: object, pointers: list[str], program: httpx2.AsyncClient, outages: Outages
) -> None:
    outages.publish(outages.fire())
    found = problem(await program.post(UPDATES, json=sent), 422)
    assert [one["pointer"] for one in found["errors"]] == pointers
    assert len((await program.get(UPDATES)).json()["items"]) == 1


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=ten", "limit"),
        ("limit=1&limit=2", "limit"),
        ("before=-1", "before"),
        ("before=%201", "before"),
        ("phase=open", "phase"),
        ("since=2026-11-24", "since"),
        ("until=2026-11-24T00:00:00", "until"),
        ("component=", "component"),
        ("nonsense=1", "nonsense"),
    ],
)
async def test_every_fault_of_the_parameters_is_named(
    query: str, parameter: str, program: httpx2.AsyncClient
) -> None:
    found = problem(await program.get(f"{ROOT}/incidents?{query}"), 422)
    assert [one["parameter"] for one in found["errors"]] == [parameter]


async def test_a_list_is_read_on_to_its_end(program: httpx2.AsyncClient, outages: Outages) -> None:
    for _ in range(5):
        outages.fire("Echo", subject="S", message="M")
    before, pages = "", []
    while True:
        page = (await program.get(f"{ROOT}/incidents?limit=2{before}")).json()
        pages.append([one["id"] for one in page["items"]])
        if page["next_before"] is None:
            break
        before = f"&before={page['next_before']}"
    assert pages == [[5, 4], [3, 2], [1]]


async def test_times_are_utc_as_rfc_3339_has_them(program: httpx2.AsyncClient, outages: Outages) -> None:
    outages.fire()
    (one,) = (await program.get(f"{ROOT}/incidents")).json()["items"]
    assert one["started_at"] == "2026-11-24T12:00:00Z"


async def test_an_order_without_fields_needs_no_body(program: httpx2.AsyncClient, outages: Outages) -> None:
    outages.fire()
    answer = await program.post(f"{ROOT}/incidents/1/discard")
    assert json.loads(answer.text)["reason"] == "discarded"


async def test_a_great_many_parameters_are_refused_by_their_number(
    program: httpx2.AsyncClient,
) -> None:
    path = f"{ROOT}/incidents?{'&'.join(f'{number:x}' for number in range(12_000))}"
    with counting() as effort:
        answer = await program.get(path)
    # each looked up among all of them took two seconds and more, while nobody else was answered
    assert effort.calls < 2_000_000
    assert len(problem(answer, 422)["errors"]) == 1_000
