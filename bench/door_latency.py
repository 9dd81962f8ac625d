"""How long it takes from the door's 250 for a reply to the incident published in the database.

`python -m bench.door_latency [--replies 100]`, in milliseconds. It needs no mail server: the replies come by LMTP from
this process.
"""

import asyncio
import json
import logging
import smtplib
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import click
import httpx2
import structlog

from bench.peers.figures import percentile
from service import inbox, jobs
from service.app import wall_clock
from service.app.building import build
from service.app.rehearsal import rehearse
from service.app.service import Service
from service.config import Mail, parse
from service.config.settings import Door, Protocol, Security, Smtp
from service.mail.tokens import make_token, reply_address
from service.outbox.fanning_out import new_event_loop
from service.store import deliveries
from tests.rooms import CONFIG, OWN_ADDRESS

AT_ONCE = CONFIG.replace("wait_time: 5m", "wait_time: 0").replace(
    "combine_alerts: true", "combine_alerts: false"
)
JORDAN = "jordan@acme.example"
NO_RELAY = Smtp("127.0.0.1", 9, Security.NONE)
"""Nothing is sent here."""
PATIENCE = 30.0


@dataclass
class Watch:
    """The moments of one reply, in seconds of one clock; `done` is set when it has had its effect."""

    handed_at: float = 0.0
    on_disk_at: float = 0.0
    done_at: float = 0.0
    processor: float = 0.0
    """Seconds of processor time between the last two, in which others' work does not count."""
    effect: str = ""
    done: threading.Event = field(default_factory=threading.Event)


@click.command()
@click.option("--replies", default=100, show_default=True)
def main(replies: int) -> None:
    """Measure and print in milliseconds."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with tempfile.TemporaryDirectory() as folder, asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(_measure(Path(folder), replies))


async def _measure(folder: Path, replies: int) -> None:
    watch = Watch()
    _watch(watch)
    door = Door(Protocol.LMTP, "127.0.0.1", 0)
    mail = Mail("Acme Status", OWN_ADDRESS, NO_RELAY, None, door=door)
    config = parse(AT_ONCE, folder / "config.yaml", {})
    config = replace(config, mail=mail, database=f"sqlite:///{folder}/replycast.db")
    to_disk, after, whole, processor = [], [], [], []
    async with build(config, wall_clock) as service:
        await asyncio.to_thread(rehearse, service.house, service.clock())
        loop = asyncio.create_task(_decide(service))
        for number in range(replies):
            to = await _ask(service, number)
            watch.done.clear()
            await asyncio.to_thread(_hand_over, watch, service.door_port or 0, to, number)
            if not await asyncio.to_thread(watch.done.wait, PATIENCE) or watch.effect != "published":
                raise click.ClickException(f"a reply did not publish: {watch.effect or 'nothing happened'}")
            to_disk.append(watch.on_disk_at - watch.handed_at)
            after.append(watch.done_at - watch.on_disk_at)
            whole.append(watch.done_at - watch.handed_at)
            processor.append(watch.processor)
        loop.cancel()
        with suppress(asyncio.CancelledError):
            await loop
    click.echo(f"{replies} replies by LMTP, ms                      p50    p99")
    for title, spans in (
        ("from DATA to the 250 (on disk)", to_disk),
        ("from the 250 to published (goal: p99 < 10)", after),
        ("  of it processor time", processor),
        ("from DATA to published", whole),
    ):
        click.echo(f"{title:43} {1_000 * percentile(spans, 50):6.2f} {1_000 * percentile(spans, 99):6.2f}")


def _watch(watch: Watch) -> None:
    """Note the two moments where they happen: the 250 is said as soon as the mail is on disk."""
    receive_handed, act = inbox.receive_handed, vars(jobs)["act_on_reply"]

    def noted_receive(*given: object, **options: object) -> bool:
        is_new = receive_handed(*given, **options)  # type: ignore[arg-type]  # passes on whatever the door gives
        watch.on_disk_at, watch.processor = time.perf_counter(), -time.process_time()
        return is_new

    def noted_act(*given: object) -> str:
        watch.effect = str(act(*given))
        watch.done_at, watch.processor = time.perf_counter(), watch.processor + time.process_time()
        watch.done.set()
        return watch.effect

    inbox.receive_handed = noted_receive
    vars(jobs)["act_on_reply"] = noted_act


async def _decide(service: Service) -> None:
    while True:
        await service.decide.wait()
        service.decide.clear()
        while await service.decide_next():
            pass


async def _ask(service: Service, number: int) -> str:
    """Open an incident, and give the address that its publishing reply goes to."""
    transport = httpx2.ASGITransport(app=service.web)
    async with httpx2.AsyncClient(transport=transport, base_url=service.house.config.site.url) as client:
        post = json.dumps({"monitorName": "Email Server", "state": "CRITICAL", "entityId": str(number)})
        await client.post("/webhook/victorops", content=post)
    while True:
        with service.house.store.reading() as connection:
            asked = deliveries.of_incident_to_employees(connection, number + 1)
        if asked:
            return reply_address(OWN_ADDRESS, make_token(service.house.key, asked[0].public_id))
        await asyncio.sleep(0.01)


def _hand_over(watch: Watch, port: int, to: str, number: int) -> None:
    """Do what a mail server does."""
    head = f"From: {JORDAN}\r\nTo: {to}\r\nMessage-ID: <{number}@acme.example>\r\nSubject: Re: x\r\n"
    with smtplib.LMTP("127.0.0.1", port, local_hostname="mx.acme.example") as line:
        line.ehlo()
        line.mail(JORDAN)
        line.rcpt(to)
        watch.handed_at = time.perf_counter()
        line.data(f"{head}\r\npublish\r\n".encode())


if __name__ == "__main__":
    main()
