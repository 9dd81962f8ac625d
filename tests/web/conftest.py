"""A house to which things happen, and readers of its pages; some of them in a real Chromium."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import Browser, Page

from service.actions.house import House
from service.web.front import Front
from service.web.public.routes import ROUTES as PUBLIC_ROUTES
from tests.rooms import CONFIG, Clock, make_client, make_front, make_house
from tests.web.chromium import SCREENS, opened, started
from tests.web.office import Office, opened_office, sitting
from tests.web.ordered import orders_named, seen_to_be_ordered
from tests.web.outages import ECHO_MONITOR, Outages
from tests.web.strangers import Stranger, Wakings


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Give a house with one monitor more, whose texts a test chooses."""
    made = make_house(tmp_path, CONFIG + ECHO_MONITOR)
    yield made
    made.store.close()


@pytest.fixture
def front(house: House, clock: Clock) -> Front:
    """Give the web's view of the house."""
    return make_front(house, clock)


@pytest.fixture
def outages(house: House, clock: Clock) -> Outages:
    """Give what may go wrong."""
    return Outages(house, clock)


@pytest.fixture
async def reader(front: Front) -> AsyncIterator[httpx2.AsyncClient]:
    """Give somebody of the public with a browser."""
    async with make_client(front, PUBLIC_ROUTES) as client:
        yield client


@pytest.fixture
async def stranger(front: Front) -> AsyncIterator[Stranger]:
    """Give a stranger."""
    wakings = Wakings()
    async with make_client(replace(front, wake=wakings), PUBLIC_ROUTES) as browser:
        clock = front.clock
        assert isinstance(clock, Clock)
        yield Stranger(browser, front.house, clock, wakings)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Start Debian's Chromium: for one module, since no other event loop runs in a thread beside its client's."""
    with started() as browser:
        yield browser


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """Serve a house with something of everything in it."""
    with opened_office(tmp_path_factory.mktemp("office")) as served:
        yield served


@pytest.fixture(params=SCREENS)
def screen(request: pytest.FixtureRequest) -> str:
    """Give the name of a screen, which also tells apart what both tests of a pair make."""
    return str(request.param)


@pytest.fixture
def page(chromium: Browser, screen: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    """Open an empty page; whatever the browser complains of, its policy included, fails the test.

    So does an order that the test's mark names and that was not given in it, or with anything but the keys.
    """
    with (
        opened(chromium, *SCREENS[screen], by_keys=bool(orders_named(request.node))) as opened_page,
        seen_to_be_ordered(opened_page, request.node),
    ):
        yield opened_page


@pytest.fixture
def sheet(page: Page, office: Office) -> Page:
    """Let an admin be logged in in it."""
    office.enter(page)
    return page


@pytest.fixture
def jordan(chromium: Browser, office: Office) -> Iterator[Page]:
    """Give the browser of one employee, for what two of them do at a time."""
    with sitting(chromium, office, "jordan") as opened_page:
        yield opened_page


@pytest.fixture
def sam(chromium: Browser, office: Office) -> Iterator[Page]:
    """Give the browser of another."""
    with sitting(chromium, office, "sam") as opened_page:
        yield opened_page
