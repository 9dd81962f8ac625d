"""What pages and answers ask of SQLite: never a whole table, and no more after ten years than after one."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final
from weakref import WeakKeyDictionary

import pytest
from sqlalchemy import Connection, event

from service.actions.recording_states import record_at_start
from service.model import Phase
from service.store import inbox_rows, incidents, maintenances, subscribers
from service.web import api, machine_checks
from service.web.cookies import cookie_name
from service.web.dashboard import routes as dashboard
from service.web.front import Front
from service.web.login import routes as login
from service.web.login.letting_in import SESSION_COOKIE
from service.web.public import past_days
from service.web.public import routes as public
from tests.rooms import Clock, make_client, make_front, make_house
from tests.web.api.programs import make_secret
from tests.web.employees import start_session
from tests.web.every_page import ELSEWHERE, ENDLESS, SEARCHES, WHOLE_LISTS, Known, asked_at, paths_of
from tests.web.years import CONFIG, Size, fill

pytestmark = pytest.mark.anyio

YEAR: Final = timedelta(days=365)
ROUTES: Final = (
    *public.ROUTES,
    *machine_checks.routes,
    *login.ROUTES,
    *dashboard.ROUTES,
    *api.routes(1_000_000),
)
BY_TOKEN: Final = frozenset({"/login/{token}", "/subscribe/confirm/{token}", "/unsubscribe/{token}"})
PAGES: Final = tuple(
    path + search
    for path in sorted(set(paths_of(ROUTES)) - ENDLESS - ELSEWHERE - BY_TOKEN)
    for search in ("", *SEARCHES.get(path, ()))
)
ALLOWED: Final[Mapping[str, str]] = MappingProxyType(
    {
        r"SCAN (CONSTANT ROW|names|anon_\d+) ": "no table, but what was found by an index just before",
        r"SCAN (api_tokens|sessions|instance) ": "a row for each program, browser or setting: a handful",
        r"SCAN (\w+) \| (?!.* WHERE ).* ORDER BY \1\.id DESC LIMIT": "the newest rows: it ends at the limit",
        r"SCAN incidents USING INDEX ix_incidents_going_on ": "the index holds nothing but what goes on",
        r"SCAN inbox USING INDEX ix_inbox_pending ": "the index holds nothing but what waits",
        r"SCAN deliveries USING INDEX ix_deliveries_urgent_since .* LIMIT": "it ends at the limit",
        r"SCAN subscribers USING INDEX ix_subscribers_suppressed .* LIMIT": "it ends at the limit",
        r"SCAN subscribers USING INDEX ix_subscribers_(suppressed|reached|aside) \| SELECT (\S+, )?count": (
            "they are counted, by indexes that hold little else"
        ),
        r"SCAN subscribers \| .*address_key LIKE": "a part of an address is looked for in all of them",
        r"ORDER BY \| .*\.(incident|maintenance|subscriber)_id IN \(\?(, \?)*\) ORDER": "of the rows of one page",
        r"ORDER BY \| .* FROM maintenances WHERE maintenances\.due_at IS NOT NULL": "of what is planned or on",
        r"ORDER BY \| .* FROM maintenances WHERE maintenances\.ends_at >= ": "of some months",
        r"ORDER BY \| .* FROM sessions ": "a row for each browser",
        r"FOR DISTINCT \| .* alerts\.inbox_id = ": "of one post",
        r"FOR DISTINCT \| .* inbox\.id > \(SELECT max": "of the newest thousand",
    }
)
"""Steps of a plan, with the statement behind them, that look like a fault and are none, and why."""
GROWING: Final[Mapping[str, str]] = MappingProxyType(
    {
        **dict.fromkeys(WHOLE_LISTS, "it is the whole list"),
        **dict.fromkeys(
            (page for page in PAGES if page.startswith("/dashboard/subscribers") and "{" not in page),
            "all subscribers are counted, by indexes that hold little else",
        ),
        "/api/v1/subscribers?q=reader-77": "a part of an address is looked for in all of them",
        "/dashboard/incidents/{id}": "up to 20,000 of those who heard of it are counted",
    }
)
"""Pages that take more steps with more rows, and why they may."""
_FAULT: Final = re.compile(r"SCAN|USE TEMP B-TREE FOR (ORDER BY|DISTINCT)")


@dataclass(slots=True)
class Watched:
    """A house of which all is known that is asked of its database."""

    front: Front
    known: Known
    session: str
    secret: str
    asked: list[tuple[str, Any]] = field(default_factory=list)
    steps: int = 0
    """Of SQLite's machine, in hundreds of its operations."""


def watched(folder: Path, size: Size) -> Watched:
    """Fill a house with as much, and listen."""
    clock, house = Clock(), make_house(folder, CONFIG)
    with house.store.transaction() as connection:
        record_at_start(connection, house.config, clock() - size.span)
    fill(folder / "replycast.db", size, clock())
    with house.store.reading() as connection:
        known = Known(
            house.config,
            incidents.listed(connection, phases=[Phase.PUBLISHED], limit=1)[0].id,
            maintenances.listed(connection, limit=1)[0].id,
            inbox_rows.listed(connection, limit=1)[0].id,
            subscribers.listed(connection, limit=1)[0].id,
            {},
        )
    secret, session = make_secret(house, clock()), start_session(house, clock, "jordan")
    found = Watched(make_front(house, clock), known, session, secret)

    def hear(_connection: Connection, _cursor: object, text: str, given: object, *_: object) -> None:
        found.asked.append((text, given))

    def count_steps(connection: Any, _record: object) -> None:  # noqa: ANN401  the driver's own
        connection.set_progress_handler(step, 100)

    def step() -> int:
        found.steps += 1
        return 0

    event.listen(house.store.engine, "before_cursor_execute", hear)
    event.listen(house.store.engine, "connect", count_steps)
    house.store.engine.dispose()
    return found


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """Give a house with a year behind it."""
    made = watched(tmp_path_factory.mktemp("year"), Size(3_000, 16_000, 1_000, YEAR))
    yield made
    made.front.house.store.close()


@pytest.fixture(scope="module")
def years(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """Give a house that lives as fast, with four years behind it."""
    made = watched(tmp_path_factory.mktemp("years"), Size(12_000, 64_000, 4_000, 4 * YEAR))
    yield made
    made.front.house.store.close()


async def ask(house: Watched, page: str) -> None:
    """Ask for a page, as an admin who is logged in and as a program with a token."""
    path, mark, search = page.partition("?")
    async with make_client(house.front, ROUTES) as client:
        client.cookies.set(cookie_name(house.front, SESSION_COOKIE), house.session)
        client.headers["authorization"] = f"Bearer {house.secret}"
        house.asked.clear()
        house.steps = 0
        answer = await client.get(asked_at(path, house.known) + mark + search)
    assert not answer.is_error, answer.text


def faults_of(house: Watched) -> list[str]:
    """Give the steps that go through a whole table, or sort one, of all that was asked for a page."""
    with house.front.house.store.reading() as connection:
        return [
            f"{step.detail} | {' '.join(text.split())}"
            for text, given in tuple(house.asked)
            if text.startswith(("SELECT", "WITH"))
            for step in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", given)
            if _FAULT.search(step.detail)
        ]


@pytest.mark.parametrize("page", PAGES)
async def test_no_page_looks_through_a_whole_table_or_sorts_one(year: Watched, page: str) -> None:
    await ask(year, page)
    faults = [one for one in faults_of(year) if not any(re.search(allowed, one) for allowed in ALLOWED)]
    assert not faults


@pytest.mark.parametrize("page", [page for page in PAGES if page not in GROWING])
async def test_a_page_takes_as_many_steps_after_four_years_as_after_one(
    year: Watched, years: Watched, page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # what is kept for the next time may be there of one of the two only, since other tests ask for the same pages
    monkeypatch.setattr(past_days, "_OF", WeakKeyDictionary())
    await ask(year, page)
    await ask(years, page)
    assert years.steps <= 1.5 * year.steps + 20
