"""Running the commands: within this process, and as a process of their own."""

import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import structlog
from click.testing import CliRunner, Result

from service.cli import main
from tests.rooms import CONFIG

ON_THIS_MACHINE = CONFIG.replace("status.acme.example", "127.0.0.1:8080")
"""Without a mail server a service is shown on its own machine alone."""
PATIENCE = 30.0
"""Seconds after which what does not happen counts as never."""


def write_config(folder: Path, text: str = ON_THIS_MACHINE) -> Path:
    """Write a config.yaml whose database is beside it."""
    path = folder / "config.yaml"
    path.write_text(f'database: "sqlite:///{folder}/replycast.db"\n{text}')
    return path


def run(*arguments: object, stdin: bytes = b"") -> Result:
    """Run a command within this process, whose log is as before at the end."""
    typed = [str(one) for one in arguments]
    nothing_set = {"REPLYCAST_CONFIG": None}
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        return CliRunner().invoke(main, typed, input=stdin, env=nothing_set, prog_name="replycast")
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        structlog.reset_defaults()


def run_json(*arguments: object, stdin: bytes = b"") -> dict[str, Any]:
    """Run a command that succeeds and prints one JSON object."""
    result = run(*arguments, "--json", stdin=stdin)
    assert result.exit_code == 0, result.output
    printed: dict[str, Any] = json.loads(result.stdout)
    return printed


def start(*arguments: object, folder: Path, **environment: str) -> subprocess.Popen[str]:
    """Start `python -m service` as a process of its own, in a folder."""
    named = {name: value for name, value in os.environ.items() if name != "REPLYCAST_CONFIG"}
    root = Path(__file__).parents[2]
    return subprocess.Popen(
        [sys.executable, "-m", "service", *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
        env={**named, "PYTHONPATH": str(root), **environment},
    )


def run_process(*arguments: object, folder: Path, **environment: str) -> tuple[int, str, str]:
    """Run `python -m service` to its end; gives exit code, standard output and standard error."""
    with start(*arguments, folder=folder, **environment) as process:
        out, err = process.communicate(timeout=PATIENCE)
    return process.returncode, out, err
