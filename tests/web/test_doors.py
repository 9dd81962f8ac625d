"""Every route of the whole application, and everybody who must not enter it: refused, with nothing told or changed."""

import hashlib
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import count
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import select
from starlette.types import ASGIApp

from service.actions import api_tokens, logging_in, maintaining, subscriber_admin
from service.actions.api_tokens import Scope
from service.actions.house import House
from service.actions.logging_in import Arriving
from service.app.building import build as build_whole
from service.calls.signing import signing_key
from service.model import Role
from service.store import deliveries, subscribers
from service.store.columns import metadata
from service.web.application import build
from service.web.dashboard.monitor_words import slug_of
from service.web.login.letting_in import SESSION_COOKIE
from service.web.routes import all_routes
from service.workflow.maintenance import Plan
from tests.rooms import CONFIG, Clock, config_in, make_front, make_house
from tests.web.api.programs import make_secret
from tests.web.doors import CLASSED, Asked, Open, asked_for, doors_of
from tests.web.employees import start_session
from tests.web.outages import ECHO_MONITOR, Outages

pytestmark = pytest.mark.anyio

TEXT = f"{CONFIG}{ECHO_MONITOR}webhooks: {{victorops: {{secret: wOrDs}}}}\n"
HOOK = "https://hooks.reader.example/very-secret-path"
UNPUBLISHED, HIDDEN = "The vault stands open", "Nobody outside may read this"
TRACES = {"seen_at", "used_at"}
"""When a session or token was used last: what it leaves whether it is let in or not."""
ENDLESS = {"GET /events", "GET /dashboard/events"}

NOTED = {"POST /login/{token}": {"audit"}}
"""Whoever comes with a link that is none is written down, within bounds."""

BY_EMPLOYEES = [door for door, way in CLASSED.items() if isinstance(way, Role)]
BY_TOKENS = [door for door, way in CLASSED.items() if isinstance(way, Scope)]
BY_NOBODY = [door for door, way in CLASSED.items() if isinstance(way, Open) and door not in ENDLESS]
LOOKS = [door for door in CLASSED if door.startswith("GET ") and door not in ENDLESS]
EMPLOYEES = {Role.VIEWER: "vera", Role.PUBLISHER: "sam", Role.ADMIN: "jordan"}
RANK = list(EMPLOYEES)

FAILED = 3
"""The mail that only the town of orders failed to deliver: it tells an employee that an incident is published."""
NUMBERS = count(1)
FORM = {"text": "Hi", "status": "identified", "comment": "Hi", "version": "1", "subject": "Hi", "url": HOOK}


@dataclass(frozen=True, slots=True)
class Town:
    """The whole application over a house with something of everything in it."""

    house: House
    application: ASGIApp
    named: Mapping[str, str]
    secrets: tuple[str, ...]
    """What no stranger may read."""

    def asked(self, door: str) -> Asked:
        """Give a request for a route."""
        return asked_for(door, self.named)

    def everything(self) -> dict[str, str]:
        """Sum up all rows, save what is only a trace of having been there."""
        with self.house.store.reading() as connection:
            return {
                table.name: hashlib.sha256(
                    repr(
                        connection.execute(
                            select(*(one for one in table.columns if one.name not in TRACES))
                        ).all()
                    ).encode()
                ).hexdigest()
                for table in metadata.sorted_tables
            }

    def tells(self, answer: httpx2.Response) -> list[str]:
        """Give what an answer tells that it must not."""
        said = f"{answer.text}\n{answer.headers}"
        return [one for one in self.secrets if one in said]


@contextmanager
def town_in(folder: Path) -> Iterator[Town]:
    """Build the whole application, after a life that put a row into every table."""
    clock = Clock()
    house = make_house(folder, TEXT)
    jordan, outages = house.config.employees["jordan"], Outages(house, clock)
    outages.fire("Echo", subject=UNPUBLISHED, message=HIDDEN)
    published = outages.published("Echo", subject="Known to all", message="Everybody may read this.")
    outages.tell(published, "Told.")
    file = b"Email\nada@reader.example\n"
    subscriber_admin.import_file(house, file, jordan, clock(), have_agreed=True)
    hook = subscriber_admin.add_webhook(house, HOOK, jordan, clock())
    plan = Plan("Works", "We work.", ("Email",), clock.now.replace(day=28), clock.now.replace(day=29))
    maintaining.plan(house, plan, jordan, clock())
    for whose in EMPLOYEES.values():
        start_session(house, clock, whose)
    for scope in Scope:
        make_secret(house, clock(), scope, name=scope.value.replace(":", "-"))
    arriving = Arriving("session-elsewhere", "Firefox")
    logging_in.log_in_by_provider(house, jordan.email, arriving, now=clock())
    with house.store.reading() as connection:
        found = subscribers.get(connection, hook.id)
        elsewhere = logging_in.find_session(house, "session-elsewhere", clock())
    assert found is not None
    assert elsewhere is not None
    addresses = ("ada@reader.example", "jordan@acme.example", HOOK, signing_key(house.key, found.public_id))
    slug = slug_of(house.config.monitors[0])
    application = build(make_front(house, clock), all_routes(with_sandbox=True))
    yield Town(
        house, application, {"{slug}": slug, "{name}": elsewhere.public_id}, (UNPUBLISHED, HIDDEN, *addresses)
    )
    application.state.public_pages.close()
    house.store.close()


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Give a town in which nobody's order is taken."""
    with town_in(tmp_path_factory.mktemp("doors")) as one:
        yield one


@pytest.fixture(scope="module")
def town_of_orders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Give another town, in which orders may change what they will, and a delivery has failed."""
    with town_in(tmp_path_factory.mktemp("orders")) as one:
        with one.house.store.transaction() as connection:
            deliveries.mark_failed(connection, FAILED, Clock()(), "550 unknown")
        yield one


def browser_at(town: Town) -> httpx2.AsyncClient:
    transport = httpx2.ASGITransport(app=town.application)
    return httpx2.AsyncClient(transport=transport, base_url=town.house.config.site.url)


@pytest.fixture
async def browser(town: Town) -> AsyncIterator[httpx2.AsyncClient]:
    """Give a browser in which nobody is logged in."""
    async with browser_at(town) as client:
        yield client


def log_in(browser: httpx2.AsyncClient, whose: str) -> None:
    browser.cookies.set(SESSION_COOKIE, f"session-of-{whose}")


async def ask(
    browser: httpx2.AsyncClient, asked: Asked, *, headers: Mapping[str, str] | None = None
) -> httpx2.Response:
    form = FORM if asked.method == "POST" and not isinstance(asked.way, Scope) else None
    return await browser.request(asked.method, asked.path, data=form, headers=dict(headers or {}))


def with_head(asked: Asked) -> tuple[Asked, ...]:
    """Give the request and, of what only looks, that for its headers alone."""
    return (asked, replace(asked, method="HEAD")) if asked.method == "GET" else (asked,)


def test_every_route_is_classed_and_every_class_has_its_route() -> None:
    there = set(doors_of(all_routes(with_sandbox=True)))
    assert there - CLASSED.keys() == set(), "say in tests/web/doors.py who may enter there"
    assert CLASSED.keys() - there == set(), "these routes are gone"


async def test_the_whole_application_has_these_routes_and_no_others(tmp_path: Path, clock: Clock) -> None:
    config = config_in(tmp_path, CONFIG)
    async with build_whole(replace(config, database=f"sqlite:///{tmp_path / 'whole.db'}"), clock) as service:
        whole = set(doors_of(service.web.routes))
        service.web.state.public_pages.close()
    assert whole == CLASSED.keys()


def test_without_the_sandbox_it_has_no_door() -> None:
    doors = set(doors_of(all_routes(with_sandbox=False)))
    assert {door for door, way in CLASSED.items() if way is Open.SANDBOX} == CLASSED.keys() - doors


@pytest.mark.parametrize("door", BY_EMPLOYEES)
async def test_who_is_not_logged_in_gets_no_further_than_the_login(
    door: str, town: Town, browser: httpx2.AsyncClient
) -> None:
    asked, before = town.asked(door), town.everything()
    for one in with_head(asked):
        answer = await ask(browser, one)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/login?next=/dashboard")
        assert town.tells(answer) == []
    assert town.everything() == before


@pytest.mark.parametrize("door", BY_EMPLOYEES)
async def test_no_token_of_the_api_opens_an_employees_page(
    door: str, town: Town, browser: httpx2.AsyncClient, clock: Clock
) -> None:
    secret = make_secret(town.house, clock(), name=f"token {next(NUMBERS)}")
    before = town.everything()
    answer = await ask(browser, town.asked(door), headers={"authorization": f"Bearer {secret}"})
    assert answer.status_code == 303
    assert town.tells(answer) == []
    assert town.everything() == before


@pytest.mark.parametrize(
    ("door", "role"),
    [
        (door, role)
        for door in BY_EMPLOYEES
        for role in RANK
        if RANK.index(role) < RANK.index(Role(CLASSED[door]))
    ],
)
async def test_a_lesser_role_is_refused(
    door: str, role: Role, town: Town, browser: httpx2.AsyncClient
) -> None:
    log_in(browser, EMPLOYEES[role])
    asked, before = town.asked(door), town.everything()
    for one in with_head(asked):
        answer = await ask(browser, one)
        assert answer.status_code == 403
        assert town.tells(answer) == []
    assert town.everything() == before


@pytest.mark.parametrize("door", [door for door in BY_EMPLOYEES if door in LOOKS])
async def test_the_least_role_is_enough_to_look(door: str, town: Town, browser: httpx2.AsyncClient) -> None:
    log_in(browser, EMPLOYEES[Role(CLASSED[door])])
    asked = town.asked(door)
    answer = await ask(browser, asked)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("door", [door for door in BY_EMPLOYEES if door.startswith("POST ")])
async def test_the_least_role_is_enough_to_order(door: str, town_of_orders: Town) -> None:
    asked = town_of_orders.asked(door)
    if door == "POST /dashboard/deliveries/{id}/again":
        asked = replace(asked, path=f"/dashboard/deliveries/{FAILED}/again")
    async with browser_at(town_of_orders) as browser:
        log_in(browser, EMPLOYEES[Role(asked.way)])
        answer = await ask(browser, asked)
    assert answer.status_code != 403
    assert not answer.headers.get("location", "").startswith("/login")


@pytest.mark.parametrize("door", BY_TOKENS)
async def test_a_token_of_any_other_scope_is_refused(
    door: str, town: Town, browser: httpx2.AsyncClient, clock: Clock
) -> None:
    asked = town.asked(door)
    others = [scope for scope in Scope if scope is not asked.way]
    secret = make_secret(town.house, clock(), *others, name=f"token {next(NUMBERS)}")
    before = town.everything()
    for one in with_head(asked):
        answer = await ask(browser, one, headers={"authorization": f"Bearer {secret}"})
        assert answer.status_code == 403
        assert town.tells(answer) == []
        assert secret not in answer.text
    assert town.everything() == before


@pytest.mark.parametrize("door", BY_TOKENS)
@pytest.mark.parametrize("shown", ["nothing", "an admin's cookie", "a revoked token", "an expired token"])
async def test_without_a_token_that_lives_nothing_is_answered(
    door: str, shown: str, town: Town, browser: httpx2.AsyncClient, clock: Clock
) -> None:
    headers: dict[str, str] = {}
    if shown == "an admin's cookie":
        log_in(browser, "jordan")
    elif shown != "nothing":
        name, made_at = f"token {next(NUMBERS)}", clock() - timedelta(hours=1)
        end = clock() if "expired" in shown else None
        headers["authorization"] = f"Bearer {make_secret(town.house, made_at, name=name, expires_at=end)}"
        if "revoked" in shown:
            api_tokens.revoke(town.house, name, None, clock())
    before = town.everything()
    answer = await ask(browser, town.asked(door), headers=headers)
    assert answer.status_code == 401
    assert town.tells(answer) == []
    assert town.everything() == before


@pytest.mark.parametrize("door", BY_NOBODY)
async def test_what_is_open_to_all_tells_no_secret_and_takes_no_order(
    door: str, town: Town, browser: httpx2.AsyncClient
) -> None:
    asked, before = town.asked(door), town.everything()
    answer = await ask(browser, asked)
    assert answer.status_code < 500
    assert town.tells(answer) == []
    after = town.everything()
    assert {name for name, rows in after.items() if rows != before[name]} <= NOTED.get(door, set())


@pytest.mark.parametrize("door", LOOKS)
async def test_a_head_changes_nothing_whoever_asks(
    door: str, town: Town, browser: httpx2.AsyncClient, clock: Clock
) -> None:
    asked = replace(town.asked(door), method="HEAD")
    log_in(browser, "jordan")
    headers = {}
    if isinstance(asked.way, Scope):
        secret = make_secret(town.house, clock(), asked.way, name=f"token {next(NUMBERS)}")
        headers["authorization"] = f"Bearer {secret}"
    before = town.everything()
    answer = await ask(browser, asked, headers=headers)
    assert answer.status_code < 500
    assert answer.content == b""
    assert town.everything() == before
