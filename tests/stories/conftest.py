"""The world that a story begins in, on each database that the service runs on."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.rooms import Clock
from tests.store.databases import choosing, databases
from tests.stories.world import World, make_world


@pytest.fixture(params=databases(), autouse=True)
def database(request: pytest.FixtureRequest) -> Iterator[str]:
    """Let every story be told once over each database."""
    with choosing(request.param) as name:
        yield name


@pytest.fixture
async def world(tmp_path: Path, clock: Clock, database: str) -> AsyncIterator[World]:
    """Give a running service with the monitor of tests/rooms.py: ask, wait five minutes, combine, auto-close."""
    async with make_world(tmp_path, clock) as made:
        yield made
