"""The world that a story begins in, on each database that the service runs on.

In CI every story is told on both; at the desk those that SQLite alone tells are the ones that others stand for.
"""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.rooms import Clock
from tests.store.databases import choosing, databases
from tests.stories.world import World, make_world
from tests.thoroughness import IN_CI

ON_BOTH = frozenset({
    "test_the_main_story", "test_alerts", "test_audience", "test_corrections", "test_hostile_mail", "test_leaving",
    "test_links", "test_long_maintenance", "test_maintenance", "test_outages", "test_webhooks_of_subscribers",
    "test_while_nobody_decides",
})  # fmt: skip


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Choose the databases of each story, unless it says so itself."""
    chosen = any("database" in mark.args[0] for mark in metafunc.definition.iter_markers("parametrize"))
    if "database" in metafunc.fixturenames and not chosen:
        is_on_both = IN_CI or metafunc.module.__name__.rpartition(".")[2] in ON_BOTH
        metafunc.parametrize("database", databases() if is_on_both else databases()[:1], indirect=True)


@pytest.fixture(autouse=True)
def database(request: pytest.FixtureRequest) -> Iterator[str]:
    """Let new databases be of the kind that was chosen."""
    with choosing(request.param) as name:
        yield name


@pytest.fixture
async def world(tmp_path: Path, clock: Clock, database: str) -> AsyncIterator[World]:
    """Give a running service with the monitor of tests/rooms.py: ask, wait five minutes, combine, auto-close."""
    async with make_world(tmp_path, clock) as made:
        yield made
