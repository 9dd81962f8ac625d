"""A provider that changes its keys, or is out of order: asked no more than needed, and nobody's failed log-in."""

from typing import Any

import httpx2
import pytest
from joserfc import jwt
from structlog.testing import capture_logs

from service.actions.house import House
from service.config.settings import Oidc, Secret
from service.store import audit
from service.web.application import build
from service.web.front import Front
from service.web.login.letting_in import SESSION_COOKIE
from service.web.login.oidc_provider import FAILED_FOR, KEPT, KEYS_AGAIN, Provider
from service.web.login.rates import REFUSALS_AN_HOUR
from tests.rooms import Clock
from tests.web.employees import ALL_ROUTES
from tests.web.oidc.identity_provider import (
    CLIENT_ID,
    ISSUER,
    KEY,
    OTHER_KEY,
    Browse,
    IdentityProvider,
    enter,
)

pytestmark = pytest.mark.anyio


async def test_places_and_keys_are_read_once_an_hour(
    browse: Browse, provider: IdentityProvider, clock: Clock
) -> None:
    for _ in range(3):
        async with browse() as browser:
            assert (await enter(browser, provider)).status_code == 303
    assert sorted(provider.asked) == ["/.well-known/openid-configuration", "/keys", *["/token"] * 3]
    clock.move(KEPT)
    async with browse() as browser:
        assert (await enter(browser, provider)).status_code == 303
    assert provider.asked.count("/keys") == provider.asked.count("/.well-known/openid-configuration") == 2


async def test_a_provider_that_changes_its_key_is_believed_at_once_and_asked_once_a_minute(
    browse: Browse, provider: IdentityProvider, clock: Clock
) -> None:
    async with browse() as browser:
        await enter(browser, provider)
    clock.move(KEYS_AGAIN)
    provider.keys = [OTHER_KEY]
    provider.sign = lambda claims: jwt.encode({"alg": "RS256", "kid": "two"}, claims, OTHER_KEY)
    async with browse() as browser:
        assert (await enter(browser, provider)).status_code == 303
    provider.sign = lambda claims: jwt.encode({"alg": "RS256", "kid": "one"}, claims, KEY)
    for _ in range(3):
        async with browse() as browser:
            assert (await enter(browser, provider)).status_code == 403
    assert provider.asked.count("/keys") == 2


@pytest.mark.parametrize(
    "places",
    [
        {"issuer": "https://evil.example"},
        {"issuer": None},
        {"authorization_endpoint": "http://login.acme.example/authorize"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": None},
        {"more": "x" * 300_000},
    ],
    ids=lambda places: str(places)[:60],
)
async def test_a_provider_out_of_order_is_said_to_be_so(
    browser: httpx2.AsyncClient, provider: IdentityProvider, places: dict[str, Any]
) -> None:
    provider.places = places
    with capture_logs() as logs:
        shown = await browser.get("/login/oidc")
    assert shown.status_code == 503
    assert "Acme SSO cannot be asked just now" in shown.text
    assert [one["event"] for one in logs] == ["the log-in provider is out of order"]


async def test_a_provider_out_of_order_is_left_alone_for_half_a_minute(
    browser: httpx2.AsyncClient, provider: IdentityProvider, clock: Clock
) -> None:
    provider.places = {"more": "x" * 300_000}
    for _ in range(2):
        assert (await browser.get("/login/oidc")).status_code == 503
    provider.places = {}
    assert (await browser.get("/login/oidc")).status_code == 503
    assert len(provider.asked) == 1
    clock.move(FAILED_FOR)
    assert (await enter(browser, provider)).status_code == 303


@pytest.mark.parametrize(
    "changes",
    [{"places": {"jwks_uri": None}}, {"keys": []}, {"places": {"token_endpoint": f"{ISSUER}/nowhere"}}],
    ids=str,
)
async def test_a_fault_of_the_provider_counts_against_nobody(
    browser: httpx2.AsyncClient, provider: IdentityProvider, house: House, changes: dict[str, Any]
) -> None:
    for name, value in changes.items():
        setattr(provider, name, value)
    for _ in range(REFUSALS_AN_HOUR + 1):
        refused = await enter(browser, provider)
        assert (refused.status_code, SESSION_COOKIE in browser.cookies) == (503, False)
    with house.store.reading() as connection:
        assert audit.listed(connection, limit=9) == ()


async def test_a_provider_that_cannot_be_reached_is_said_to_be_so(front: Front, clock: Clock) -> None:
    application = build(front, ALL_ROUTES)
    nowhere = Oidc("Acme SSO", "http://127.0.0.1:9", CLIENT_ID, Secret(""), ("openid",))
    application.state.oidc = Provider(nowhere, front.house.config.site.url)
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=application), base_url="http://status.acme.example"
    ) as browser:
        assert (await browser.get("/login/oidc")).status_code == 503
