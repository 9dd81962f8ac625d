"""The world that a story begins in."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.rooms import Clock
from tests.stories.world import World, make_world


@pytest.fixture
async def world(tmp_path: Path, clock: Clock) -> AsyncIterator[World]:
    """Give a running service with the monitor of tests/rooms.py: ask, wait five minutes, combine, auto-close."""
    async with make_world(tmp_path, clock) as made:
        yield made
