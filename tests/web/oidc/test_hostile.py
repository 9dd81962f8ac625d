"""Nobody is let in by a trick: by another's answer, another's token, or by trying often."""

from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from service.actions.house import House
from service.actions.signing_on import LIFETIME
from service.store import audit
from service.web.login.letting_in import SESSION_COOKIE
from service.web.login.rates import REFUSALS_AN_HOUR
from tests.rooms import Clock
from tests.web.oidc.identity_provider import (
    CLIENT_ID,
    CLIENT_SECRET,
    KEY,
    OTHER_KEY,
    Browse,
    IdentityProvider,
    answer_to,
    enter,
    unsigned,
)

pytestmark = pytest.mark.anyio


async def test_an_answer_counts_once(browser: httpx2.AsyncClient, provider: IdentityProvider) -> None:
    begun = await browser.get("/login/oidc")
    answer = answer_to(provider.log_in(begun.headers["location"]))
    assert (await browser.get(answer)).status_code == 303
    again = await browser.get(answer)
    assert (again.status_code, "begin again" in again.text) == (403, True)


async def test_an_answer_that_another_browser_asked_for_lets_nobody_in(
    browse: Browse, provider: IdentityProvider
) -> None:
    async with browse() as attacker, browse() as victim:
        begun = await attacker.get("/login/oidc")
        answer = answer_to(provider.log_in(begun.headers["location"]))
        refused = await victim.get(answer)
        assert (refused.status_code, SESSION_COOKIE in victim.cookies) == (403, False)
        await victim.get("/login/oidc")
        assert (await victim.get(answer)).status_code == 403


async def test_an_answer_that_comes_too_late_lets_nobody_in(
    browser: httpx2.AsyncClient, provider: IdentityProvider, clock: Clock
) -> None:
    begun = await browser.get("/login/oidc")
    clock.move(LIFETIME)
    refused = await browser.get(answer_to(provider.log_in(begun.headers["location"])))
    assert refused.status_code == 403
    assert "more than ten minutes ago" in refused.text


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_another_site_sends_nobody_to_the_provider(browser: httpx2.AsyncClient, site: str) -> None:
    shown = await browser.get("/login/oidc", headers={"sec-fetch-site": site})
    assert shown.status_code == 200
    assert "Log in with Acme SSO" in shown.text


@pytest.mark.parametrize(
    "changed",
    [{"state": "x"}, {"state": ""}, {"code": ""}, {"code": "c" * 5_000}, {"iss": "https://evil.example"}],
    ids=str,
)
async def test_an_answer_that_was_tampered_with_lets_nobody_in(
    browser: httpx2.AsyncClient, provider: IdentityProvider, changed: dict[str, str]
) -> None:
    refused = await enter(browser, provider, **changed)
    assert (refused.status_code, SESSION_COOKIE in browser.cookies) == (403, False)


LONG_AGO = 1_795_000_000
CLAIMS: list[tuple[dict[str, Any], str]] = [
    ({"nonce": "another"}, "not for this log-in"),
    ({"nonce": None}, "not for this log-in"),
    ({"aud": "another"}, "not for this log-in"),
    ({"aud": [CLIENT_ID, "another"]}, "not for this log-in"),
    ({"aud": None}, "not for this log-in"),
    ({"iss": "https://evil.example"}, "not for this log-in"),
    ({"iss": None}, "not for this log-in"),
    ({"exp": LONG_AGO}, "not for this log-in"),
    ({"exp": None}, "not for this log-in"),
    ({"exp": "soon"}, "not for this log-in"),
    ({"iat": 1_900_000_000}, "not for this log-in"),
    ({"azp": "another"}, "not for this log-in"),
    ({"at_hash": "AAAA"}, "not for this log-in"),
    ({"email_verified": False}, "does not say that it has verified"),
    ({"email_verified": None}, "does not say that it has verified"),
    ({"email_verified": 1}, "does not say that it has verified"),
    ({"email_verified": [True]}, "does not say that it has verified"),
    ({"email_verified": "yes"}, "does not say that it has verified"),
    ({"email": "eve@evil.example"}, "Eve@evil.example is no employee"),
    ({"email": "sam@acme.example.evil.example"}, "is no employee"),
    ({"email": "no address"}, "does not tell your e-mail address"),
    ({"email": ["sam@acme.example"]}, "does not tell your e-mail address"),
]


@pytest.mark.parametrize(("claims", "said"), CLAIMS, ids=[str(claims) for claims, _ in CLAIMS])
async def test_what_proves_no_employee_s_identity_lets_nobody_in(
    browser: httpx2.AsyncClient, provider: IdentityProvider, house: House, claims: dict[str, Any], said: str
) -> None:
    provider.claims = claims
    provider.userinfo = {"sub": "4711"}
    refused = await enter(browser, provider)
    assert (refused.status_code, SESSION_COOKIE in browser.cookies) == (403, False)
    assert said.casefold() in refused.text.casefold()
    with house.store.reading() as connection:
        [noted] = audit.listed(connection, limit=9)
    assert (noted.by, noted.act, noted.about) == ("", "login_refused", "oidc")


SIGNERS: list[tuple[str, Callable[[dict[str, Any]], str]]] = [
    ("none", unsigned),
    ("another's key", lambda claims: jwt.encode({"alg": "RS256", "kid": "one"}, claims, OTHER_KEY)),
    ("an unknown key", lambda claims: jwt.encode({"alg": "RS256", "kid": "two"}, claims, OTHER_KEY)),
    (
        "our own secret",
        lambda claims: jwt.encode(
            {"alg": "HS256", "kid": "one"}, claims, OctKey.import_key(CLIENT_SECRET * 8), algorithms=["HS256"]
        ),
    ),
    (
        "the public key as a secret",
        lambda claims: jwt.encode(
            {"alg": "HS256", "kid": "one"}, claims, OctKey.import_key(str(KEY.as_dict(private=False)["n"]))
        ),
    ),
    ("nobody", lambda _: "a.b.c"),
    ("not even a token", lambda _: ""),
]


@pytest.mark.parametrize("sign", [sign for _, sign in SIGNERS], ids=[name for name, _ in SIGNERS])
async def test_what_the_provider_did_not_sign_lets_nobody_in(
    browser: httpx2.AsyncClient, provider: IdentityProvider, sign: Callable[[dict[str, Any]], str]
) -> None:
    provider.sign = sign
    refused = await enter(browser, provider)
    assert (refused.status_code, SESSION_COOKIE in browser.cookies) == (403, False)
    assert "not signed as it must be" in refused.text


async def test_what_the_person_denied_is_said_in_our_words(
    browser: httpx2.AsyncClient, provider: IdentityProvider
) -> None:
    refused = await enter(browser, provider, error="access_denied", error_description="<b>phone 0190</b>")
    assert refused.status_code == 403
    assert "Acme SSO did not let you in" in refused.text
    assert "0190" not in refused.text


async def test_a_client_that_is_refused_again_and_again_has_to_wait(
    browser: httpx2.AsyncClient, provider: IdentityProvider, house: House
) -> None:
    codes = [(await browser.get("/login/oidc/callback?state=x")).status_code for _ in range(25)]
    assert codes == [403] * REFUSALS_AN_HOUR + [429] * (25 - REFUSALS_AN_HOUR)
    with house.store.reading() as connection:
        assert len(audit.listed(connection, limit=99)) == REFUSALS_AN_HOUR
    assert (await enter(browser, provider)).status_code == 429


async def test_strangers_keep_nobody_out_of_a_browser_that_is_known(
    browse: Browse, provider: IdentityProvider
) -> None:
    async with browse() as browser, browse() as stranger:
        await enter(browser, provider)
        await browser.post("/logout")
        for _ in range(REFUSALS_AN_HOUR):
            await stranger.get("/login/oidc/callback")
        assert (await stranger.get("/login/oidc/callback")).status_code == 429
        assert (await enter(browser, provider)).status_code == 303
