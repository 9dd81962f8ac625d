"""How many requests the status page answers, beside a constant of bare Starlette, and nginx with the same bytes.

Run it as `python -m bench.status_page [--seconds 3] [--rounds 5]`; it needs Debian's wrk, and nginx-light for the
second peer. On a machine that is busy with other things the requests per second of processor time tell more than those
per second.
"""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
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

from bench.peers.databases import folder_on_disk
from bench.peers.figures import cpu_seconds
from bench.peers.servers import Server, find, nginx, running
from bench.peers.wrk import load
from service.app import wall_clock
from service.web.application import build
from service.web.public.routes import ROUTES as PUBLIC_ROUTES
from tests.mailservers.processes import free_port
from tests.rooms import Clock, make_front, make_house
from tests.web.showcase import CONFIG, live_through

GZIP = "Accept-Encoding: gzip"
Figures = tuple[float, float]
"""Requests per second, and per second of the server's processor time."""


@dataclass(frozen=True, slots=True)
class Case:
    """One thing that is asked again and again, and by which constant it is measured."""

    name: str
    server: Server
    ceiling: str
    path: str = "/"
    headers: tuple[str, ...] = ()


def bare(body: bytes) -> Starlette:
    """Make the ceiling: a constant."""

    async def constant(_request: Asked) -> Response:
        return Response(body, media_type="text/html")

    return Starlette(routes=[Route("/", constant)])


def serve(name: str, port: int, folder: Path) -> None:
    """Serve the page, or a constant from a file of this name, with the settings of `replycast serve`."""
    if name == "page":
        house = make_house(folder, CONFIG)
        live_through(house, Clock())
        # the real clock: a look at it is a part of each answer
        front = replace(make_front(house, Clock()), clock=wall_clock)
        application = build(front, PUBLIC_ROUTES)
    else:
        application = bare((folder / name).read_bytes())
    config = uvicorn.Config(
        application, port=port, log_config=None, access_log=False, server_header=False, lifespan="off"
    )
    uvicorn.Server(config).run()


@contextmanager
def started(name: str, folder: Path) -> Iterator[Server]:
    """Start such a server."""
    port = free_port()
    command = [sys.executable, "-m", "bench.status_page", "--serve", name, port, folder]
    with running(command, port, folder) as server:
        yield server


def read(url: str, *headers: str) -> tuple[bytes, str]:
    """Ask once; gives the bytes and their ETag."""
    request = Request(url, headers=dict(one.split(": ", 1) for one in headers))  # noqa: S310  on this machine
    with urlopen(request) as answer:  # noqa: S310  as above
        return answer.read(), answer.headers["etag"]


def cases(folder: Path, stack: ExitStack) -> list[Case]:
    """Start everybody who is measured, until the stack is closed."""
    page = stack.enter_context(started("page", folder))
    root = f"{page.url}/"
    (packed, tag), (plain, _) = read(root, GZIP), read(root)
    (folder / "packed.html").write_bytes(packed)
    (folder / "plain.html").write_bytes(plain)
    small, large = (f"bare Starlette, a constant of {len(body):,} bytes" for body in (packed, plain))
    found = [
        Case(small, stack.enter_context(started("packed.html", folder)), small),
        Case(f"/ compressed, {len(packed):,} bytes", page, small, headers=(GZIP,)),
        Case("/ not modified, 304", page, small, headers=(GZIP, f"If-None-Match: {tag}")),
        Case(large, stack.enter_context(started("plain.html", folder)), large),
        Case(f"/ as it is, {len(plain):,} bytes", page, large),
    ]
    program = find("nginx", "nginx-light")
    if program is not None:
        server = stack.enter_context(nginx(folder, program))
        _, its_tag = read(f"{server.url}/packed.html")
        matching = (f"If-None-Match: {its_tag}",)
        found += [
            Case(f"nginx, a file of {len(packed):,} bytes", server, small, "/packed.html"),
            Case("nginx, not modified, 304", server, small, "/packed.html", matching),
            Case(f"nginx, a file of {len(plain):,} bytes", server, large, "/plain.html"),
        ]
    return found


def measure(case: Case, seconds: int) -> Figures:
    """Ask for some seconds."""
    before = cpu_seconds(case.server.pid)
    found = load(case.server.url + case.path, seconds, headers=case.headers, may_be_304="304" in case.name)
    return found.rate, found.count / (cpu_seconds(case.server.pid) - before)


@click.command()
@click.option("--seconds", default=3, show_default=True)
@click.option("--rounds", default=5, show_default=True)
@click.option("--serve", "served", type=(str, int, Path), hidden=True)
def main(seconds: int, rounds: int, served: tuple[str, int, Path] | None) -> None:
    """Measure in turn and print the medians, and how they stand to the constant of the same size."""
    if served:
        serve(*served)
        return
    with folder_on_disk() as folder, ExitStack() as stack:
        asked = cases(folder, stack)
        measured: dict[str, list[Figures]] = {case.name: [] for case in asked}
        for _ in range(rounds):
            for case in asked:
                measured[case.name].append(measure(case, seconds))
    typical = {
        name: [median(one[which] for one in found) for which in (0, 1)] for name, found in measured.items()
    }
    for case in asked:
        mine, ceiling = typical[case.name], typical[case.ceiling]
        click.echo(
            f"{case.name:50} {mine[0]:8,.0f}/s ({mine[0] / ceiling[0]:.2f})"
            f" {mine[1]:8,.0f} per processor second ({mine[1] / ceiling[1]:.2f})"
        )


if __name__ == "__main__":
    main()
