"""What is killed works on each database that the service runs on."""

from collections import deque
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path

import pytest

from tests.faults.cluster import own_cluster
from tests.faults.relay import Relay
from tests.faults.scene import Scene
from tests.store.databases import choosing, databases, new_database
from tests.store.postgres import Server

LAST_LINES = 60
"""Lines that are shown of each log of a test that failed: its processes ran elsewhere, and its folder is gone soon."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show with a failure what the services and the servers beside them had to say."""
    report = yield
    folder = getattr(item, "funcargs", {}).get("tmp_path")
    if report.failed and isinstance(folder, Path):
        for log in sorted(one for one in folder.rglob("*log") if one.is_file()):
            with log.open(errors="replace") as lines:
                report.sections.append((f"the end of {log.name}", "".join(deque(lines, LAST_LINES))))
    return report


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


@pytest.fixture
def server() -> Iterator[Server]:
    """Give a PostgreSQL server of this test's own, which may be restarted and paused."""
    with own_cluster() as started:
        yield started


@pytest.fixture
async def scene(server: Server, relay: Relay, tmp_path: Path) -> AsyncIterator[Scene]:
    """Give a scene over a database of that server."""
    with server.database() as address:
        made = Scene(tmp_path, address, relay)
        made.prepare()
        yield made
