"""The document and the guide: what they show is what the API does."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import httpx2
import pytest
from pydantic import BaseModel

from service.actions.api_tokens import Scope
from service.web.api import problems
from service.web.api.document import openapi
from service.web.api.operations import Operation
from service.web.api.routes import OPERATIONS, ROOT
from tests.web.outages import Outages

GUIDE = (Path(__file__).parents[3] / "docs" / "api.md").read_text()
URL = "http://status.acme.example"
CALLS = [
    call
    for block in re.findall(r"```sh\n(.*?)```", GUIDE, re.DOTALL)
    for call in re.split(r"(?<!\\)\n(?=curl )", block.strip())
    if call.startswith("curl ")
]
"""What the guide has curl send; its other commands are run by tests/docs/test_examples.py."""
BODIES = sorted({one.body for one in OPERATIONS if one.body is not None}, key=lambda form: form.__name__)


def sent(call: str, secret: str) -> tuple[str, str, dict[str, str], bytes]:
    """Read a curl command: method, path, header fields, body."""
    words = shlex.split(call.replace("\\\n", " ").replace("$TOKEN", secret).replace("$URL", ""))
    method, path, body, headers = "GET", "", b"", {}
    rest = iter(words[1:])
    for word in rest:
        match word:
            case "-s":
                pass
            case "-X":
                method = next(rest)
            case "-H":
                name, _, value = next(rest).partition(": ")
                headers[name] = value
            case "-d":
                body = next(rest).encode()
            case "--data-binary":
                assert next(rest) == "@subscribers.csv"
                body = b"Email\nana@acme.example\n"
            case _:
                path = word
    return method, path, headers, body


@pytest.mark.anyio
async def test_every_example_of_the_guide_works(program: httpx2.AsyncClient, outages: Outages) -> None:
    outages.wait(outages.fire())
    secret = program.headers.pop("authorization").removeprefix("Bearer ")
    assert len(CALLS) > 8
    for call in CALLS:
        method, path, headers, body = sent(call, secret)
        answer = await program.request(method, path, headers=headers, content=body)
        assert answer.status_code in {200, 201}, (call, answer.text)


@pytest.mark.parametrize("scope", Scope)
def test_every_scope_stands_in_the_guide(scope: Scope) -> None:
    assert f"`{scope}`" in GUIDE


@pytest.mark.anyio
async def test_the_document_is_there_without_a_token(program: httpx2.AsyncClient) -> None:
    del program.headers["authorization"]
    answer = await program.get(f"{ROOT}/openapi.json")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json() == openapi(OPERATIONS, URL, ROOT)


def test_the_same_table_gives_the_same_document() -> None:
    first, second = (json.dumps(openapi(OPERATIONS, URL, ROOT)) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.id)
def test_every_operation_is_described(operation: Operation) -> None:
    described = openapi([operation], URL, ROOT)["paths"][ROOT + operation.path][operation.method.lower()]
    assert described["security"] == [{"token": [operation.scope.value]}]
    assert described["summary"]
    assert str(operation.status) in described["responses"]
    named = {one["name"] for one in described["parameters"]}
    assert ("Idempotency-Key" in named) is (operation.method == "POST")


def test_no_two_operations_have_one_name() -> None:
    assert len({one.id for one in OPERATIONS}) == len(OPERATIONS)


@pytest.mark.parametrize("form", BODIES, ids=lambda form: form.__name__)
def test_every_example_of_a_body_is_taken(form: type[BaseModel]) -> None:
    examples: list[dict[str, Any]] = form.model_json_schema().get("examples", [])
    assert examples or not form.model_fields
    for one in examples:
        form.model_validate_json(json.dumps(one))


def test_every_reference_leads_somewhere() -> None:
    document = openapi(OPERATIONS, URL, ROOT)
    for found in set(re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(document))):
        place: Any = document
        for part in found.split("/"):
            place = place[part]
        assert isinstance(place, dict)


def test_no_reason_is_given_where_none_was() -> None:
    assert json.loads(problems.written(problems.problem_of(404, "there is nothing"))) == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "There is nothing.",
    }
