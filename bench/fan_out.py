"""How many mails a second an update goes out to its subscribers, beside Postfix's own smtp-source and aiosmtplib.

Into smtp-sink, into a Postfix that queues each mail on disk, and over a line of 20 ms. Ours are composed, leased and
recorded one by one, in SQLite and in PostgreSQL; the peers send one text and keep no record. Run it as root:
`python -m bench.fan_out [--subscribers 100000] [--sessions 4] [--database sqlite]`.
"""

import asyncio
import os
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path

import aiosmtplib
import click
from sqlalchemy import select

from bench.peers.databases import KINDS, TITLES, folder_on_disk, new_database, usable_kinds
from bench.peers.figures import memory
from bench.peers.servers import smtp_sink
from bench.peers.subscribers import subscribe
from service.actions.fan_out import queue_next_chunk
from service.actions.house import House
from service.app import wall_clock
from service.config.settings import Limits, Smtp
from service.mail.compose import PostOffice
from service.outbox import Relay, fan_out
from service.store import progress
from service.store.schema import updates
from tests.mailservers import postfix, processes
from tests.rooms import CONFIG, OWN_ADDRESS, Clock, house_over
from tests.transport.slow_line import slow_line
from tests.web.outages import Outages

LINE = 0.020
"""Seconds of a round trip over the line."""
SESSIONS_OVER_LINE = 16
QUEUED, OVER_LINE = 10_000, 4_000
"""How many mails go into Postfix and over the line at most: these take longer."""
TEXT = 10_500
"""Bytes of the text that smtp-source sends: with its headers it is as long as a mail of ours."""


@dataclass(frozen=True, slots=True)
class Ours:
    """How a fan-out went."""

    rate: float
    cpu: float
    """Seconds of this process's processor time per second."""
    published: float
    """Milliseconds that the publishing transaction took."""
    memory: tuple[float, float]
    """MiB resident after a tenth of the mails and at the end."""


@click.command()
@click.option("--subscribers", "count", default=100_000, show_default=True)
@click.option("--sessions", default=4, show_default=True)
@click.option("--database", "kind", type=click.Choice(KINDS), help="Ours on this one alone, not on both.")
def main(count: int, sessions: int, kind: str | None) -> None:
    """Measure and print."""
    kinds = [kind] if kind else usable_kinds()
    with folder_on_disk() as folder:
        with smtp_sink(folder) as relay:
            _beside_smtp_source("smtp-sink", folder, kinds, relay, count, sessions)
        with _queueing_postfix(folder) as relay:
            _beside_smtp_source("Postfix", folder, kinds, relay, min(count, QUEUED), sessions)
        with smtp_sink(folder) as relay, slow_line(relay.port, LINE) as port:
            over_line = replace(relay, port=port)
            mails = min(count, OVER_LINE)
            ours = _all_ours(folder, kinds, over_line, mails, SESSIONS_OVER_LINE)
            theirs = asyncio.run(_aiosmtplib(over_line, mails, SESSIONS_OVER_LINE))
            _show("over a line of 20 ms", SESSIONS_OVER_LINE, mails, ours, {"aiosmtplib": theirs})


def _beside_smtp_source(
    name: str, folder: Path, kinds: Sequence[str], relay: Smtp, count: int, sessions: int
) -> None:
    def measure() -> list[float]:
        return [_smtp_source(relay, count // 2, sessions, *options) for options in ((), ("-d",))]

    # half of theirs before ours and half after, so that what else the machine does meets all of them
    before, ours, after = measure(), _all_ours(folder, kinds, relay, count, sessions), measure()
    rates = [2 / (1 / one + 1 / other) for one, other in zip(before, after, strict=True)]
    theirs = dict(zip(("smtp-source", "smtp-source -d"), rates, strict=True))
    _show(f"into {name}", sessions, count, ours, theirs)


def _show(
    where: str, sessions: int, count: int, all_ours: Mapping[str, Ours], theirs: Mapping[str, float]
) -> None:
    click.echo(f"{where}, {count:,} mails, {sessions} sessions")
    for name, rate in theirs.items():
        click.echo(f"  {name:16} {rate:9,.0f} mails/s")
    for name, ours in all_ours.items():
        click.echo(f"  {name:16} {ours.rate:9,.0f} mails/s   processor {ours.cpu:.0%}")
        for peer, rate in theirs.items():
            click.echo(f"    {ours.rate / rate:.2f} times {peer}")
        early, late = ours.memory
        click.echo(
            f"    published in {ours.published:.1f} ms; memory {early:.0f} MiB at a tenth, {late:.0f} at the end"
        )


def _all_ours(folder: Path, kinds: Sequence[str], relay: Smtp, count: int, sessions: int) -> dict[str, Ours]:
    found: dict[str, Ours] = {}
    for kind in kinds:
        with new_database(kind, folder) as database:
            found[f"ours, {TITLES[kind]}"] = _ours(
                house_over(database, folder, CONFIG), relay, count, sessions
            )
    return found


def _ours(house: House, relay: Smtp, count: int, sessions: int) -> Ours:
    clock = Clock()
    try:
        subscribe(house.store, count)
        outages = Outages(house, clock)
        incident = outages.fire()
        outages.wait(incident)
        began = time.perf_counter()
        outages.publish(incident)
        published = (time.perf_counter() - began) * 1_000
        with house.store.reading() as connection:
            update_id = connection.execute(select(updates.c.id)).scalar_one()
        watch = _Watch(house, update_id, count)
        office = PostOffice(house.config.site, "Acme Status", OWN_ADDRESS, "bench", house.key)
        limited = Relay(replace(relay, limits=Limits(connections=sessions)))
        began, cpu = time.perf_counter(), time.process_time()
        next_chunk = partial(queue_next_chunk, house)
        fan_out(house.store, office, limited, watch, next_chunk, threading.Event())
        seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
        _refuse_unless_all_sent(house, update_id, count)
        return Ours(count / seconds, cpu / seconds, published, (watch.early, memory(os.getpid())[0]))
    finally:
        house.store.close()


class _Watch:
    """A clock that looks at the memory in passing, once a tenth of the mails is out."""

    def __init__(self, house: House, update_id: int, count: int) -> None:
        self.early = 0.0
        self._house = house
        self._update_id = update_id
        self._count = count
        self._asked = 0

    def __call__(self) -> datetime:
        """Tell the time."""
        self._asked += 1
        if not self.early and self._asked % 1_000 == 0:
            with self._house.store.reading() as connection:
                found = progress.of_update(connection, self._update_id)
            if found is not None and found.sent >= self._count / 10:
                self.early = memory(os.getpid())[0]
        return wall_clock()


def _refuse_unless_all_sent(house: House, update_id: int, count: int) -> None:
    with house.store.reading() as connection:
        found = progress.of_update(connection, update_id)
    if found is None or found.sent != count or found.waiting:
        raise click.ClickException(f"of {count} mails not all were sent: {found}")


def _smtp_source(relay: Smtp, count: int, sessions: int, *options: str) -> float:
    """Let Postfix's own generator send as many mails; `-d` keeps its connections open."""
    program = processes.find_program("smtp-source", "postfix")
    command = [program, *options, "-s", str(sessions), "-m", str(count), "-l", str(TEXT), "-N"]
    to = ["-f", OWN_ADDRESS, "-t", "reader@acme.example", f"{relay.host}:{relay.port}"]
    began = time.perf_counter()
    subprocess.run([*command, *to], check=True, stdout=subprocess.DEVNULL)  # noqa: S603  a program of Postfix
    return count / (time.perf_counter() - began)


async def _aiosmtplib(relay: Smtp, count: int, sessions: int) -> float:
    """Let aiosmtplib send as many mails over as many sessions."""
    text = b"Subject: an update\r\n\r\n" + (b"x" * 70 + b"\r\n") * (TEXT // 72)
    numbers = iter(range(count))

    async def one_session() -> None:
        async with aiosmtplib.SMTP(hostname=relay.host, port=relay.port, start_tls=False) as client:
            for number in numbers:
                await client.sendmail(OWN_ADDRESS, [f"reader{number}@acme.example"], text)

    began = time.perf_counter()
    await asyncio.gather(*(one_session() for _ in range(sessions)))
    return count / (time.perf_counter() - began)


@contextmanager
def _queueing_postfix(folder: Path) -> Iterator[Smtp]:
    """Run a Postfix that queues mails for anybody at acme.example on the disk, and then throws them away."""
    home = folder / "postfix"
    home.mkdir()
    certificate, key = processes.certificate(folder)
    server = postfix.configure(home, (), certificate, key, lmtp_port=1, auth_port=1)
    with (home / "main.cf").open("a") as opened:
        opened.write("virtual_mailbox_maps = static:known\nvirtual_transport = discard:\n")
    server.start()
    try:
        yield server.smtp()
    finally:
        server.stop()


if __name__ == "__main__":
    main()
