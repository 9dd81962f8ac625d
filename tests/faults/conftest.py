"""What is killed works on each database that the service runs on."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.faults.relay import Relay
from tests.store.databases import choosing, databases, new_database


@pytest.fixture(params=databases())
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Give the URL of a fresh database."""
    with choosing(request.param):
        yield new_database(tmp_path)


@pytest.fixture
async def relay() -> AsyncIterator[Relay]:
    """Give a relay that takes everything, until a test wants otherwise."""
    started = Relay()
    await started.open()
    yield started
    await started.go_away()
