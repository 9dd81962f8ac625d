"""A thread that hangs does not keep the process from ending."""

import subprocess
import sys

PATIENCE = 30.0
HANGING = """
import asyncio, threading
from types import SimpleNamespace
from service.app import running
from service.store.patience import Haste
running.LONGEST_END = 0.2
store = SimpleNamespace(haste=Haste())
running._stop(asyncio.Event(), store, "SIGTERM")
assert store.haste.is_on, "whoever waits for the database is to give up"
threading.Event().wait()
"""


def test_what_hangs_is_ended_by_force_and_said_to_be() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", HANGING], capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert ended.returncode == 1
    assert "stopped by force: something did not end" in ended.stdout + ended.stderr
