"""Who a provider proves to be an employee is let in, to the page that was wanted."""

from pathlib import Path

import httpx2
import pytest

from service.web.application import build
from service.web.login.oidc_provider import Provider
from tests.rooms import CONFIG, Clock, make_front, make_house
from tests.web.employees import ALL_ROUTES
from tests.web.oidc.identity_provider import (
    OIDC,
    IdentityProvider,
    enter,
)

pytestmark = pytest.mark.anyio


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
    made.store.close()


async def test_an_address_that_the_token_does_not_tell_is_asked_for_of_the_same_person(
    browser: httpx2.AsyncClient, provider: IdentityProvider
) -> None:
    provider.claims = {"email": None, "email_verified": None}
    provider.userinfo = {"sub": "another", "email": "sam@acme.example", "email_verified": True}
    assert (await enter(browser, provider)).status_code == 403
    provider.userinfo["sub"] = "4711"
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
