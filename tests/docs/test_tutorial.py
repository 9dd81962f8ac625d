"""The tutorial, run as a newcomer would: each `sh` block in order, in one shell, against a real process.

A `text` block is what the `sh` block above it prints, with `…` for what differs; the `console` block installs, and is
not run.
"""

import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

from tests.docs.blocks import DOCS, Block, blocks_of

_TUTORIAL: Final = DOCS / "tutorial.md"
_PORT: Final = "8080"
_NEXT: Final = "-- the next block --"
_PATIENCE: Final = 90
"""Seconds for all of it; it takes fewer than 20 where nobody else needs the processor."""


def test_every_command_of_the_tutorial_does_what_the_tutorial_says(tmp_path: Path) -> None:
    told = list(blocks_of(_TUTORIAL.read_text()))
    commands = [block for block in told if block.language == "sh"]

    printed = _run(commands, tmp_path)

    assert len(printed) == len(commands)
    expected = {_at(told, block): block.text for block in told if block.language == "text"}
    for at, text in expected.items():
        assert re.fullmatch(_pattern(text), printed[at].strip(), re.DOTALL), (text, printed[at])
    assert len(expected) >= 5


def test_the_tutorial_has_no_block_that_is_neither_run_nor_compared() -> None:
    languages = [block.language for block in blocks_of(_TUTORIAL.read_text())]

    assert set(languages) == {"sh", "text", "console"}
    assert languages.count("console") == 1


def _at(told: list[Block], block: Block) -> int:
    """Give the number of the `sh` block above a block."""
    return sum(1 for one in told if one.language == "sh" and one.line < block.line) - 1


def _pattern(text: str) -> str:
    return ".*".join(map(re.escape, text.strip().split("…")))


def _run(commands: list[Block], folder: Path) -> list[str]:
    """Run the blocks in one shell that stops at the first failure, and give what each printed."""
    script = f"echo '{_NEXT}'\n".join(block.text for block in commands).replace(_PORT, str(_free_port()))
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environ = {"PATH": path, "HOME": str(folder), "LANG": "C.UTF-8"}
    with subprocess.Popen(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as shell:
        try:
            output, _ = shell.communicate(timeout=_PATIENCE)
        finally:
            with suppress(
                ProcessLookupError
            ):  # where it failed, the service is left in the shell's own group
                os.killpg(shell.pid, signal.SIGKILL)
    log = folder / "replycast.log"
    assert shell.returncode == 0, (output, log.read_text() if log.exists() else "")
    return output.split(f"{_NEXT}\n")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
