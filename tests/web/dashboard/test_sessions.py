"""The browsers in which people are logged in: each sees their own, admins all, and whom they log out is out."""

import httpx2
import pytest

from service.actions import logging_in
from service.actions.house import House
from service.actions.logging_in import Arriving
from service.store import audit
from tests.rooms import Clock
from tests.web.employees import Enter

pytestmark = pytest.mark.anyio

PAGE = "/dashboard/sessions"


def log_in_elsewhere(house: House, clock: Clock, whose: str, browser: str) -> str:
    """Log an employee in in another browser; gives what the session is called."""
    email = house.config.employees[whose].email
    logging_in.log_in_by_provider(house, email, Arriving(f"key of {browser}", browser), now=clock())
    found = logging_in.find_session(house, f"key of {browser}", clock())
    assert found is not None
    return found.public_id


def is_logged_in(house: House, clock: Clock, browser: str) -> bool:
    return logging_in.find_session(house, f"key of {browser}", clock()) is not None


async def test_an_employee_sees_the_own_sessions_and_which_is_this_one(
    sam: httpx2.AsyncClient, house: House, clock: Clock
) -> None:
    log_in_elsewhere(house, clock, "sam", "<b>Phone</b>")
    log_in_elsewhere(house, clock, "jordan", "Jordan's laptop")
    text = (await sam.get(PAGE)).text
    assert text.count("This one") == 1
    assert "&lt;b&gt;Phone&lt;/b&gt;" in text
    assert "by single sign-on" in text
    assert "laptop" not in text
    assert "Everybody" not in text
    assert "laptop" not in (await sam.get(f"{PAGE}?all")).text


async def test_whom_an_employee_logs_out_is_out_at_once(
    sam: httpx2.AsyncClient, house: House, clock: Clock
) -> None:
    name = log_in_elsewhere(house, clock, "sam", "Phone")
    done = await sam.post(f"{PAGE}/{name}/revoke")
    assert done.headers["location"] == f"{PAGE}?said=revoked"
    assert not is_logged_in(house, clock, "Phone")
    with house.store.reading() as connection:
        noted = audit.listed(connection, act="session_revoked", limit=9)
    assert [(one.by, one.about, one.note) for one in noted] == [("sam", "sam", "Phone")]
    assert (await sam.post(f"{PAGE}/{name}/revoke")).status_code == 404


async def test_all_others_are_logged_out_at_once(sam: httpx2.AsyncClient, house: House, clock: Clock) -> None:
    for browser in ("Phone", "Tablet"):
        log_in_elsewhere(house, clock, "sam", browser)
    log_in_elsewhere(house, clock, "jordan", "Laptop")
    assert (await sam.post(f"{PAGE}/others/revoke")).headers["location"] == f"{PAGE}?said=others"
    assert [is_logged_in(house, clock, one) for one in ("Phone", "Tablet", "Laptop")] == [False, False, True]
    assert (await sam.get(PAGE)).status_code == 200


async def test_nobody_logs_out_others_but_admins(enter: Enter, house: House, clock: Clock) -> None:
    name = log_in_elsewhere(house, clock, "vera", "Phone")
    async with enter("sam") as sam:
        assert (await sam.post(f"{PAGE}/{name}/revoke")).status_code == 404
    assert is_logged_in(house, clock, "Phone")
    async with enter("jordan") as jordan:
        assert "Vera Moss: Phone" in (await jordan.get(f"{PAGE}?all")).text
        done = await jordan.post(f"{PAGE}/{name}/revoke", data={"all": "1"})
        assert done.headers["location"] == f"{PAGE}?all&said=revoked"
    assert not is_logged_in(house, clock, "Phone")


async def test_who_ends_the_own_session_is_led_to_the_log_in(
    sam: httpx2.AsyncClient, house: House, clock: Clock
) -> None:
    own = logging_in.find_session(house, "session-of-sam", clock())
    assert own is not None
    assert (await sam.post(f"{PAGE}/{own.public_id}/revoke")).headers["location"] == "/login"
    assert (await sam.get(PAGE)).status_code == 303


async def test_the_page_holds_nothing_that_opens_a_session(sam: httpx2.AsyncClient) -> None:
    text = (await sam.get(PAGE)).text
    assert "session-of-sam" not in text
    assert logging_in.hash_key("session-of-sam") not in text
