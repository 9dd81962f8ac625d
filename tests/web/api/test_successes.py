"""Every operation succeeds where it may, and what it answers then is what the OpenAPI document says."""

import json
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from schemathesis.core import NOT_SET
from schemathesis.python.asgi import ASGIClient, get_client

from service.web import api
from service.web.api.operations import JSON, Operation
from service.web.api.routes import OPERATIONS, ROOT
from service.web.application import build
from tests.rooms import Clock, make_front, make_house
from tests.web.api.programs import make_secret
from tests.web.api.test_conformance import CHECKS, MANY_CALLS, SCHEMA
from tests.web.office import TEXT, Office, live

MOST_ROWS = 8
"""Of one kind, that are tried until one is in a state that allows the operation."""
A_LIST = "Email\nana@acme.example\n"


@pytest.fixture
def program(tmp_path: Path) -> Iterator[ASGIClient]:
    """Give a program that may do everything, at a house in which something of everything happened."""
    clock, house = Clock(), make_house(tmp_path, TEXT)
    office = Office(house, clock, house.config.site.url)
    live(office)
    office.outages.wait(office.outages.fire())
    application: Any = build(make_front(house, clock), api.routes(MANY_CALLS))
    with get_client(application) as client:
        client.headers["Authorization"] = f"Bearer {make_secret(house, clock(), name='everything')}"
        yield client
    house.store.close()


def body_of(operation: Operation) -> Any:  # noqa: ANN401  whatever JSON has
    """Give what the document shows as its body."""
    if not operation.takes_body:
        return NOT_SET
    if operation.body_type != JSON or operation.body is None:
        return A_LIST
    examples: list[dict[str, Any]] = operation.body.model_json_schema().get("examples", [{}])
    return json.loads(json.dumps(examples[0]))


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.id)
def test_an_operation_that_succeeds_answers_as_the_document_says(
    operation: Operation, program: ASGIClient
) -> None:
    described = SCHEMA[ROOT + operation.path][operation.method]
    statuses = []
    for numbers in product(range(1, MOST_ROWS + 1), repeat=len(operation.names)):
        case = described.Case(
            path_parameters=dict(zip(operation.names, numbers, strict=True)),
            body=body_of(operation),
            media_type=operation.body_type if operation.takes_body else None,
        )
        answer = case.call_and_validate(session=program, checks=CHECKS)
        statuses.append(answer.status_code)
        if answer.status_code == operation.status:
            return
    pytest.fail(f"it never succeeds: {statuses}")
