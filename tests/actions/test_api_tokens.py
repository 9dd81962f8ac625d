"""The API's tokens: who makes them, what is kept of them, and when they open something."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text

from service.actions import api_tokens
from service.actions.api_tokens import Scope, TokenUnusable
from service.actions.house import House
from service.errors import NotAllowed, NotFound
from service.model import Role
from service.store import audit
from service.store.access_schema import api_tokens as rows
from tests.rooms import Clock


def make(house: House, clock: Clock, name: str = "deploy") -> str:
    """Make a token as Jordan, who is an admin."""
    scopes = [Scope.INCIDENTS_READ]
    return api_tokens.create(house, name, scopes, house.employee("jordan"), clock()).secret


def test_only_a_hash_is_kept(house: House, clock: Clock) -> None:
    secret = make(house, clock)
    with house.store.reading() as connection:
        (row,) = connection.execute(select(rows)).all()
        written = str(connection.execute(text("SELECT * FROM api_tokens")).all())
    assert secret.startswith("rc_")
    assert len(secret) == 46
    assert secret not in written
    assert secret.removeprefix("rc_") not in written
    assert (row.name, row.scopes, row.created_by) == ("deploy", ["incidents:read"], "jordan")


@pytest.mark.parametrize("employee", ["sam", "vera"])
def test_only_admins_make_see_and_revoke_them(employee: str, house: House, clock: Clock) -> None:
    by = house.employee(employee)
    for act in (
        lambda: api_tokens.create(house, "x", [Scope.INBOX_READ], by, clock()),
        lambda: api_tokens.list_all(house, by),
        lambda: api_tokens.revoke(house, "x", by, clock()),
    ):
        with pytest.raises(NotAllowed, match="that is for admins"):
            act()


@pytest.mark.parametrize(
    "name", ["", " x", "x ", "a  b", "a:b", "\u00e9", "x" * 41, "a\nb", "a\n", "<b>", "-x"]
)
def test_a_name_is_one_that_can_stand_in_a_sentence(name: str, house: House, clock: Clock) -> None:
    with pytest.raises(TokenUnusable):
        make(house, clock, name)
    assert api_tokens.list_all(house, None) == ()


def test_a_token_without_a_scope_is_not_made(house: House, clock: Clock) -> None:
    with pytest.raises(TokenUnusable, match="opens nothing"):
        api_tokens.create(house, "x", [], None, clock())


def test_its_use_is_noted_once_a_minute(house: House, clock: Clock) -> None:
    secret, begun = make(house, clock), clock()
    used = []
    for _ in range(3):
        api_tokens.find_token(house, secret, clock())
        used.append(api_tokens.list_all(house, None)[0].used_at)
        clock.move(timedelta(seconds=31))
    assert used == [begun, begun, begun + timedelta(seconds=62)]


def test_it_opens_until_it_is_revoked(house: House, clock: Clock) -> None:
    secret = make(house, clock)
    assert api_tokens.find_token(house, secret, clock()) is not None
    api_tokens.revoke(house, "deploy", house.employee("jordan"), clock())
    assert api_tokens.find_token(house, secret, clock()) is None
    with pytest.raises(NotFound):
        api_tokens.revoke(house, "deploy", None, clock())


@pytest.mark.parametrize("secret", ["", "rc_", "rc_" + "x" * 43, "rc_" + "x" * 42 + "\n", "x" * 10_000])
def test_what_is_no_token_opens_nothing(secret: str, house: House, clock: Clock) -> None:
    make(house, clock)
    assert api_tokens.find_token(house, secret, clock()) is None


def test_who_acts_by_it_is_named_after_it(house: House, clock: Clock) -> None:
    token = api_tokens.find_token(house, make(house, clock, "CI deploy"), clock())
    assert token is not None
    by = api_tokens.acting_by(token, Scope.INCIDENTS_WRITE)
    assert (by.id, by.role) == ("token:CI deploy", Role.PUBLISHER)
    assert house.name_of(by.id) == by.name == "token CI deploy"


@pytest.mark.parametrize("scope", Scope)
def test_only_what_admins_alone_may_do_is_done_as_an_admin(scope: Scope, house: House, clock: Clock) -> None:
    token = api_tokens.find_token(house, make(house, clock), clock())
    assert token is not None
    is_admin = api_tokens.acting_by(token, scope).role is Role.ADMIN
    assert is_admin is scope.startswith(("inbox:write", "subscribers:", "config:"))


def test_who_made_and_revoked_them_is_noted(house: House, clock: Clock) -> None:
    secret = make(house, clock)
    api_tokens.revoke(house, "deploy", None, clock())
    with house.store.reading() as connection:
        noted = audit.listed(connection, limit=10)
    assert [(one.by, one.act, one.about, one.note) for one in noted] == [
        ("cli", "token_revoked", "deploy", ""),
        ("jordan", "token_created", "deploy", "incidents:read"),
    ]
    assert secret not in str(noted)
