"""How each figure stands with a million rows in its tables, beside the same with none.

Measured are decisions from a full inbox, replies that publish, steps of a fan-out with its claims, posts taken in, and
the status page's 304. Run it as root: `python -m bench.growth [--rows 1000000] [--rounds 3] [--database sqlite]`; it
needs wrk. Both databases of a kind are measured in turns.
"""

import logging
import secrets
import time
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from statistics import median
from urllib.request import urlopen

import click
import structlog
from sqlalchemy import update

from bench.deciding import repeated, work_off
from bench.peers.databases import KINDS, TITLES, folder_on_disk, new_database, usable_kinds
from bench.peers.rows import fill
from bench.peers.servers import replycast
from bench.peers.subscribers import subscribe
from bench.peers.wrk import load, posting
from service import inbox, jobs
from service.actions.fan_out import CHUNK, queue_next_chunk
from service.actions.house import House
from service.app import wall_clock
from service.mail.tokens import make_token, reply_address
from service.model import Phase
from service.store import deliveries, incidents, schema
from tests.rooms import CONFIG, OWN_ADDRESS, Clock, house_over
from tests.web.outages import Outages

AT_ONCE = CONFIG.replace("wait_time: 5m", "wait_time: 0").replace(
    "combine_alerts: true", "combine_alerts: false"
)
POSTS, REPLIES, STEPS = 2_000, 30, 20
"""What one round decides about, and the steps of its fan-out."""
LEASE = timedelta(hours=1)
GOAL = 1.3
VICTOROPS = """'{"monitorName":"Email Server","state":"CRITICAL","entityId":"disk-' .. count % 100 .. '"}'"""


@dataclass(slots=True)
class Subject:
    """A database that is measured."""

    title: str
    address: str
    folder: Path
    took: dict[str, list[float]] = field(default_factory=dict)
    """By figure: milliseconds for one, of each round."""

    def note(self, name: str, seconds: float, count: float) -> None:
        """Keep what so many took."""
        self.took.setdefault(name, []).append(seconds / count * 1_000)


def measure(subject: Subject, seconds: int) -> None:
    """Measure one round."""
    house = house_over(subject.address, subject.folder, CONFIG)
    took, _ = work_off(house, repeated, POSTS)
    subject.note("a decision", took, POSTS)
    house.store.close()
    house = house_over(subject.address, subject.folder, AT_ONCE)
    house = replace(house, new_id=lambda: secrets.token_hex(16))  # other rounds had theirs
    _reply(subject, house)
    _fan_out(subject, house)
    _settle(house)
    _serve(subject, seconds)
    _settle(house)
    house.store.close()


def _reply(subject: Subject, house: House) -> None:
    """Let replies publish, each an incident of its own."""
    outages, took = Outages(house, Clock(wall_clock())), []
    for number in range(REPLIES):
        incident = outages.fire()
        with house.store.reading() as connection:
            asked = deliveries.of_incident_to_employees(connection, incident.id)
        to = reply_address(OWN_ADDRESS, make_token(house.key, asked[0].public_id))
        message_id = f"<{incident.id}-{number}@acme.example>"
        head = f"From: jordan@acme.example\r\nTo: {to}\r\nMessage-ID: {message_id}\r\nSubject: Re: x\r\n"
        raw = f"{head}\r\npublish\r\n".encode()
        began = time.perf_counter()
        inbox.receive_handed(house.store, raw, size=len(raw), now=wall_clock())
        jobs.decide_what_is_due(house, wall_clock())
        took.append(time.perf_counter() - began)
        with house.store.reading() as connection:
            decided = incidents.get(connection, incident.id)
            if decided is None or decided.phase is not Phase.PUBLISHED:
                raise click.ClickException(f"{subject.title}: a reply did not publish")
        outages.close(incident)
    subject.note("a reply that publishes", median(took), 1)


def _fan_out(subject: Subject, house: House) -> None:
    """Take steps of a fan-out, each of which claims its mails."""
    _settle(house)
    Outages(house, Clock(wall_clock())).published()
    began, claimed = time.perf_counter(), 0
    for _ in range(STEPS):
        step = queue_next_chunk(house, wall_clock(), lease=LEASE)
        claimed += len(step.claimed) if step else 0
    subject.note("a mail queued and claimed", time.perf_counter() - began, max(1, claimed))


def _serve(subject: Subject, seconds: int) -> None:
    """Ask for the page, and post."""
    script = posting(subject.folder / "posts.lua", VICTOROPS)
    with replycast(subject.folder, subject.address) as server:
        with urlopen(server.url) as answer:  # noqa: S310  on this machine
            tag = answer.headers["etag"]
        page = load(f"{server.url}/", seconds, headers=[f"If-None-Match: {tag}"], may_be_304=True)
        subject.note("a 304 of the status page", 1, page.rate)
        posts = load(f"{server.url}/webhook/victorops", seconds, script=script)
        subject.note("a post taken in", 1, posts.rate)


def _settle(house: House) -> None:
    """End what would go on by itself in the next round: posts, mails, and updates on their way."""
    posts, mails, told = schema.inbox, schema.deliveries, schema.updates
    with house.store.transaction() as connection:
        connection.execute(update(posts).where(posts.c.state == "pending").values(state="done"))
        waiting = update(mails).where(mails.c.due_at.is_not(None))
        connection.execute(waiting.values(due_at=None, sent_at=mails.c.created_at))
        connection.execute(
            update(told).where(told.c.fanned_out_at.is_(None)).values(fanned_out_at=told.c.posted_at)
        )


def subjects(kind: str, rows: int, folder: Path, stack: ExitStack) -> list[Subject]:
    """Make an empty database and a full one, until the stack is closed; both have subscribers for one round."""
    found = []
    for count in (0, rows):
        title = f"{TITLES[kind]}, {count:,} rows"
        own = folder / str(count)
        own.mkdir()
        address = stack.enter_context(new_database(kind, own))
        began = time.perf_counter()
        fill(address, count, wall_clock())
        house = house_over(address, own)
        subscribe(house.store, max(0, STEPS * CHUNK - count))
        house.store.close()
        click.echo(f"{title}: written in {time.perf_counter() - began:.0f} s", err=True)
        found.append(Subject(title, address, own))
    return found


@click.command()
@click.option("--rows", default=1_000_000, show_default=True, help="In each table of the full database.")
@click.option("--rounds", default=3, show_default=True)
@click.option("--seconds", default=3, show_default=True, help="How long posts and readers go on in a round.")
@click.option("--database", "kind", type=click.Choice(KINDS), help="On this one alone, not on both.")
def main(rows: int, rounds: int, seconds: int, kind: str | None) -> None:
    """Measure in turn, and print the medians and how they stand to each other."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    for one in [kind] if kind else usable_kinds():
        with folder_on_disk() as folder, ExitStack() as stack:
            empty, full = subjects(one, rows, folder, stack)
            for _ in range(rounds):
                for subject in (empty, full):
                    measure(subject, seconds)
        click.echo(
            f"{f'{TITLES[one]}, ms':34} {'empty':>9} {f'{rows:,} rows':>16} {'ratio':>6} (goal {GOAL})"
        )
        for name, figures in empty.took.items():
            before, after = median(figures), median(full.took[name])
            click.echo(f"{name:34} {before:9.3f} {after:16.3f} {after / before:6.2f}")


if __name__ == "__main__":
    main()
