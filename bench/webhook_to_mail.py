"""How long it takes from a webhook to the mail that tells of it, beside Debian's prometheus-alertmanager.

Nobody waits: our monitor has no wait time, Alertmanager no group_wait, and each post is an incident or a group of its
own. Both mail into the same SMTP server in this process. Posts go out one at a time, the next one when the mail of the
one before is there, and as a burst on 32 connections. Ratios are to the last line. Run it as
`python -m bench.webhook_to_mail [--posts 100] [--burst 200] [--rounds 3]`.
"""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from statistics import median

import click

from bench.peers.databases import TITLES, folder_on_disk, new_database, usable_kinds
from bench.peers.figures import percentile
from bench.peers.mailing import ALERTMANAGER, AT_ONCE
from bench.peers.paced import Line
from bench.peers.servers import Server, alertmanager, find, replycast
from bench.peers.wrk import CONNECTIONS
from service.outbox.fanning_out import new_event_loop
from tests.faults.relay import Relay

_MARK = re.compile(rb"mark-(\d+)-")
PATIENCE = 60.0
WARM_UP = 50
"""Posts that are not counted, of ours and of the peer: at its start ours rehearses for a second."""
HOW = ("one at a time", "in a burst")


@dataclass(slots=True)
class Peer:
    """One that takes posts in and sends mails, and what was found."""

    name: str
    start: Callable[[int], AbstractContextManager[Server]]
    """Given the port of the SMTP server."""
    path: str
    body: Callable[[int], str]
    figures: dict[str, list[list[float]]] = field(default_factory=lambda: {how: [] for how in HOW})
    """Milliseconds of each post, by round."""


class Sink:
    """The moments at which mails arrived, by the number of the post that they tell of."""

    def __init__(self) -> None:
        self.relay = Relay(pipelining=True)
        self.relay.told = self._note
        self._arrived: dict[int, float] = {}
        self._waiting: dict[int, asyncio.Event] = {}

    async def arrival(self, number: int) -> float:
        """Wait for the mail of a post; gives its moment, in seconds of this process's clock."""
        event = self._waiting.setdefault(number, asyncio.Event())
        if number not in self._arrived:
            async with asyncio.timeout(PATIENCE):
                await event.wait()
        return self._arrived[number]

    def _note(self, _recipient: str, raw: bytes) -> None:
        found = _MARK.search(raw)
        if found is not None:
            number = int(found[1])
            self._arrived.setdefault(number, time.perf_counter())
            self._waiting.setdefault(number, asyncio.Event()).set()


def webhook_of(number: int) -> str:
    """Write a post as VictorOps does."""
    return json.dumps({"monitorName": "Email Server", "state": "CRITICAL", "entityId": str(number)})


def alerts_of(number: int) -> str:
    """Write a post as Prometheus does."""
    return json.dumps([{"labels": {"alertname": "Email Server", "instance": str(number)}}])


def peers(folder: Path) -> list[Peer]:
    """Name everybody who is measured."""
    found = [
        Peer(f"replycast, {TITLES[kind]}", partial(_ours, kind, folder), "/webhook/victorops", webhook_of)
        for kind in usable_kinds()
    ]
    program = find("prometheus-alertmanager", "prometheus-alertmanager")
    if program is not None:
        start = partial(_theirs, folder, program)
        found.append(Peer("Alertmanager", start, "/api/v2/alerts", alerts_of))
    return found


@contextmanager
def _ours(kind: str, folder: Path, port: int) -> Iterator[Server]:
    with (
        new_database(kind, folder) as database,
        replycast(folder, database, config=AT_ONCE, smtp_port=port) as server,
    ):
        yield server


@contextmanager
def _theirs(folder: Path, program: str, port: int) -> Iterator[Server]:
    with alertmanager(folder, program, ALERTMANAGER.format(port=port)) as server:
        yield server


async def measure(peer: Peer, posts: int, burst: int) -> None:
    """Start it, and post in both ways."""
    async with _sinking() as sink:
        with peer.start(sink.relay.port) as server:
            url, numbers = server.url + peer.path, count(1)

            async def post(line: Line) -> float:
                number, began = next(numbers), time.perf_counter()
                await line.post(peer.body(number))
                return (await sink.arrival(number) - began) * 1_000

            lines = [await Line.open(url) for _ in range(min(burst, CONNECTIONS))]
            for _ in range(WARM_UP):
                await post(lines[0])
            peer.figures[HOW[0]].append([await post(lines[0]) for _ in range(posts)])
            peer.figures[HOW[1]].append(
                await _in_a_burst(sink, lines, peer.body, [next(numbers) for _ in range(burst)])
            )
            for line in lines:
                line.close()


async def _in_a_burst(
    sink: Sink, lines: Sequence[Line], body: Callable[[int], str], numbers: Sequence[int]
) -> list[float]:
    began = {}

    async def work(line: Line, its: Sequence[int]) -> None:
        for number in its:
            began[number] = time.perf_counter()
            await line.post(body(number))

    await asyncio.gather(*(work(line, numbers[at :: len(lines)]) for at, line in enumerate(lines)))
    return [(await sink.arrival(number) - began[number]) * 1_000 for number in numbers]


@asynccontextmanager
async def _sinking() -> AsyncIterator[Sink]:
    sink = Sink()
    await sink.relay.open()
    try:
        yield sink
    finally:
        await sink.relay.go_away()


@click.command()
@click.option("--posts", default=100, show_default=True, help="One at a time.")
@click.option("--burst", default=200, show_default=True)
@click.option("--rounds", default=3, show_default=True)
def main(posts: int, burst: int, rounds: int) -> None:
    """Measure in turn; print medians of the rounds, and how they stand to Alertmanager's."""
    with folder_on_disk() as folder, asyncio.Runner(loop_factory=new_event_loop) as runner:
        measured = peers(folder)
        for _ in range(rounds):
            for peer in measured:
                runner.run(measure(peer, posts, burst))
    for how, number in zip(HOW, (posts, burst), strict=True):
        click.echo(
            f"{f'{number} posts {how}, ms':36} {'median':>8} {'p99':>8} {'ratio':>7} {'ratio of p99':>13}"
        )
        for peer in measured:
            mine, theirs = (_typical(one.figures[how]) for one in (peer, measured[-1]))
            ratios = "".join(
                f" {one / other:{width}.2f}" for one, other, width in zip(mine, theirs, (7, 13), strict=True)
            )
            click.echo(f"{peer.name:36} {mine[0]:8.1f} {mine[1]:8.1f}{ratios}")


def _typical(rounds: Sequence[Sequence[float]]) -> tuple[float, float]:
    return median(median(one) for one in rounds), median(percentile(one, 99) for one in rounds)


if __name__ == "__main__":
    main()
