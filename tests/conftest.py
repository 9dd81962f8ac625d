"""Fixtures that every test may ask for."""

import faulthandler
import logging
import os
import shutil
import sys
from collections.abc import Callable, Generator, Iterator
from io import StringIO
from pathlib import Path

import pytest
import structlog
from hypothesis import settings

from service.actions.house import House
from service.cli.logs import LogForm, set_up_logs
from tests.rooms import Clock, make_house
from tests.thoroughness import IN_CI, examples

# no deadline, since two cores are shared with servers and browsers; in CI always the same examples, so that a
# change is judged by what it changes, and new ones are found at the desk
settings.register_profile("desk", deadline=None, max_examples=examples(100))
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if IN_CI else "desk")

# as the service's own log has it; rich shows what every variable holds, which halts the event loop that logs it for
# half a second on a quiet machine, and for ten on a busy one
structlog.dev.ConsoleRenderer.get_active().exception_formatter = structlog.dev.plain_traceback

MEMORY = Path("/dev/shm")  # noqa: S108  pytest makes a folder of its own in it, which nobody else may enter
ROOM = 2 * 1024**3
"""Bytes that must be free there: several hundred databases are kept at a time."""


PRINTED = pytest.StashKey[int]()
"""The descriptor on which the run prints: of a process that is ended, what was captured is lost."""
CLEARING_UP = 120
"""Seconds; pytest-timeout looks away as soon as a test has failed, and its clearing up may hang."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None]:
    """End the process, and say where it was, rather than wait for ever for what a failed test left behind."""
    faulthandler.dump_traceback_later(CLEARING_UP, exit=True, file=item.config.stash[PRINTED])
    try:
        return (yield)
    finally:
        faulthandler.cancel_dump_traceback_later()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let nothing be skipped in CI: there every program is that a test needs, or the test says nothing."""
    report = yield
    if IN_CI and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, which nothing may be in CI: {report.longrepr}"
    return report


def pytest_configure(config: pytest.Config) -> None:
    """Keep the tests' folders in memory where there is room: each commit waits for the disk, and there are many."""
    config.stash[PRINTED] = os.dup(sys.__stderr__.fileno() if sys.__stderr__ else 2)
    if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


@pytest.fixture
def anyio_backend() -> str:
    """Run async tests on asyncio, as the service does."""
    return "asyncio"


@pytest.fixture
def write_log(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[StringIO], None]]:
    """Give what lets the log be written to some file, as JSON, until the test ends."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level

    def write_to(file: StringIO) -> None:
        monkeypatch.setattr(sys, "stderr", file)
        set_up_logs(LogForm.JSON)

    yield write_to
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


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
