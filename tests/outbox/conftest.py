"""A house over each database that the service runs on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from service.actions.house import House
from tests.rooms import make_house
from tests.store.databases import choosing, databases


@pytest.fixture(params=databases(), autouse=True)
def database(request: pytest.FixtureRequest) -> Iterator[str]:
    """Let every test run once over each database."""
    with choosing(request.param) as name:
        yield name


@pytest.fixture
def house(tmp_path: Path, database: str) -> Iterator[House]:
    """Give a house without a row."""
    made = make_house(tmp_path)
    yield made
    made.store.close()
