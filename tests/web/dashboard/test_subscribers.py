"""Admins see who subscribed and change it; nobody else sees an address."""

import httpx2
import pytest

from service.actions.house import House
from service.actions.subscriber_admin import add_webhook
from service.store import subscriber_lists, subscribers
from service.store.subscriber_lists import Tally
from tests.rooms import Clock
from tests.web.employees import Enter

pytestmark = pytest.mark.anyio
HERE = "/dashboard/subscribers"
FILE = b"Email,Components,Groups\nana@reader.example,API,Staff\nben@reader.example,,\n"


def tally(house: House) -> Tally:
    with house.store.reading() as connection:
        return subscriber_lists.tally(connection)


async def send(
    browser: httpx2.AsyncClient, raw: bytes = FILE, *, have_agreed: bool = True
) -> httpx2.Response:
    """Send a file by the form."""
    fields = {"have_agreed": "1"} if have_agreed else {}
    return await browser.post(f"{HERE}/import", data=fields, files={"file": ("list.csv", raw)})


async def test_a_list_is_imported_searched_and_exported(enter: Enter, house: House) -> None:
    async with enter("jordan") as browser:
        empty = (await browser.get(HERE)).text
        assert "Nobody has subscribed yet" in empty
        assert "2 added, 0 changed" in (await send(browser)).text
        assert tally(house) == Tally(confirmed=2)
        found = (await browser.get(HERE, params={"q": "ANA"})).text
        assert "ana@reader.example" in found
        assert "ben@reader.example" not in found
        assert "Nobody is found by that" in (await browser.get(HERE, params={"state": "suppressed"})).text
        exported = await browser.get(f"{HERE}/export")
    assert exported.headers["content-type"] == "text/csv; charset=utf-8"
    assert exported.headers["cache-control"] == "no-store"
    assert "ana@reader.example,,API,Staff,," in exported.text.splitlines()


async def test_a_bad_file_changes_nothing_and_every_line_is_named(enter: Enter, house: House) -> None:
    async with enter("jordan") as browser:
        answer = await send(browser, FILE + b"x,,\n<b>,,\n")
    assert answer.status_code == 422
    assert "line 4: Email <code>x</code>" in answer.text
    assert "line 5: Email <code>&lt;b&gt;</code>" in answer.text
    assert tally(house) == Tally()


async def test_a_form_without_a_file_says_so(enter: Enter) -> None:
    async with enter("jordan") as browser:
        answer = await browser.post(f"{HERE}/import", data={})
    assert (answer.status_code, "Choose a file first" in answer.text) == (422, True)


async def test_who_has_not_agreed_is_asked(enter: Enter, house: House) -> None:
    async with enter("jordan") as browser:
        await send(browser, have_agreed=False)
    assert tally(house) == Tally(pending=2)


async def test_a_suppressed_one_is_reinstated_and_anyone_can_be_forgotten(
    enter: Enter, house: House, clock: Clock
) -> None:
    by = house.config.employees["jordan"]
    hook = add_webhook(house, "https://hooks.slack.com/services/x", by, clock())
    with house.store.transaction() as connection:
        subscribers.suppress(connection, hook.id, clock(), "it answered 500")
    async with enter("jordan") as browser:
        assert "it answered 500" in (await browser.get(f"{HERE}/{hook.id}")).text
        page = await browser.post(f"{HERE}/{hook.id}/reinstate", follow_redirects=True)
        assert "sent to again" in page.text
        assert tally(house) == Tally(confirmed=1)
        page = await browser.post(f"{HERE}/{hook.id}/remove", follow_redirects=True)
        assert "It is forgotten" in page.text
        assert (await browser.get(f"{HERE}/{hook.id}")).status_code == 404


async def test_long_lists_are_shown_page_by_page(enter: Enter) -> None:
    many = "Email\n" + "".join(f"reader{number}@reader.example\n" for number in range(60))
    async with enter("jordan") as browser:
        await send(browser, many.encode())
        first = (await browser.get(HERE, params={"state": "confirmed"})).text
        assert first.count("@reader.example") == 50
        older = first.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
        assert (await browser.get(older)).text.count("@reader.example") == 10


@pytest.mark.parametrize("who", ["sam", "vera", None])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("GET", "/1"),
        ("GET", "/export"),
        ("POST", "/import"),
        ("POST", "/add"),
        ("GET", "/add"),
        ("POST", "/1/reinstate"),
        ("POST", "/1/remove"),
    ],
)
async def test_addresses_are_for_admins_alone(
    enter: Enter, house: House, clock: Clock, who: str | None, method: str, path: str
) -> None:
    by = house.config.employees["jordan"]
    add_webhook(house, "https://ops.acme.example/hook", by, clock())
    async with enter(who) as browser:
        answer = await browser.request(method, HERE + path, data={"address": "https://x.example/"})
    assert answer.status_code == (303 if who is None else 403)
    assert "ops.acme.example" not in answer.text
    assert tally(house) == Tally(confirmed=1)
