"""How many requests the status page answers, beside a constant of bare Starlette on the same uvicorn in the same run.

Run it as `python -m bench.status_page [--seconds 3] [--rounds 5]`; it needs Debian's wrk. On a machine that is busy
with other things the requests per second of processor time tell more than those per second.
"""

import os
import re
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from urllib.request import Request, urlopen

import click
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request as Asked
from starlette.responses import Response
from starlette.routing import Route

from service.app import wall_clock
from service.web.application import build
from service.web.public.routes import ROUTES as PUBLIC_ROUTES
from tests.rooms import Clock, make_front, make_house
from tests.web.showcase import CONFIG, live_through

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Case:
    """One thing that is asked again and again."""

    name: str
    port: int
    headers: tuple[str, ...] = ()


def bare(body: bytes) -> Starlette:
    """Make the ceiling: a constant."""

    async def constant(_request: Asked) -> Response:
        return Response(body, media_type="text/html")

    return Starlette(routes=[Route("/", constant)])


def serve(name: str) -> None:
    """Serve one of the applications on a free port, which is printed; the settings are those of `replycast serve`."""
    with tempfile.TemporaryDirectory() as folder:
        house = make_house(Path(folder), CONFIG)
        live_through(house, Clock())
        # the real clock: a look at it is a part of each answer
        front = replace(make_front(house, Clock()), clock=wall_clock)
        application = build(front, PUBLIC_ROUTES) if name == "page" else bare(sys.stdin.buffer.read())
        config = uvicorn.Config(
            application, log_config=None, access_log=False, server_header=False, lifespan="off"
        )
        door = socket.create_server(("127.0.0.1", 0), backlog=1024)
        print(door.getsockname()[1], flush=True)  # noqa: T201  its one line of output
        uvicorn.Server(config).run(sockets=[door])


@contextmanager
def started(name: str, body: bytes = b"") -> Iterator[tuple[int, int]]:
    """Start such a server; gives its process id and port."""
    command = [sys.executable, "-m", "bench.status_page", "--serve", name]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603  ourselves
    assert process.stdin is not None  # noqa: S101  it is a pipe
    assert process.stdout is not None  # noqa: S101  as above
    process.stdin.write(body)
    process.stdin.close()
    try:
        yield process.pid, int(process.stdout.readline())
    finally:
        process.terminate()
        process.wait()


def cpu_seconds(pid: int) -> float:
    """Tell how much processor time a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def load(case: Case, pid: int, seconds: int) -> tuple[float, float]:
    """Ask for some seconds; gives the requests per second, and per second of the server's processor time."""
    before = cpu_seconds(pid)
    headers = [part for header in case.headers for part in ("-H", header)]
    command = ["wrk", "-t1", "-c32", f"-d{seconds}s", *headers, f"http://127.0.0.1:{case.port}/"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603  wrk itself
    found = re.search(r"(\d+) requests in", said)
    if found is None or ("Non-2xx" in said and "304" not in case.name):
        raise click.ClickException(f"wrk did not get through: {said}")
    count = int(found[1])
    return count / seconds, count / (cpu_seconds(pid) - before)


@click.command()
@click.option("--seconds", default=3, show_default=True)
@click.option("--rounds", default=5, show_default=True)
@click.option("--serve", "served", hidden=True)
def main(seconds: int, rounds: int, served: str | None) -> None:
    """Measure and print the medians, and how they stand to the constant."""
    if served:
        serve(served)
        return
    with started("page") as (page_pid, page_port):
        request = Request(f"http://127.0.0.1:{page_port}/", headers={"accept-encoding": "gzip"})
        with urlopen(request) as answer:  # noqa: S310  our own server
            body, tag = answer.read(), answer.headers["etag"]
        with urlopen(request.full_url) as answer:  # noqa: S310  as above
            plain = answer.read()
        gzip = "Accept-Encoding: gzip"
        with (
            started("bare", body) as (bare_pid, bare_port),
            started("bare", plain) as (large_pid, large_port),
        ):
            cases = [
                (Case(f"bare Starlette, a constant of {len(body):,} bytes", bare_port), bare_pid),
                (Case(f"/ compressed, {len(body):,} bytes", page_port, (gzip,)), page_pid),
                (Case("/ not modified, 304", page_port, (gzip, f"If-None-Match: {tag}")), page_pid),
                (Case(f"bare Starlette, a constant of {len(plain):,} bytes", large_port), large_pid),
                (Case(f"/ as it is, {len(plain):,} bytes", page_port), page_pid),
            ]
            measured: dict[str, list[tuple[float, float]]] = {case.name: [] for case, _ in cases}
            for _ in range(rounds):
                for case, pid in cases:
                    measured[case.name].append(load(case, pid, seconds))
    ceilings = [measured[cases[0][0].name]] * 3 + [measured[cases[3][0].name]] * 2
    for (name, figures), ceiling in zip(measured.items(), ceilings, strict=True):
        each = [median(one[which] for one in figures) for which in (0, 1)]
        ratios = [each[which] / median(one[which] for one in ceiling) for which in (0, 1)]
        click.echo(
            f"{name:50} {each[0]:8,.0f}/s ({ratios[0]:.2f}) {each[1]:8,.0f} per processor second ({ratios[1]:.2f})"
        )


if __name__ == "__main__":
    main()
