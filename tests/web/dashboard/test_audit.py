"""What people did, as admins read it: newest first, page by page, of one person or one kind."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import service
from service.actions import api_tokens
from service.actions.house import House
from service.cli.orders import ORDERS
from service.store import audit
from service.web.dashboard.audit import ACTS, SHOWN
from tests.rooms import Clock
from tests.web.api.programs import make_secret
from tests.web.employees import Enter

pytestmark = pytest.mark.anyio

PAGE = "/dashboard/audit"


def note(house: House, clock: Clock, by: str, act: str, about: str = "") -> None:
    with house.store.transaction() as connection:
        audit.note(connection, clock(), by, act, about)


async def test_admins_read_what_was_done_newest_first(enter: Enter, house: House, clock: Clock) -> None:
    note(house, clock, "sam", "subscriber_removed", audit.redacted("ada@reader.example"))
    note(house, clock, "", "login_refused", "<b>")
    async with enter("jordan") as jordan:
        text = (await jordan.get(PAGE)).text
    assert text.index("logged in") < text.index("a…@reader.example")
    assert "Sam Lee</a> removed a subscriber" in text
    assert "Somebody was not let in" in text
    assert "&lt;b&gt;" in text


async def test_it_is_of_one_person_or_one_kind_where_that_is_asked_for(
    enter: Enter, house: House, clock: Clock
) -> None:
    note(house, clock, "sam", "subscriber_removed", "alpha")
    note(house, clock, "vera", "token_created", "beta")
    note(house, clock, "", "login_refused", "gamma")
    async with enter("jordan") as jordan:
        of_sam = (await jordan.get(f"{PAGE}?by=sam")).text
        of_tokens = (await jordan.get(f"{PAGE}?act=token_created")).text
        of_nobody = (await jordan.get(f"{PAGE}?by=nobody")).text
        of_none = (await jordan.get(f"{PAGE}?by=sam&act=token_created")).text
    shown = [[word in text for word in ("alpha", "beta", "gamma")] for text in (of_sam, of_tokens, of_nobody)]
    assert shown == [[True, False, False], [False, True, False], [False, False, True]]
    assert "Nothing is found by that." in of_none


def acts_in(source: str) -> Iterator[str]:
    """Find the acts that a module writes down by name."""
    for call in ast.walk(ast.parse(source)):
        if isinstance(call, ast.Call) and ast.unparse(call.func) in {"audit.note", "noted"}:
            yield from (str(one.value) for one in call.args[3:4] if isinstance(one, ast.Constant))


def test_every_act_that_is_written_down_can_be_chosen() -> None:
    sources = (path.read_text() for path in Path(service.__file__).parent.rglob("*.py"))
    written = {act for source in sources for act in acts_in(source)}
    assert {"token_created", "config_changed", "ordered_replay"} <= written
    assert written | {f"ordered_{order.name}" for order in ORDERS} <= ACTS.keys()


@pytest.mark.parametrize(
    ("by", "said"),
    [
        (audit.CONFIG_FILE, "Whoever wrote config.yaml</a> changed settings"),
        (audit.COMMAND_LINE, "The command line</a> changed settings"),
        ("token:deploy", "Token deploy</a> changed settings"),
        ("sam", "Sam Lee</a> changed settings"),
    ],
)
async def test_everybody_who_may_have_done_something_can_be_chosen(
    enter: Enter, house: House, clock: Clock, by: str, said: str
) -> None:
    for secret in ("first", "second"):
        make_secret(house, clock(), name="deploy")
        api_tokens.revoke(house, "deploy", None, clock())
        note(house, clock, by, "config_changed", f"{secret} alpha")
    note(house, clock, "vera", "config_changed", "beta")
    async with enter("jordan") as jordan:
        whole = (await jordan.get(PAGE)).text
        found = (await jordan.get(PAGE, params={"by": by, "act": "config_changed"})).text
    assert whole.count(f'<option value="{by}">') == 1
    assert whole.count('<option value="config_changed">Changed settings</option>') == 1
    assert found.count(said) == 2
    assert "beta" not in found
    assert f'<option value="{by}" selected>' in found


async def test_it_is_read_page_by_page(enter: Enter, house: House, clock: Clock) -> None:
    for number in range(SHOWN + 1):
        note(house, clock, "sam", "token_created", f"token {number}!")
    async with enter("jordan") as jordan:
        first = (await jordan.get(f"{PAGE}?by=sam")).text
        assert f"token {SHOWN}!" in first
        assert "token 0!" not in first
        link = first.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
        second = (await jordan.get(link)).text
    assert "token 0!" in second
    assert "token 1!" not in second


@pytest.mark.parametrize("other", ["sam", "vera"])
async def test_it_is_for_admins_alone(enter: Enter, other: str) -> None:
    async with enter(other) as client:
        assert (await client.get(PAGE)).status_code == 403
        assert PAGE not in (await client.get("/dashboard")).text


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("ada@reader.example", "a…@reader.example"),
        ("@x.example", "…@x.example"),
        ("https://a.example/b", "a.example/…"),
    ],
)
def test_an_address_of_a_subscriber_is_shortened(address: str, shown: str) -> None:
    assert audit.redacted(address) == shown


def test_what_strangers_wrote_stays_on_one_line_and_short(house: House, clock: Clock) -> None:
    note(house, clock, "x" * 300, "a" * 300, "one\ntwo\x1b[31m" + "y" * 2_000)
    with house.store.reading() as connection:
        [row] = audit.listed(connection, limit=1)
    assert (len(row.by), len(row.act), len(row.about)) == (80, 64, audit.MOST_ABOUT)
    assert row.about.startswith("one two [31m")


async def test_it_says_how_people_came_and_what_the_command_line_did(
    enter: Enter, house: House, clock: Clock
) -> None:
    note(house, clock, audit.COMMAND_LINE, "token_revoked", "deploy")
    async with enter("jordan") as jordan:
        text = (await jordan.get(PAGE)).text
    assert "by a mailed link: Firefox" in text
    assert "The command line</a> revoked a token" in text
