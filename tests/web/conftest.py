"""A house to which things happen, and a reader of its pages."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx2
import pytest

from service.actions.house import House
from service.web.front import Front
from service.web.public.routes import ROUTES as PUBLIC_ROUTES
from tests.rooms import CONFIG, Clock, make_client, make_front, make_house
from tests.web.outages import ECHO_MONITOR, Outages


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
