"""How many webhooks are taken in, each on disk before its 202, beside its peers in the same run.

The peers are the bare Starlette that reads the body and answers (the ceiling; it keeps nothing), one that commits each
post to SQLite by itself, Debian's prometheus-alertmanager, which keeps alerts in memory, and PyPI's alerta-server,
which keeps them in PostgreSQL. Ours and the one that commits are also measured with 2 ms added to each sync, by a small
library before the system's own. Run it as `python -m bench.ingest [--seconds 5] [--rounds 3] [--database postgresql]`;
it needs wrk, gcc for the slow disk, and what `make peers` installs for the last two. All answer on 127.0.0.1, 32
connections each, and no other runs meanwhile. At half of the load that ours reached it is posted at once more, at that
rate: how long does a post take then?
"""

import json
import sqlite3
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median

import click
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from bench.peers.alerta import ALERT, alert_of, alerta, is_usable
from bench.peers.databases import KINDS, TITLES, folder_on_disk, new_database, usable_kinds
from bench.peers.figures import percentile
from bench.peers.mailing import ALERTMANAGER, AT_ONCE
from bench.peers.paced import post_paced
from bench.peers.servers import Server, alertmanager, find, replycast, running, smtp_sink
from bench.peers.slow_sync import build_slow_sync
from bench.peers.wrk import CONNECTIONS, load, posting
from tests.mailservers.processes import free_port

VICTOROPS = """'{"monitorName":"Email Server","state":"CRITICAL","entityId":"disk-' .. count % 100 .. '"}'"""
EACH_ITS_OWN = """'{"monitorName":"Email Server","state":"CRITICAL","entityId":"' .. count .. '"}'"""
_ALERT = """'[{{"labels":{{"alertname":"Email Server","instance":"disk-' .. {} .. '"}}}}]'"""
MANY_GROUPS = "route: {receiver: none, group_by: ['...'], group_wait: 1h}\nreceivers: [{name: none}]\n"
ALERTA = "Alerta, PostgreSQL"
SLOW = "slow disk"
ADDED = 0.002
"""Seconds that the slow disk takes more for each sync."""


@dataclass(slots=True)
class Peer:
    """One that takes posts in, how it is started, and what was found."""

    name: str
    start: Callable[[], AbstractContextManager[Server]]
    path: str
    script: Path
    is_ours: bool = False
    body: Callable[[int], str] = field(default_factory=lambda: webhook_of)
    rates: list[float] = field(default_factory=list)
    p99s: list[float] = field(default_factory=list)
    at_half: list[float] = field(default_factory=list)
    """The p99 at half of the rate."""


def serve(kind: str, port: int, folder: Path) -> None:
    """Serve a peer of ours, with the settings of `replycast serve`: `bare` or `commits`."""
    database = sqlite3.connect(folder / "commits.db")
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    database.execute("CREATE TABLE IF NOT EXISTS inbox (id INTEGER PRIMARY KEY, raw BLOB)")

    async def take(request: Request) -> JSONResponse:
        body = await request.body()
        if kind == "commits":
            with database:
                database.execute("INSERT INTO inbox (raw) VALUES (?)", (body,))
        return JSONResponse({"id": 1}, 202)

    application = Starlette(routes=[Route("/", take, methods=["POST"])])
    config = uvicorn.Config(application, log_config=None, access_log=False, server_header=False, port=port)
    uvicorn.Server(config).run()


@contextmanager
def started(kind: str, folder: Path, preload: Path | None = None) -> Iterator[Server]:
    """Start such a peer."""
    port = free_port()
    before = ["env", f"LD_PRELOAD={preload}"] if preload else []
    command = [*before, sys.executable, "-m", "bench.ingest", "--serve", kind, port, folder]
    with running(command, port, folder) as server:
        yield server


@contextmanager
def ours(kind: str, folder: Path, preload: Path | None = None) -> Iterator[Server]:
    """Start `replycast serve` over a new database."""
    with (
        new_database(kind, folder) as database,
        replycast(folder, database, preload=preload) as server,
    ):
        yield server


@contextmanager
def ours_that_mails(folder: Path) -> Iterator[Server]:
    """Start `replycast serve`, for which each post is an incident of its own, and a mail."""
    with (
        smtp_sink(folder) as sink,
        new_database("sqlite", folder) as database,
        replycast(folder, database, config=AT_ONCE, smtp_port=sink.port) as server,
    ):
        yield server


@contextmanager
def alertmanager_that_mails(folder: Path, program: str) -> Iterator[Server]:
    """Start Alertmanager, for which each post is a group of its own, and a mail."""
    with (
        smtp_sink(folder) as sink,
        alertmanager(folder, program, ALERTMANAGER.format(port=sink.port)) as server,
    ):
        yield server


def peers(folder: Path, kinds: Sequence[str]) -> list[Peer]:
    """Name everybody who is measured, the ceiling first."""
    post = posting(folder / "victorops.lua", VICTOROPS)
    webhook = ("/webhook/victorops", post, True)
    found = [
        Peer("bare Starlette, keeps nothing", partial(started, "bare", folder), "/", post),
        *(Peer(f"replycast, {TITLES[kind]}", partial(ours, kind, folder), *webhook) for kind in kinds),
        Peer("a commit for each post, SQLite", partial(started, "commits", folder), "/", post),
    ]
    slow = build_slow_sync(folder, ADDED)
    if slow is not None:
        found += [
            Peer(f"replycast, SQLite, {SLOW}", partial(ours, "sqlite", folder, slow), *webhook),
            Peer(f"a commit for each post, {SLOW}", partial(started, "commits", folder, slow), "/", post),
        ]
    program = find("prometheus-alertmanager", "prometheus-alertmanager")
    if program is not None:
        start = partial(alertmanager, folder, program, MANY_GROUPS)
        for name, which in (("100 groups", "count % 100"), ("a group for each post", "count")):
            alerts = posting(folder / f"{name}.lua", _ALERT.format(which))
            found.append(Peer(f"Alertmanager, {name}", start, "/api/v2/alerts", alerts, body=alerts_of))
    if program is not None and find("smtp-sink", "postfix"):
        each = posting(folder / "each.lua", EACH_ITS_OWN)
        found += [
            Peer("replycast, SQLite, a mail for each", partial(ours_that_mails, folder), webhook[0], each),
            Peer(
                "Alertmanager, a mail for each",
                partial(alertmanager_that_mails, folder, program),
                "/api/v2/alerts",
                alerts,
                body=alerts_of,
            ),
        ]
    if is_usable():
        alerts = posting(folder / "alerta.lua", ALERT)
        found.append(Peer(ALERTA, partial(alerta, folder), "/alert", alerts, body=alert_of))
    return found


def measure(peer: Peer, seconds: int) -> None:
    """Start it, post for some seconds, and at half of that rate as long; each once a few posts were answered."""
    with peer.start() as server:
        url = server.url + peer.path
        warm_up(url, peer.body)
        found = load(url, seconds, script=peer.script)
    peer.rates.append(found.rate)
    peer.p99s.append(found.p99)
    if peer.is_ours:
        with peer.start() as server:  # the first one has an inbox to work off
            url, half = server.url + peer.path, found.rate / 2
            warm_up(url, peer.body)
            peer.at_half.append(percentile(post_paced(url, half, seconds, CONNECTIONS, peer.body), 99))


def beside_alerta(measured: Sequence[Peer]) -> Iterator[str]:
    """Say how many times as many as Alerta ours take in, where each has the disk that the machine has."""
    for theirs in (median(peer.rates) for peer in measured if peer.name == ALERTA):
        for peer in measured:
            if peer.is_ours and SLOW not in peer.name:
                yield f"{peer.name}: {median(peer.rates) / theirs:.1f} times as many as Alerta"


def warm_up(url: str, body: Callable[[int], str]) -> None:
    """Let it put together what it needs to answer at all."""
    post_paced(url, CONNECTIONS, 1, CONNECTIONS, body)


def webhook_of(number: int) -> str:
    """Write a post as VictorOps does."""
    said = {"monitorName": "Email Server", "state": "CRITICAL", "entityId": f"disk-{number % 100}"}
    return json.dumps(said)


def alerts_of(number: int) -> str:
    """Write a post as Prometheus does."""
    return json.dumps([{"labels": {"alertname": "Email Server", "instance": f"disk-{number % 100}"}}])


@click.command()
@click.option("--seconds", default=5, show_default=True)
@click.option("--rounds", default=3, show_default=True)
@click.option("--database", "kind", type=click.Choice(KINDS), help="Ours on this one alone, not on both.")
@click.option("--serve", "served", type=(str, int, Path), hidden=True)
def main(seconds: int, rounds: int, kind: str | None, served: tuple[str, int, Path] | None) -> None:
    """Measure in turn and print the medians, each beside the ceiling."""
    if served:
        serve(*served)
        return
    with folder_on_disk() as folder:
        measured = peers(folder, [kind] if kind else usable_kinds())
        for _ in range(rounds):
            for peer in measured:
                measure(peer, seconds)
    ceiling = median(measured[0].rates)
    click.echo(
        f"{'webhooks, 32 connections':36} {'per second':>11} {'of bare':>8} {'p99, ms':>8} {'at half':>8}"
    )
    for peer in measured:
        rate = median(peer.rates)
        at_half = f"{median(peer.at_half):8.1f}" if peer.at_half else ""
        click.echo(f"{peer.name:36} {rate:11,.0f} {rate / ceiling:8.2f} {median(peer.p99s):8.1f} {at_half}")
    for line in beside_alerta(measured):
        click.echo(line)


if __name__ == "__main__":
    main()
