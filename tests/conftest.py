"""Fixtures that every test may ask for."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from service.actions.house import House
from tests.rooms import Clock, make_house

# no deadline, since two cores are shared with servers and browsers; in CI always the same examples, so that a
# change is judged by what it changes, and new ones are found at the desk
settings.register_profile("desk", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") == "true" else "desk")


@pytest.fixture
def anyio_backend() -> str:
    """Run async tests on asyncio, as the service does."""
    return "asyncio"


@pytest.fixture
def clock() -> Clock:
    """Give a clock that stands still until it is moved."""
    return Clock()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Give a house over a fresh database."""
    made = make_house(tmp_path)
    yield made
    made.store.close()
