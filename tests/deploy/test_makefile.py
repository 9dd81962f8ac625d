"""What `make` does on a machine that has not all that it needs."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.docs.blocks import ROOT

_RECORDER = """#!/bin/sh
echo "$0 $*" >>{log}
"""


@pytest.mark.parametrize(("is_whole", "times"), [(False, 1), (True, 0)])
def test_an_environment_that_was_left_without_pip_is_made_again(
    tmp_path: Path, *, is_whole: bool, times: int
) -> None:
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    log, python = tmp_path / "log", tmp_path / "python3"
    programs = tmp_path / ".venv/bin"
    programs.mkdir(parents=True)
    for recorder in (python, programs / "python", *([programs / "pip"] if is_whole else [])):
        recorder.write_text(_RECORDER.format(log=log))
        recorder.chmod(0o755)

    subprocess.run(
        ["make", f"PYTHON={python}", ".venv/.installed"], cwd=tmp_path, check=True, capture_output=True
    )

    ran = log.read_text().splitlines()
    assert ran.count(f"{python} -m venv .venv") == times
    assert sum("pip install" in line for line in ran) == 2
