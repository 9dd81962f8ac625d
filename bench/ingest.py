"""How many webhooks are taken in, each on disk before its 202, beside its peers in the same run.

The peers are the bare Starlette that reads the body and answers (the ceiling; it keeps nothing), and Debian's
prometheus-alertmanager, which keeps alerts in memory. Run it as `python -m bench.ingest [--seconds 5] [--rounds 3]`; it
needs wrk, and prometheus-alertmanager for the second peer. All answer on 127.0.0.1, 32 connections each.
"""

import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from urllib.error import URLError
from urllib.request import urlopen

import click
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.rooms import CONFIG

ON_THIS_MACHINE = CONFIG.replace("status.acme.example", "127.0.0.1:8080")
PATIENCE = 20.0
"""Seconds for a peer to start."""
CONNECTIONS = 32

_VICTOROPS = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
local count = 0
request = function()
  count = count + 1
  local body = '{"monitorName":"Email Server","state":"CRITICAL","entityId":"disk-' .. count % 100 .. '"}'
  return wrk.format(nil, nil, nil, body)
end
"""
_ALERTMANAGER = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
local count = 0
request = function()
  count = count + 1
  local name = "disk-" .. count % 100
  local body = '[{"labels":{"alertname":"Email Server","instance":"' .. name .. '"}}]'
  return wrk.format(nil, nil, nil, body)
end
"""
_MANY_GROUPS = "route: {receiver: none, group_by: ['...'], group_wait: 1h}\nreceivers: [{name: none}]\n"


@dataclass(frozen=True, slots=True)
class Peer:
    """One that takes posts in."""

    name: str
    url: str
    script: Path


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one round: posts per second, and the slowest of a hundred, in milliseconds."""

    rate: float
    p99: float


def bare(port: int) -> None:
    """Serve the ceiling, with the settings of `replycast serve`."""

    async def take(request: Request) -> JSONResponse:
        await request.body()
        return JSONResponse({"id": 1}, 202)

    application = Starlette(routes=[Route("/", take, methods=["POST"])])
    config = uvicorn.Config(application, log_config=None, access_log=False, server_header=False, port=port)
    uvicorn.Server(config).run()


def free_port() -> int:
    """Find a port that nobody has."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        return int(door.getsockname()[1])


@contextmanager
def running(*command: object, url: str, folder: Path) -> Iterator[None]:
    """Run a server until the block ends, which begins once it answers."""
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen([str(one) for one in command], stdout=log, stderr=log, cwd=folder)  # noqa: S603  ours
        try:
            end = time.monotonic() + PATIENCE
            while not _answers(url):
                if time.monotonic() > end or process.poll() is not None:
                    raise click.ClickException(f"{command[0]} did not start: {(folder / 'log').read_text()}")
                time.sleep(0.1)
            yield
        finally:
            process.terminate()
            process.wait()


def _answers(url: str) -> bool:
    try:
        with urlopen(url):  # noqa: S310  on this machine
            return True
    except URLError as error:
        return hasattr(error, "code")


@contextmanager
def peers(folder: Path) -> Iterator[list[Peer]]:
    """Start everybody who is measured."""
    ours, theirs = folder / "victorops.lua", folder / "alertmanager.lua"
    ours.write_text(_VICTOROPS)
    theirs.write_text(_ALERTMANAGER)
    ports = [free_port() for _ in range(3)]
    roots = [f"http://127.0.0.1:{port}" for port in ports]
    (folder / "config.yaml").write_text(f'database: "sqlite:///{folder}/replycast.db"\n{ON_THIS_MACHINE}')
    (folder / "alertmanager.yml").write_text(_MANY_GROUPS)
    me = (sys.executable, "-m")
    found = [
        Peer("bare Starlette, keeps nothing", f"{roots[0]}/", ours),
        Peer("replycast, on disk before the 202", f"{roots[1]}/webhook/victorops", ours),
    ]
    serve = (*me, "service", "serve", "--config", folder / "config.yaml", "--port", ports[1])
    with (
        running(*me, "bench.ingest", "--serve-bare", ports[0], url=roots[0], folder=folder),
        running(*serve, url=f"{roots[1]}/healthz", folder=folder),
    ):
        program = shutil.which("prometheus-alertmanager")
        if program is None:
            yield found
            return
        flags = (
            f"--config.file={folder}/alertmanager.yml",
            f"--storage.path={folder}/alertmanager",
            f"--web.listen-address=127.0.0.1:{ports[2]}",
            "--cluster.listen-address=",
            "--log.level=error",
        )
        with running(program, *flags, url=f"{roots[2]}/-/ready", folder=folder):
            yield [*found, Peer("Alertmanager, in memory", f"{roots[2]}/api/v2/alerts", theirs)]


def load(peer: Peer, seconds: int) -> Figures:
    """Post for some seconds."""
    command = [
        "wrk",
        "-t1",
        f"-c{CONNECTIONS}",
        f"-d{seconds}s",
        "--latency",
        "-s",
        str(peer.script),
        peer.url,
    ]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603  wrk itself
    rate, p99 = re.search(r"Requests/sec:\s+([\d.]+)", said), re.search(r"99%\s+([\d.]+)(us|ms|s)", said)
    if rate is None or p99 is None or "Non-2xx" in said:
        raise click.ClickException(f"{peer.name}: wrk did not get through: {said}")
    return Figures(float(rate[1]), float(p99[1]) * {"us": 0.001, "ms": 1, "s": 1_000}[p99[2]])


@click.command()
@click.option("--seconds", default=5, show_default=True)
@click.option("--rounds", default=3, show_default=True)
@click.option("--serve-bare", "bare_port", type=int, hidden=True)
def main(seconds: int, rounds: int, bare_port: int | None) -> None:
    """Measure in turn and print the medians, each beside the ceiling."""
    if bare_port is not None:
        bare(bare_port)
        return
    with tempfile.TemporaryDirectory() as name, peers(Path(name)) as measured:
        figures: dict[str, list[Figures]] = {peer.name: [] for peer in measured}
        for _ in range(rounds):
            for peer in measured:
                figures[peer.name].append(load(peer, seconds))
    ceiling = median(one.rate for one in figures[measured[0].name])
    click.echo(f"{'webhooks, 32 connections':36} {'per second':>11} {'of bare':>8} {'p99, ms':>8}")
    for peer_name, each in figures.items():
        rate = median(one.rate for one in each)
        click.echo(
            f"{peer_name:36} {rate:11,.0f} {rate / ceiling:8.2f} {median(one.p99 for one in each):8.1f}"
        )


if __name__ == "__main__":
    main()
