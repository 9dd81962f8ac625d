"""/api/v1/…: every operation in one table, and the routes that lead to them."""

import sys
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Final

import orjson
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from service.web.api import (
    incidents,
    maintenance,
    monitors,
    opening,
    recorded_days,
    replaying,
    simulating,
    subscribers,
    subscribers_by_hand,
)
from service.web.api.document import openapi
from service.web.api.door import CALLS_A_MINUTE, Door
from service.web.api.operations import JSON, Operation
from service.web.api.problems import answer, refused
from service.web.front import front_of

ROOT: Final = "/api/v1"
OPERATIONS: Final[tuple[Operation, ...]] = (
    *incidents.OPERATIONS,
    *opening.OPERATIONS,
    *maintenance.OPERATIONS,
    *subscribers.OPERATIONS,
    *subscribers_by_hand.OPERATIONS,
    *monitors.OPERATIONS,
    *simulating.OPERATIONS,
    *recorded_days.OPERATIONS,
    *replaying.OPERATIONS,
)

_SAID: Final = {404: "there is nothing at this address", 405: "this is not done here; see `Allow`"}
# Starlette's own bound would answer for us, in its words; the door has bounds of its own
_NO_OTHER_BOUND: Final = sys.maxsize


def routes(calls_a_minute: int = CALLS_A_MINUTE) -> list[Mount]:
    """Give the routes of an application, which counts calls for itself."""
    door = Door(calls_a_minute)
    by_path: dict[str, dict[str, Operation]] = {}
    for one in OPERATIONS:
        by_path.setdefault(one.path, {})[one.method] = one
    found = [
        Route(path, _endpoint(door, by_method), methods=list(by_method))
        for path, by_method in by_path.items()
    ]
    document = Route("/openapi.json", show_document, methods=["GET"])
    problems = Middleware(_Problems)
    return [Mount(ROOT, routes=[document, *found], middleware=[problems], max_body_size=_NO_OTHER_BOUND)]


def _endpoint(door: Door, by_method: dict[str, Operation]) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        # HEAD asks what GET would answer
        return await door.answer(request, by_method.get(request.method) or by_method["GET"])

    return endpoint


async def show_document(request: Request) -> Response:
    """Show the OpenAPI document; it tells nothing of this installation but its address."""
    return Response(_written(front_of(request).house.config.site.url), media_type=JSON)


@cache
def _written(url: str) -> bytes:
    return orjson.dumps(openapi(OPERATIONS, url, ROOT))


class _Problems:
    """Says in a problem document what the router refuses."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        except HTTPException as error:
            said = _SAID.get(error.status_code, error.detail)
            await answer(refused(error.status_code, said, error.headers))(scope, receive, send)
