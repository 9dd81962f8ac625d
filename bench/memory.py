"""How much memory one `replycast serve` takes, at rest and under all that it does at once.

At rest it has started, rendered its pages and done nothing since. The load is a fan-out to its subscribers into
Postfix's smtp-sink, posts on 32 connections, and readers of the status page on 32 more. Run it as root:
`python -m bench.memory [--subscribers 100000] [--seconds 30]`.
"""

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import urlopen

import click

from bench.peers.databases import KINDS, TITLES, folder_on_disk, new_database, usable_kinds
from bench.peers.figures import memory
from bench.peers.paced import post_paced
from bench.peers.servers import Server, replycast, smtp_sink
from bench.peers.subscribers import subscribe
from bench.peers.wrk import load, posting
from tests.rooms import CONFIG, house_over

PUBLISHING = (
    CONFIG
    + """\
  - provider: victorops
    alert_name: Everything
    authored_by: jordan
    type: service_unavailable
    affected_components: {API: major_outage}
    subject: "The API is unavailable"
    message: "We are looking into it."
    notify_employees: [jordan, sam]
    wait_time: 0
    auto_publish: true
"""
)
GOALS = {"at rest": 80, "under load": 200}
"""MiB."""
REST = 5
"""Seconds after the start."""
EACH = 0.2
"""Seconds between two looks."""
_ALERT = """'{"monitorName":"Email Server","state":"CRITICAL","entityId":"disk-' .. count % 100 .. '"}'"""


@dataclass(slots=True)
class Peak:
    """The most of all looks, in MiB: all that is in memory, and with its share of what others use too."""

    rss: float = 0.0
    pss: float = 0.0
    _over: threading.Event = field(default_factory=threading.Event)

    def look(self, pid: int) -> None:
        """Look once."""
        rss, pss = memory(pid)
        self.rss, self.pss = max(self.rss, rss), max(self.pss, pss)

    def watch(self, pid: int) -> None:
        """Look again and again until it is over."""
        while not self._over.wait(EACH):
            self.look(pid)

    @contextmanager
    def watching(self, pid: int) -> Iterator[None]:
        """Watch while a block runs."""
        thread = threading.Thread(target=self.watch, args=(pid,))
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()


def measure(kind: str, folder: Path, readers: int, seconds: int) -> dict[str, Peak]:
    """Start the service, let it rest, and let it work."""
    found = {state: Peak() for state in GOALS}
    with new_database(kind, folder) as database, smtp_sink(folder) as sink:
        house = house_over(database, folder, PUBLISHING)
        subscribe(house.store, readers)
        house.store.close()
        with replycast(folder, database, config=PUBLISHING, smtp_port=sink.port) as server:
            with urlopen(server.url) as page:  # noqa: S310  on this machine
                page.read()
            time.sleep(REST)  # it is to rest
            found["at rest"].look(server.pid)
            with found["under load"].watching(server.pid):
                _work(server, folder, seconds)
    return found


def _work(server: Server, folder: Path, seconds: int) -> None:
    webhook = f"{server.url}/webhook/victorops"
    all_read_it = json.dumps({"monitorName": "Everything", "state": "CRITICAL", "entityId": "api"})
    post_paced(webhook, 1, 1, 1, lambda _: all_read_it)
    script = posting(folder / "posts.lua", _ALERT)
    with ThreadPoolExecutor(2) as together:
        at_once = [
            together.submit(load, webhook, seconds, script=script),
            together.submit(load, f"{server.url}/", seconds),
        ]
        for one in at_once:
            one.result()


@click.command()
@click.option("--subscribers", default=100_000, show_default=True)
@click.option("--seconds", default=30, show_default=True, help="How long the load goes on.")
@click.option("--database", "kind", type=click.Choice(KINDS), help="On this one alone, not on both.")
def main(subscribers: int, seconds: int, kind: str | None) -> None:
    """Measure and print MiB."""
    click.echo(f"{'MiB of one process':32} {'RSS':>6} {'PSS':>6} {'goal':>6}")
    for one in [kind] if kind else usable_kinds():
        with folder_on_disk() as folder:
            found = measure(one, folder, subscribers, seconds)
        for state, peak in found.items():
            click.echo(f"{f'{TITLES[one]}, {state}':32} {peak.rss:6.0f} {peak.pss:6.0f} {GOALS[state]:6}")


if __name__ == "__main__":
    main()
