"""Logging in at an OpenID Connect provider: who it proves to be an employee is let in, and nobody by a trick."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey
from structlog.testing import capture_logs

from service.actions.house import House
from service.actions.signing_on import LIFETIME
from service.config.settings import Oidc, Secret
from service.store import audit
from service.web.application import build
from service.web.front import Front
from service.web.login import SESSION_COOKIE
from service.web.login_rates import REFUSALS_AN_HOUR
from service.web.oidc_provider import KEPT, KEYS_AGAIN, Provider
from tests.rooms import CONFIG, Clock, make_front, make_house
from tests.web.employees import ALL_ROUTES
from tests.web.identity_provider import (
    CLIENT_ID,
    CLIENT_SECRET,
    ISSUER,
    KEY,
    OTHER_KEY,
    IdentityProvider,
    answer_to,
    unsigned,
)

pytestmark = pytest.mark.anyio

OIDC = f"""\
login:
  oidc: {{name: Acme SSO, issuer: "{ISSUER}", client_id: {CLIENT_ID}, client_secret: {CLIENT_SECRET}}}
"""
Browse = Callable[[], httpx2.AsyncClient]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Give a house whose employees may log in at a provider."""
    made = make_house(tmp_path, CONFIG + OIDC)
    yield made
    made.store.close()


@pytest.fixture
def front(house: House, clock: Clock) -> Front:
    """Give the web's view of it."""
    return make_front(house, clock)


@pytest.fixture
def provider(clock: Clock) -> IdentityProvider:
    """Give the provider."""
    return IdentityProvider(clock)


@pytest.fixture
def browse(front: Front, provider: IdentityProvider) -> Browse:
    """Give browsers that were never here before."""
    application = build(front, ALL_ROUTES)
    oidc = front.house.config.login.oidc
    assert oidc is not None
    application.state.oidc = Provider(oidc, front.house.config.site.url, provider.transport())
    return lambda: httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=application), base_url=front.house.config.site.url
    )


@pytest.fixture
async def browser(browse: Browse) -> AsyncIterator[httpx2.AsyncClient]:
    """Give one of them."""
    async with browse() as client:
        yield client


async def enter(
    browser: httpx2.AsyncClient, provider: IdentityProvider, wanted: str = "", **changed: str
) -> httpx2.Response:
    """Log in; `changed` are parameters of the answer that are not as the provider gave them."""
    begun = await browser.get(f"/login/oidc?next={wanted}")
    return await browser.get(answer_to(provider.log_in(begun.headers["location"]) | changed))


async def test_whom_the_provider_knows_comes_to_the_page_that_was_wanted(
    browser: httpx2.AsyncClient, provider: IdentityProvider
) -> None:
    form = await browser.get("/login?next=/dashboard/inbox")
    assert 'href="/login/oidc?next=/dashboard/inbox"' in form.text
    assert "Log in with Acme SSO" in form.text
    entered = await enter(browser, provider, "/dashboard/inbox")
    assert (entered.status_code, entered.headers["location"]) == (303, "/dashboard/inbox")
    assert "Sam Lee" in (await browser.get("/dashboard")).text


async def test_what_is_asked_for_is_bound_to_the_browser_and_to_a_verifier(
    browser: httpx2.AsyncClient,
) -> None:
    begun = await browser.get("/login/oidc")
    asked = httpx2.URL(begun.headers["location"]).params
    assert asked["redirect_uri"] == "http://status.acme.example/login/oidc/callback"
    assert asked["scope"] == "openid email profile"
    [cookie] = [one for one in begun.headers.get_list("set-cookie") if "replycast_asking" in one]
    assert "httponly; max-age=600" in cookie.lower()
    assert not any(value in cookie for value in (asked["state"], asked["nonce"]))


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


async def test_an_unverified_address_counts_where_config_yaml_trusts_it(
    tmp_path: Path, clock: Clock, provider: IdentityProvider
) -> None:
    trusting = OIDC.replace("oidc: {", "oidc: {trust_unverified_email: true, ")
    provider.claims = {"email_verified": None}
    made = make_house(tmp_path / "trusting", CONFIG + trusting)
    application = build(make_front(made, clock), ALL_ROUTES)
    assert made.config.login.oidc is not None
    application.state.oidc = Provider(made.config.login.oidc, made.config.site.url, provider.transport())
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=application), base_url=made.config.site.url
    ) as browser:
        assert (await enter(browser, provider)).status_code == 303


async def test_an_address_that_the_token_does_not_tell_is_asked_for_of_the_same_person(
    browser: httpx2.AsyncClient, provider: IdentityProvider
) -> None:
    provider.claims = {"email": None, "email_verified": None}
    provider.userinfo = {"sub": "another", "email": "sam@acme.example", "email_verified": True}
    assert (await enter(browser, provider)).status_code == 403
    provider.userinfo["sub"] = "4711"
    assert (await enter(browser, provider)).status_code == 303


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


async def test_a_provider_that_cannot_be_reached_is_said_to_be_so(front: Front, clock: Clock) -> None:
    application = build(front, ALL_ROUTES)
    nowhere = Oidc("Acme SSO", "http://127.0.0.1:9", CLIENT_ID, Secret(""), ("openid",))
    application.state.oidc = Provider(nowhere, front.house.config.site.url)
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=application), base_url="http://status.acme.example"
    ) as browser:
        assert (await browser.get("/login/oidc")).status_code == 503


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


async def test_without_a_provider_there_is_nothing_there(tmp_path: Path, clock: Clock) -> None:
    front = make_front(make_house(tmp_path / "plain"), clock)
    transport = httpx2.ASGITransport(app=build(front, ALL_ROUTES))
    async with httpx2.AsyncClient(transport=transport, base_url="http://status.acme.example") as browser:
        assert (await browser.get("/login/oidc")).status_code == 404
        assert (await browser.get("/login/oidc/callback")).status_code == 404
        assert "Acme SSO" not in (await browser.get("/login")).text


async def test_where_no_links_are_mailed_the_form_for_them_is_not_there(tmp_path: Path, clock: Clock) -> None:
    front = make_front(make_house(tmp_path / "only", CONFIG + OIDC + "  mail_link: false\n"), clock)
    transport = httpx2.ASGITransport(app=build(front, ALL_ROUTES))
    async with httpx2.AsyncClient(transport=transport, base_url="http://status.acme.example") as browser:
        assert "Mail me a link" not in (await browser.get("/login")).text
        asked = await browser.post("/login", data={"email": "sam@acme.example"})
        assert (asked.status_code, asked.headers["location"]) == (303, "/login?next=/dashboard")
