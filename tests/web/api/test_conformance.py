"""Whatever is sent, the API answers as its OpenAPI document says: tried with requests that schemathesis makes up."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import Phase as HypothesisPhase
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.python.asgi import ASGIClient, get_client
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from service.web import api
from service.web.api.document import openapi
from service.web.api.operations import Operation
from service.web.api.routes import OPERATIONS, ROOT
from service.web.application import build
from tests.rooms import CONFIG, Clock, make_front, make_house
from tests.web.api.programs import make_secret
from tests.web.outages import ECHO_MONITOR, Outages

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
    unsupported_method,
]
MANY_CALLS = 1_000_000
ROWS = 3
"""Things of each kind that there are; numbers beyond are tried too."""
SCHEMA = schemathesis.openapi.from_dict(openapi(OPERATIONS, "http://status.acme.example", ROOT))


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ASGIClient]:
    """Give a program that may do everything, at a house to which something happened."""
    clock = Clock()
    house = make_house(tmp_path_factory.mktemp("api"), CONFIG + ECHO_MONITOR)
    outages = Outages(house, clock)
    for _ in range(ROWS):
        outages.publish(outages.fire(name="Echo", subject="Echo", message="It echoes."))
    secret = make_secret(house, clock())
    application: Any = build(make_front(house, clock), api.routes(MANY_CALLS))
    with get_client(application) as client:
        client.headers["Authorization"] = f"Bearer {secret}"
        yield client
    house.store.close()


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.id)
def test_every_operation_answers_as_the_document_says(
    operation: Operation, mode: GenerationMode, program: ASGIClient
) -> None:
    described = SCHEMA[ROOT + operation.path][operation.method]

    @given(described.as_strategy(generation_mode=mode), st.integers(1, ROWS + 1))
    @settings(
        max_examples=4,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[HypothesisPhase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def answers(case: schemathesis.Case[Any], number: int) -> None:
        if mode is GenerationMode.POSITIVE:
            case.path_parameters = dict.fromkeys(operation.names, number)
        case.call_and_validate(session=program, checks=CHECKS)

    answers()
