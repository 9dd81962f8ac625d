"""The API's tokens on the dashboard: made by admins, shown once, and worth nothing once they are revoked."""

from collections.abc import AsyncIterator
from datetime import timedelta

import httpx2
import pytest

from service.actions import api_tokens
from service.actions.api_tokens import Scope
from service.actions.house import House
from service.store import audit
from service.web.dashboard.tokens import NEW_COOKIE, SCOPES
from tests.rooms import Clock
from tests.web.api.programs import make_secret
from tests.web.employees import Enter

pytestmark = pytest.mark.anyio

PAGE = "/dashboard/tokens"
FORM = {"name": "deploy", "scope:incidents:read": "1", "scope:monitors:read": "1", "ends": "in 30 days"}


@pytest.fixture
async def jordan(enter: Enter) -> AsyncIterator[httpx2.AsyncClient]:
    """Give the browser of an admin."""
    async with enter("jordan") as client:
        yield client


def secret_in(text: str) -> str:
    return text.partition('id="secret" value="')[2].partition('"')[0]


def acts(house: House) -> list[tuple[str, str, str]]:
    with house.store.reading() as connection:
        return [
            (one.by, one.act, one.about) for one in audit.listed(connection, limit=9) if "token" in one.act
        ]


def test_every_scope_is_explained() -> None:
    assert SCOPES.keys() == set(Scope)


async def test_a_token_is_made_and_its_secret_is_shown_once(
    jordan: httpx2.AsyncClient, house: House, clock: Clock
) -> None:
    answer = await jordan.post(PAGE, data=FORM)
    assert (answer.status_code, answer.headers["location"], answer.headers["cache-control"]) == (
        303,
        PAGE,
        "no-store",
    )
    shown = await jordan.get(PAGE)
    secret = secret_in(shown.text)
    assert shown.headers["cache-control"] == "no-store"
    token = api_tokens.find_token(house, secret, clock())
    assert token is not None
    assert (token.name, token.scopes, token.created_by) == (
        "deploy",
        ("incidents:read", "monitors:read"),
        "jordan",
    )
    assert token.expires_at == clock() + timedelta(days=30)
    again = await jordan.get(PAGE)
    assert secret not in again.text
    assert "Made by Jordan Ray" in again.text
    assert acts(house) == [("jordan", "token_created", "deploy")]


async def test_the_cookie_that_carries_the_secret_is_out_of_reach_and_short_lived(
    jordan: httpx2.AsyncClient,
) -> None:
    cookie = (await jordan.post(PAGE, data=FORM)).headers["set-cookie"]
    assert NEW_COOKIE in cookie
    assert "HttpOnly" in cookie
    assert "Max-Age=60" in cookie
    assert "SameSite=lax" in cookie
    gone = (await jordan.get(PAGE)).headers["set-cookie"]
    assert "Max-Age=0" in gone


@pytest.mark.parametrize("whose", ["somebody else's", "a used one", "none"])
async def test_a_secret_that_was_not_made_here_just_now_is_not_shown(
    whose: str, jordan: httpx2.AsyncClient, house: House, clock: Clock
) -> None:
    secret = f"rc_{'x' * 43}"
    if whose == "a used one":
        secret = make_secret(house, clock())
        assert api_tokens.find_token(house, secret, clock()) is not None
    elif whose == "somebody else's":
        secret = api_tokens.create(house, "shell", [Scope.INBOX_READ], None, clock()).secret
    jordan.cookies.set(NEW_COOKIE, secret)
    assert secret not in (await jordan.get(PAGE)).text


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": ""}, "A token's name has at most 40 letters"),
        ({"name": "<b>"}, "A token's name has at most 40 letters"),
        ({"name": "x" * 41}, "A token's name has at most 40 letters"),
        ({"name": "taken"}, "There is a token `taken` already"),
        ({"scope:incidents:read": "", "scope:monitors:read": ""}, "A token without a scope opens nothing"),
    ],
)
async def test_what_cannot_be_made_is_said_beside_what_was_typed(
    change: dict[str, str], said: str, jordan: httpx2.AsyncClient, house: House, clock: Clock
) -> None:
    make_secret(house, clock(), name="taken")
    answer = await jordan.post(PAGE, data=FORM | change)
    assert answer.status_code == 422
    assert said.replace("'", "&#39;") in answer.text
    assert 'aria-invalid="true"' in answer.text or 'id="scopes-problem"' in answer.text
    assert "set-cookie" not in answer.headers
    assert len(api_tokens.list_all(house, None)) == 1


@pytest.mark.parametrize(("ends", "days"), [("never", None), ("in a year", 365), ("tomorrow", 90), ("", 90)])
async def test_it_ends_when_it_was_chosen_and_in_ninety_days_where_that_is_not_understood(
    ends: str, days: int | None, jordan: httpx2.AsyncClient, house: House, clock: Clock
) -> None:
    await jordan.post(PAGE, data=FORM | {"ends": ends})
    (token,) = api_tokens.list_all(house, None)
    assert token.expires_at == (None if days is None else clock() + timedelta(days=days))


async def test_a_revoked_token_opens_nothing_and_stays_in_the_list(
    jordan: httpx2.AsyncClient, house: House, clock: Clock
) -> None:
    secret = make_secret(house, clock())
    answer = await jordan.post(f"{PAGE}/1/revoke")
    text = (await jordan.get(answer.headers["location"])).text
    assert "The token opens nothing any more." in text
    assert "Revoked <time" in text
    assert f"{PAGE}/1/revoke" not in text
    assert api_tokens.find_token(house, secret, clock()) is None
    assert acts(house)[0] == ("jordan", "token_revoked", "deploy")


@pytest.mark.parametrize("number", ["1", "7", "x", "-1"])
async def test_what_opens_nothing_cannot_be_revoked(
    number: str, jordan: httpx2.AsyncClient, house: House, clock: Clock
) -> None:
    make_secret(house, clock(), expires_at=clock() + timedelta(hours=1))
    clock.move(timedelta(hours=2))
    assert (await jordan.post(f"{PAGE}/{number}/revoke")).status_code == 404


async def test_the_list_tells_who_made_each_and_when_it_was_used(
    jordan: httpx2.AsyncClient, house: House, clock: Clock
) -> None:
    api_tokens.create(house, "shell", [Scope.INBOX_READ], None, clock())
    api_tokens.find_token(house, make_secret(house, clock()), clock())
    text = (await jordan.get(PAGE)).text
    for said in ("Made by the command line", "Never used", "Last used <time", "Does not end", "inbox:read"):
        assert said in text
    assert 'aria-current="page">Tokens' in text


@pytest.mark.parametrize("employee", ["sam", "vera"])
async def test_others_neither_see_nor_make_any(employee: str, enter: Enter, house: House) -> None:
    async with enter(employee) as client:
        assert (await client.get(PAGE)).status_code == 403
        assert (await client.post(PAGE, data=FORM)).status_code == 403
        assert ">Tokens<" not in (await client.get("/dashboard")).text
    assert api_tokens.list_all(house, None) == ()
