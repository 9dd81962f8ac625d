"""wrk, which asks as fast as it is answered."""

import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

CONNECTIONS = 32
_MILLISECONDS = {"us": 0.001, "ms": 1, "s": 1_000}


@dataclass(frozen=True, slots=True)
class Load:
    """What wrk found."""

    count: int
    rate: float
    """Requests per second."""
    p99: float
    """Milliseconds that one of a hundred took longer than."""


def load(
    url: str,
    seconds: int,
    *,
    headers: Sequence[str] = (),
    script: Path | None = None,
    may_be_304: bool = False,
) -> Load:
    """Ask for some seconds; raises ClickException where not everything is answered as it should be."""
    if shutil.which("wrk") is None:
        raise click.ClickException("wrk is not installed: `make peers` installs it")
    more = [part for header in headers for part in ("-H", header)] + (["-s", str(script)] if script else [])
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", *more, url]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603  wrk itself
    count, rate = re.search(r"(\d+) requests in", said), re.search(r"Requests/sec:\s+([\d.]+)", said)
    p99 = re.search(r"99%\s+([\d.]+)(us|ms|s)", said)
    if (
        count is None
        or rate is None
        or p99 is None
        or count[1] == "0"
        or ("Non-2xx" in said and not may_be_304)
    ):
        raise click.ClickException(f"{url}: wrk did not get through: {said}")
    return Load(int(count[1]), float(rate[1]), float(p99[1]) * _MILLISECONDS[p99[2]])


def posting(file: Path, body: str) -> Path:
    """Write a script that posts JSON; `body` is an expression of Lua, in which `count` counts the posts."""
    file.write_text(f"""
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
local count = 0
request = function()
  count = count + 1
  return wrk.format(nil, nil, nil, {body})
end
""")
    return file
