"""How much work a thing is, counted and not timed: the same on a slow machine, a busy one and a fast one."""

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

ENDS = pytest.mark.timeout(60)
"""For what would take minutes if it went wrong, and takes milliseconds else."""


@dataclass
class Effort:
    """What was counted."""

    calls: int = 0
    """Of functions of this thread, those written in C included."""


@contextmanager
def counting() -> Iterator[Effort]:
    """Count the calls of functions within the block; only those of this thread."""
    effort = Effort()

    def note(_frame: object, event: str, _argument: object) -> None:
        effort.calls += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        yield effort
    finally:
        sys.setprofile(before)


@dataclass
class Steps:
    """What was counted within SQLite."""

    thousands: float = 0
    """Of the operations of its machine."""


@contextmanager
def counting_steps(connection: sqlite3.Connection, *, each: int = 1_000) -> Iterator[Steps]:
    """Count what SQLite's machine does for a connection within the block; a statement of fewer steps is not seen."""
    steps = Steps()

    def note() -> int:
        steps.thousands += each / 1_000
        return 0

    connection.set_progress_handler(note, each)
    try:
        yield steps
    finally:
        connection.set_progress_handler(None, 0)
