"""Who is let in: each operation by a token of its scope alone, and nobody by a cookie."""

from datetime import timedelta

import httpx2
import pytest
from starlette.routing import Route

from service.actions import api_tokens
from service.actions.api_tokens import Scope
from service.web import api
from service.web.api.operations import Operation
from service.web.api.routes import OPERATIONS, ROOT
from service.web.front import Front
from service.web.login import letting_in
from tests.rooms import Clock, make_client
from tests.web.api.programs import make_secret, program_at
from tests.web.employees import start_session

pytestmark = pytest.mark.anyio

every_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.id)


def path_of(operation: Operation) -> str:
    return ROOT + operation.path.replace("{id}", "1").replace("{update}", "1")


@pytest.fixture
async def stranger(front: Front) -> httpx2.AsyncClient:
    """Give a program without a token."""
    return make_client(front, api.routes())


@every_operation
async def test_without_a_token_nothing_is_answered(
    operation: Operation, stranger: httpx2.AsyncClient
) -> None:
    answer = await stranger.request(operation.method, path_of(operation))
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="Replycast API"'
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["title"] == "Unauthorized"


@every_operation
async def test_every_scope_but_its_own_opens_nothing(operation: Operation, front: Front) -> None:
    others = [scope for scope in Scope if scope is not operation.scope]
    async with program_at(front, others) as program:
        answer = await program.request(operation.method, path_of(operation))
    assert answer.status_code == 403
    assert f'error="insufficient_scope", scope="{operation.scope}"' in answer.headers["www-authenticate"]
    assert answer.json()["detail"] == f"The token `deploy` lacks the scope `{operation.scope}`."


@every_operation
async def test_its_own_scope_is_enough(operation: Operation, front: Front) -> None:
    async with program_at(front, [operation.scope]) as program:
        answer = await program.request(operation.method, path_of(operation))
    assert answer.status_code not in {401, 403, 405}


def test_every_route_stands_in_the_table() -> None:
    (mount,) = api.routes()
    here = [route for route in mount.routes if isinstance(route, Route) and route.path != "/openapi.json"]
    routed = {(method, route.path) for route in here for method in (route.methods or set()) - {"HEAD"}}
    assert routed == {(one.method, one.path) for one in OPERATIONS}


@every_operation
async def test_an_employees_cookie_opens_nothing(operation: Operation, front: Front, clock: Clock) -> None:
    async with make_client(front, api.routes()) as browser:
        browser.cookies.set(letting_in.SESSION_COOKIE, start_session(front.house, clock, "jordan"))
        answer = await browser.request(operation.method, path_of(operation))
    assert answer.status_code == 401


@pytest.mark.parametrize(
    "sent",
    ["Bearer", "Bearer rc_", f"Bearer rc_{'x' * 43}", "Bearer x", "Basic cmM6cmM=", "rc_", "Bearer \xe9"],
)
async def test_what_is_no_token_of_ours_opens_nothing(sent: str, stranger: httpx2.AsyncClient) -> None:
    answer = await stranger.get(f"{ROOT}/incidents", headers=[(b"authorization", sent.encode("latin-1"))])
    assert answer.status_code == 401


async def test_the_name_of_the_scheme_has_no_case(front: Front, stranger: httpx2.AsyncClient) -> None:
    secret = make_secret(front.house, front.clock())
    answer = await stranger.get(f"{ROOT}/monitors", headers={"authorization": f"bearer {secret}"})
    assert answer.status_code == 200


async def test_what_is_revoked_opens_nothing(front: Front, program: httpx2.AsyncClient, clock: Clock) -> None:
    assert (await program.get(f"{ROOT}/monitors")).status_code == 200
    api_tokens.revoke(front.house, "deploy", None, clock())
    answer = await program.get(f"{ROOT}/monitors")
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


async def test_what_has_expired_opens_nothing(
    front: Front, stranger: httpx2.AsyncClient, clock: Clock
) -> None:
    end = clock() + timedelta(hours=1)
    headers = {"authorization": f"Bearer {make_secret(front.house, clock(), expires_at=end)}"}
    assert (await stranger.get(f"{ROOT}/monitors", headers=headers)).status_code == 200
    clock.move(timedelta(hours=1))
    assert (await stranger.get(f"{ROOT}/monitors", headers=headers)).status_code == 401


async def test_who_calls_too_often_is_told_when_to_come_again(front: Front) -> None:
    async with program_at(front, calls_a_minute=2) as busy:
        answers = [await busy.get(f"{ROOT}/monitors") for _ in range(3)]
        assert [one.status_code for one in answers] == [200, 200, 429]
        assert 1 <= int(answers[2].headers["retry-after"]) <= 60


async def test_each_token_has_an_allowance_of_its_own(front: Front) -> None:
    async with program_at(front, calls_a_minute=1) as program:
        await program.get(f"{ROOT}/monitors")
        other = {"authorization": f"Bearer {make_secret(front.house, front.clock(), name='other')}"}
        assert (await program.get(f"{ROOT}/monitors")).status_code == 429
        assert (await program.get(f"{ROOT}/monitors", headers=other)).status_code == 200


async def test_no_page_of_another_site_can_read_or_order(program: httpx2.AsyncClient) -> None:
    headers = {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}
    read = await program.get(f"{ROOT}/incidents", headers=headers)
    assert not [name for name in read.headers if name.startswith("access-control-")]
    ordered = await program.post(f"{ROOT}/incidents/1/discard", headers=headers)
    assert ordered.status_code == 403
