"""Logging in at a real OpenID Connect provider, in a process and on a port of its own."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import pytest

from service.web.application import build
from tests.rooms import CONFIG, Clock, make_front, make_house
from tests.web.employees import ALL_ROUTES
from tests.web.oidc.real_provider import running_provider

pytestmark = pytest.mark.anyio

Enter = Callable[[str, dict[str, object]], Awaitable[tuple[httpx2.AsyncClient, httpx2.Response]]]


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    """Run it."""
    with running_provider() as address:
        yield address


@pytest.fixture
async def enter(issuer: str, tmp_path: Path) -> AsyncIterator[Enter]:
    """Give a way to log in, in a browser, as somebody of whom the provider says something."""
    login = f"login: {{oidc: {{issuer: '{issuer}', client_id: replycast, client_secret: s}}}}\n"
    house = make_house(tmp_path, CONFIG + login)
    application = build(make_front(house, Clock(datetime.now(UTC))), ALL_ROUTES)
    transport = httpx2.ASGITransport(app=application)
    async with (
        httpx2.AsyncClient() as outside,
        httpx2.AsyncClient(transport=transport, base_url=house.config.site.url) as browser,
    ):

        async def log_in(sub: str, claims: dict[str, object]) -> tuple[httpx2.AsyncClient, httpx2.Response]:
            await outside.put(f"{issuer}/users/{sub}", json=claims)
            begun = await browser.get("/login/oidc?next=/dashboard/inbox")
            agreed = await outside.post(begun.headers["location"], data={"sub": sub})
            return browser, await browser.get(agreed.headers["location"])

        yield log_in
    house.store.close()


async def test_an_employee_logs_in_at_a_real_provider(enter: Enter) -> None:
    browser, entered = await enter("4711", {"email": "sam@acme.example", "email_verified": True})
    assert (entered.status_code, entered.headers["location"]) == (303, "/dashboard/inbox")
    assert "Sam Lee" in (await browser.get("/dashboard")).text


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ({"email": "sam@acme.example"}, "does not say that it has verified sam@acme.example"),
        ({"email": "eve@evil.example", "email_verified": True}, "eve@evil.example is no employee"),
        ({"name": "Sam"}, "does not tell your e-mail address"),
    ],
    ids=["unverified", "nobody", "no address"],
)
async def test_nobody_else_does(enter: Enter, claims: dict[str, object], said: str) -> None:
    _, refused = await enter("815", claims)
    assert refused.status_code == 403
    assert said.casefold() in refused.text.casefold()
