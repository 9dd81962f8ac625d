"""Logging in by a mailed link: in one browser, once, and never to another site."""

from collections.abc import AsyncIterator, MutableMapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from service.actions import logging_in
from service.actions.house import House
from service.actions.logging_in import MOST_LINKS_AN_HOUR
from service.errors import StoreUnavailable
from service.store import audit
from service.web.application import build
from service.web.front import Front
from service.web.login.letting_in import BROWSER_COOKIE, SESSION_COOKIE, local_path
from service.web.login.rates import REFUSALS_AN_HOUR
from tests.rooms import CONFIG, Clock, make_client, make_front, make_house
from tests.web.employees import ALL_ROUTES, login_links

pytestmark = pytest.mark.anyio

SAM = "sam@acme.example"


@pytest.fixture
async def browser(front: Front) -> AsyncIterator[httpx2.AsyncClient]:
    """Give a browser that was never here before."""
    async with make_client(front, ALL_ROUTES) as client:
        yield client


async def ask(browser: httpx2.AsyncClient, email: str = SAM, **more: str) -> httpx2.Response:
    """Ask for a link."""
    return await browser.post("/login", data={"email": email, **more})


def set_cookies(answer: httpx2.Response) -> dict[str, str]:
    """Give the Set-Cookie fields by the name of their cookie."""
    return {field.partition("=")[0]: field.lower() for field in answer.headers.get_list("set-cookie")}


async def test_the_answer_is_the_same_for_a_stranger(browser: httpx2.AsyncClient, house: House) -> None:
    known, unknown = await ask(browser), await ask(browser, "eve@evil.example")
    assert known.status_code == unknown.status_code == 200
    assert known.text.replace(SAM, "") == unknown.text.replace("eve@evil.example", "")
    assert set(set_cookies(known)) == set(set_cookies(unknown))
    assert len(login_links(house)) == 1


async def test_who_is_an_employee_is_found_out_after_the_answer_which_so_takes_as_long_for_all(
    front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    monkeypatch.setattr(logging_in, "request_link", lambda *_, **__: steps.append("looked"))
    application = build(front, ALL_ROUTES)
    body = b"email=sam@acme.example"
    headers = [(b"host", b"status.acme.example"), (b"content-type", b"application/x-www-form-urlencoded")]
    scope = {"type": "http", "method": "POST", "path": "/login", "raw_path": b"/login", "query_string": b"",
             "headers": headers, "scheme": "http", "server": ("status.acme.example", 80),
             "client": ("192.0.2.1", 1), "http_version": "1.1", "root_path": ""}  # fmt: skip

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.body" and not message.get("more_body"):
            steps.append("answered")

    await application(scope, receive, send)
    assert steps == ["answered", "looked"]


async def test_a_link_that_cannot_be_stored_is_logged_and_nobody_is_told_by_the_answer(
    browser: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise StoreUnavailable("the database is locked")

    monkeypatch.setattr(logging_in, "request_link", fail)
    with capture_logs() as said:
        assert (await ask(browser)).status_code == 200
    assert [one["event"] for one in said] == ["login: a link could not be mailed"]


async def test_a_link_logs_in_and_leads_to_the_page_that_was_wanted(
    browser: httpx2.AsyncClient, house: House
) -> None:
    turned_away = await browser.get("/dashboard/inbox?before=9")
    assert turned_away.status_code == 303
    form = await browser.get(turned_away.headers["location"])
    assert 'value="/dashboard/inbox?before=9"' in form.text
    await ask(browser, next="/dashboard/inbox?before=9")
    entered = await browser.post(login_links(house)[0])
    assert (entered.status_code, entered.headers["location"]) == (303, "/dashboard/inbox?before=9")
    assert (await browser.get("/dashboard")).status_code == 200


async def test_opening_a_link_changes_nothing(browser: httpx2.AsyncClient, house: House) -> None:
    await ask(browser)
    [link] = login_links(house)
    for _ in range(3):
        opened = await browser.get(link)
        assert 'method="post"' in opened.text
        assert set_cookies(opened) == {}
    assert (await browser.post(link)).status_code == 303


async def test_a_link_works_once(browser: httpx2.AsyncClient, house: House) -> None:
    await ask(browser)
    [link] = login_links(house)
    await browser.post(link)
    again = await browser.post(link)
    assert again.status_code == 410
    assert "This log-in link was used before" in again.text


async def test_a_link_is_worth_nothing_in_another_browser(
    browser: httpx2.AsyncClient, front: Front, house: House
) -> None:
    await ask(browser)
    async with make_client(front, ALL_ROUTES) as other:
        refused = await other.post(login_links(house)[0])
    assert refused.status_code == 410
    assert SESSION_COOKIE not in set_cookies(refused)
    assert (await browser.post(login_links(house)[0])).status_code == 303


async def test_a_link_grows_old(browser: httpx2.AsyncClient, house: House, clock: Clock) -> None:
    await ask(browser)
    clock.move(timedelta(minutes=15))
    refused = await browser.post(login_links(house)[0])
    assert refused.status_code == 410
    assert "too old" in refused.text


async def test_a_link_that_never_was_is_refused(browser: httpx2.AsyncClient) -> None:
    assert (await browser.post("/login/abc")).status_code == 410


async def test_a_browser_that_asks_twice_can_use_either_link(
    browser: httpx2.AsyncClient, house: House, clock: Clock
) -> None:
    await ask(browser)
    first = browser.cookies[BROWSER_COOKIE]
    clock.move(timedelta(minutes=1))
    await ask(browser)
    assert browser.cookies[BROWSER_COOKIE] == first
    assert [(await browser.post(link)).status_code for link in login_links(house)] == [303, 303]


async def test_who_asks_twice_within_a_minute_is_told_that_the_first_link_is_still_good(
    browser: httpx2.AsyncClient, house: House
) -> None:
    answers = [await ask(browser), await ask(browser)]
    assert answers[0].text == answers[1].text
    assert "the link in the first one is still good" in answers[1].text
    [link] = login_links(house)
    assert (await browser.post(link)).status_code == 303


async def test_a_stranger_who_asks_all_the_time_keeps_nobody_out(
    browser: httpx2.AsyncClient, front: Front, house: House, clock: Clock
) -> None:
    await ask(browser)
    await browser.post(login_links(house)[0])
    await browser.post("/logout")
    for _ in range(2 * MOST_LINKS_AN_HOUR):
        async with make_client(front, ALL_ROUTES) as stranger:
            await ask(stranger)
    clock.move(timedelta(minutes=1))
    before = len(login_links(house))
    assert before == MOST_LINKS_AN_HOUR
    await ask(browser)
    assert (await browser.post(login_links(house)[before])).status_code == 303


async def test_a_browser_in_which_somebody_logged_in_is_known_for_a_year(
    browser: httpx2.AsyncClient, house: House
) -> None:
    await ask(browser)
    entered = await browser.post(login_links(house)[0])
    assert f"max-age={365 * 24 * 3600}" in set_cookies(entered)[BROWSER_COOKIE]
    known = browser.cookies[BROWSER_COOKIE]
    assert f"max-age={365 * 24 * 3600}" in set_cookies(await ask(browser))[BROWSER_COOKIE]
    assert browser.cookies[BROWSER_COOKIE] == known


async def test_whoever_asks_again_still_comes_to_the_page_that_was_wanted(
    browser: httpx2.AsyncClient,
) -> None:
    answer = await ask(browser, next="/dashboard/inbox?before=9")
    assert 'href="/login?next=/dashboard/inbox%3Fbefore%3D9"' in answer.text


async def test_a_browser_key_that_somebody_planted_is_replaced(browser: httpx2.AsyncClient) -> None:
    browser.cookies.set(BROWSER_COOKIE, "known", domain="status.acme.example")
    await ask(browser)
    assert browser.cookies.get(BROWSER_COOKIE, domain="status.acme.example") != "known"


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_cookies_are_kept_from_scripts_other_sites_and_plain_http(
    scheme: str, tmp_path: Path, clock: Clock
) -> None:
    made = make_house(tmp_path, CONFIG.replace("http://", f"{scheme}://"))
    async with make_client(make_front(made, clock), ALL_ROUTES) as client:
        asked = set_cookies(await ask(client))
        entered = set_cookies(await client.post(login_links(made)[0]))
    # RFC 6265bis section 4.1.3.2: a browser takes such a name from nobody but this very host
    prefix = "__Host-" if scheme == "https" else ""
    browser_key, session = asked[prefix + BROWSER_COOKIE], entered[prefix + SESSION_COOKIE]
    for field in (browser_key, session):
        assert "; httponly" in field
        assert "; samesite=lax" in field
        assert ("; secure" in field) == (scheme == "https")
        assert "; path=/;" in field
        assert "domain=" not in field
    assert "max-age=1200" in browser_key
    assert "max-age=2592000" in session
    made.store.close()


async def test_who_logs_out_is_out_even_with_the_old_cookie(
    browser: httpx2.AsyncClient, house: House
) -> None:
    await ask(browser)
    await browser.post(login_links(house)[0])
    key = browser.cookies[SESSION_COOKIE]
    left = await browser.post("/logout")
    assert left.headers["location"] == "/login"
    assert SESSION_COOKIE not in browser.cookies
    browser.cookies.set(SESSION_COOKIE, key)
    assert (await browser.get("/dashboard")).status_code == 303


async def test_a_session_ends_after_seven_days_without_use(
    browser: httpx2.AsyncClient, house: House, clock: Clock
) -> None:
    await ask(browser)
    await browser.post(login_links(house)[0])
    clock.move(timedelta(days=7))
    assert (await browser.get("/dashboard")).status_code == 303


async def test_logging_in_anew_ends_the_old_session(
    browser: httpx2.AsyncClient, house: House, clock: Clock
) -> None:
    await ask(browser)
    await browser.post(login_links(house)[0])
    old = browser.cookies[SESSION_COOKIE]
    clock.move(timedelta(minutes=1))
    await ask(browser)
    await browser.post(login_links(house)[1])
    browser.cookies.set(SESSION_COOKIE, old, domain="status.acme.example")
    assert (await browser.get("/dashboard")).status_code == 303


async def test_who_is_logged_in_is_not_asked_again(browser: httpx2.AsyncClient, house: House) -> None:
    await ask(browser)
    await browser.post(login_links(house)[0])
    assert (await browser.get("/login?next=/dashboard/inbox")).headers["location"] == "/dashboard/inbox"


async def test_the_link_is_mailed_at_once(front: Front) -> None:
    woken: list[bool] = []
    waking = replace(front, wake=lambda: woken.append(True))
    async with make_client(waking, ALL_ROUTES) as client:
        await ask(client)
    assert woken == [True]


@pytest.mark.parametrize("email", ["", "  ", "sam"])
async def test_what_is_no_address_is_said_so(email: str, browser: httpx2.AsyncClient) -> None:
    answer = await ask(browser, email)
    assert answer.status_code == 422
    assert "Enter the e-mail address" in answer.text


async def test_what_was_typed_is_escaped(browser: httpx2.AsyncClient) -> None:
    answer = await ask(browser, "<script>@x.example")
    assert "<script>" not in answer.text


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_pages_with_a_token_in_their_address_are_kept_and_told_to_nobody(
    method: str, browser: httpx2.AsyncClient, house: House
) -> None:
    await ask(browser)
    answer = await browser.request(method, login_links(house)[0])
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "strict-origin"


@pytest.mark.parametrize(
    ("wanted", "path"),
    [
        ("/dashboard/incidents/3", "/dashboard/incidents/3"),
        ("/", "/"),
        ("", "/dashboard"),
        ("dashboard", "/dashboard"),
        ("//evil.example", "/dashboard"),
        ("/\\evil.example", "/dashboard"),
        ("/a\\b", "/dashboard"),
        ("https://evil.example/", "/dashboard"),
        ("javascript:alert(1)", "/dashboard"),
        ("/\t/evil.example", "/dashboard"),
        ("/a\r\nset-cookie: a=b", "/dashboard"),
        ("/ä", "/dashboard"),
        ("/" + "a" * 501, "/dashboard"),
    ],
)
def test_only_pages_of_this_site_can_be_wanted(wanted: str, path: str) -> None:
    assert local_path(wanted) == path


@given(st.text(alphabet="/\\:@.?#%\t\n evilexample", max_size=20))
def test_no_wanted_page_leads_to_another_site(wanted: str) -> None:
    url = urljoin("http://status.acme.example/login", local_path(wanted))
    assert urlsplit(url)[:2] == ("http", "status.acme.example")


async def test_a_page_of_another_site_is_not_gone_to_after_logging_in(
    browser: httpx2.AsyncClient, house: House
) -> None:
    await ask(browser, next="https://evil.example/")
    entered = await browser.post(login_links(house)[0])
    assert entered.headers["location"] == "/dashboard"


async def test_another_site_cannot_make_a_browser_log_in(browser: httpx2.AsyncClient, house: House) -> None:
    await ask(browser)
    forged = {"sec-fetch-site": "cross-site"}
    assert (await browser.post(login_links(house)[0], headers=forged)).status_code == 403


async def test_who_tries_one_link_after_the_other_has_to_wait(
    browser: httpx2.AsyncClient, house: House
) -> None:
    codes = [(await browser.post("/login/" + "a" * 26)).status_code for _ in range(REFUSALS_AN_HOUR + 2)]
    assert codes == [410] * REFUSALS_AN_HOUR + [429] * 2
    with house.store.reading() as connection:
        noted = audit.listed(connection, limit=99)
    assert len(noted) == REFUSALS_AN_HOUR
    assert {(one.by, one.act, one.about) for one in noted} == {("", "login_refused", "mail")}
