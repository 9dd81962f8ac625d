"""Who watches, on each database that the service runs on."""

from collections.abc import Iterator

import pytest

from service.actions.house import House
from service.actions.logging_in import hash_key
from service.web.dashboard.changes import Changes
from tests.rooms import Clock
from tests.store.databases import choosing, databases
from tests.web.employees import start_session


@pytest.fixture(params=databases(), autouse=True)
def database(request: pytest.FixtureRequest) -> Iterator[str]:
    """Let each test run on each database that the service runs on."""
    with choosing(request.param) as name:
        yield name


@pytest.fixture
def session(house: House, clock: Clock) -> str:
    """Give the hash of Sam's session."""
    return hash_key(start_session(house, clock, "sam"))


@pytest.fixture
def watched(house: House, clock: Clock) -> Changes:
    """Give what notices changes, apart from any application."""
    return Changes(house.store, clock)
