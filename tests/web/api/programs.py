"""Programs that call the API, each with a token of some scopes."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime

import httpx2

from service.actions import api_tokens
from service.actions.api_tokens import Scope
from service.actions.house import House
from service.web import api
from service.web.front import Front
from tests.rooms import make_client
from tests.web.employees import ROUTES_FOR_EMPLOYEES

Connect = Callable[..., AbstractAsyncContextManager[httpx2.AsyncClient]]


def make_secret(
    house: House, now: datetime, *scopes: Scope, name: str = "deploy", expires_at: datetime | None = None
) -> str:
    """Make a token and give its secret."""
    return api_tokens.create(
        house, name, scopes or tuple(Scope), house.employee("jordan"), now, expires_at=expires_at
    ).secret


@asynccontextmanager
async def program_at(
    front: Front, scopes: Sequence[Scope] = tuple(Scope), *, name: str = "deploy", calls_a_minute: int = 600
) -> AsyncIterator[httpx2.AsyncClient]:
    """Give a program with a token of some scopes, against an application of its own."""
    secret = make_secret(front.house, front.clock(), *scopes, name=name)
    async with make_client(front, [*api.routes(calls_a_minute), *ROUTES_FOR_EMPLOYEES]) as client:
        client.headers["authorization"] = f"Bearer {secret}"
        yield client
