"""Fixtures that every test may ask for."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from service.actions.house import House
from tests.rooms import Clock, make_house
from tests.thoroughness import IN_CI, examples

# no deadline, since two cores are shared with servers and browsers; in CI always the same examples, so that a
# change is judged by what it changes, and new ones are found at the desk
settings.register_profile("desk", deadline=None, max_examples=examples(100))
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if IN_CI else "desk")

MEMORY = Path("/dev/shm")  # noqa: S108  pytest makes a folder of its own in it, which nobody else may enter
ROOM = 2 * 1024**3
"""Bytes that must be free there: several hundred databases are kept at a time."""


def pytest_configure() -> None:
    """Keep the tests' folders in memory where there is room: each commit waits for the disk, and there are many."""
    if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


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
