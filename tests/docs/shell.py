"""Runs blocks of a Markdown file in one shell, in their order, and gives what each printed."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

_NEXT: Final = "-- the next block --"


def run_blocks(texts: Sequence[str], folder: Path, *, patience: float, **more: str) -> list[str]:
    """Run texts as one script in a folder, stopping at the first failure; `more` is added to its environment.

    `patience` is in seconds, for all of them. Fails, with what was printed, where a command does.
    """
    script = f"echo '{_NEXT}'\n".join(texts)
    path = (
        f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}{os.pathsep}/usr/sbin{os.pathsep}/sbin"
    )
    environ = {"PATH": path, "HOME": str(folder), "LANG": "C.UTF-8", **more}
    printed, log = folder / "printed", folder / "replycast.log"
    # a file and no pipe, since servers that a failed script leaves behind would hold a pipe open
    with (
        printed.open("w") as output,
        subprocess.Popen(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=folder,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as shell,
    ):
        try:
            shell.wait(patience)
        finally:
            # where it failed, the service is left in the shell's own group
            with suppress(ProcessLookupError):
                os.killpg(shell.pid, signal.SIGKILL)
    assert shell.returncode == 0, (printed.read_text(), log.read_text() if log.exists() else "")
    return printed.read_text().split(f"{_NEXT}\n")
