"""What the start needed no longer is given back, where the C library can."""

import ctypes
import subprocess
import sys
from pathlib import Path

import pytest

from service.app.giving_back import give_back

ROOT = Path(__file__).parents[2]
GIVES_BACK = """
from pathlib import Path
from service.app.giving_back import give_back

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1])

# of a size that lies in glibc's heap, and the last one keeps its end in use
pieces = [bytes(b"x" * 60_000) for _ in range(1_000)]
last = pieces.pop()
before = resident()
pieces.clear()
freed = resident()
give_back()
print(before - freed, freed - resident())
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="this C library has no malloc_trim")
def test_what_is_free_amid_what_is_used_goes_back_to_the_system() -> None:
    told = subprocess.run(
        [sys.executable, "-c", GIVES_BACK], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    by_itself, by_us = map(int, told.split())
    assert by_us > by_itself


def test_another_c_library_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    give_back()
