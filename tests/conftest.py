"""Fixtures that every test may ask for."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from service.actions.house import House
from tests.rooms import Clock, make_house


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
