"""How long it takes from Dovecot's IDLE notification of a reply to the incident published in the database.

On SQLite and on PostgreSQL. Run it as root: `python -m bench.reply_latency [--replies 100] [--database sqlite]`. The
peer is Dovecot itself, which takes some half a second of its own to notify. Each incident recovers and is closed before
the next, as those of a real day are.
"""

import asyncio
import json
import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

import click
import httpx2
import structlog

from bench.peers.databases import KINDS, TITLES, folder_on_disk, new_database, usable_kinds
from bench.peers.figures import percentile
from service import jobs
from service.app import wall_clock
from service.app.building import build, start_mailbox
from service.app.rehearsal import rehearse
from service.app.service import Service
from service.app.working import TICK, spare_what_is_built
from service.config import Config, Mail, parse
from service.mail.imap_connection import Mailbox
from service.mail.tokens import make_token, reply_address
from service.outbox.fanning_out import new_event_loop
from service.store import deliveries, inbox_rows
from tests.mailservers.servers import MailServers, running_mail_servers
from tests.rooms import CONFIG, OWN_ADDRESS

AT_ONCE = CONFIG.replace("wait_time: 5m", "wait_time: 0").replace(
    "combine_alerts: true", "combine_alerts: false"
)
PATIENCE = 30.0


@dataclass
class Watch:
    """When the server notified, and when each reply had its effect; seconds of one clock."""

    delivered_at: float = 0.0
    notified_at: float = 0.0
    done_at: float = 0.0
    done: threading.Event = field(default_factory=threading.Event)


@click.command()
@click.option("--replies", default=100, show_default=True)
@click.option("--database", "kind", type=click.Choice(KINDS), help="On this one alone, not on both.")
def main(replies: int, kind: str | None) -> None:
    """Measure and print in milliseconds."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    watch = Watch()
    _watch(watch)
    with running_mail_servers() as servers, folder_on_disk() as folder:
        click.echo(f"{'until it is published, ms':44} {'replies':>8} {'p50':>8} {'p99':>8}")
        for one in [kind] if kind else usable_kinds():
            with (
                new_database(one, folder) as database,
                asyncio.Runner(loop_factory=new_event_loop) as runner,
            ):
                config = replace(parse(AT_ONCE, folder / "config.yaml", {}), database=database)
                notified, whole = runner.run(_measure(watch, servers, config, replies))
            _show(f"from the IDLE notification, {TITLES[one]}", notified)
            _show(f"from the delivery to Dovecot, {TITLES[one]}", whole)


async def _measure(
    watch: Watch, servers: MailServers, config: Config, replies: int
) -> tuple[list[float], list[float]]:
    """Let replies publish; gives what each took from its notification on, and from its delivery on."""
    mail = Mail("Acme Status", OWN_ADDRESS, servers.smtp, servers.imap_for(OWN_ADDRESS))
    notified: list[float] = []
    whole: list[float] = []
    async with build(replace(config, mail=mail), wall_clock) as service:
        stop = threading.Event()
        thread = start_mailbox(service, stop)
        loops = [asyncio.create_task(_decide(service)), asyncio.create_task(_checkpoint(service))]
        await asyncio.to_thread(rehearse, service.house, service.clock())
        spare_what_is_built()
        for number in range(replies):
            raw = await _reply(service, number)
            watch.done.clear()
            watch.delivered_at = time.perf_counter()
            await asyncio.to_thread(servers.deliver, OWN_ADDRESS, raw)
            if not await asyncio.to_thread(watch.done.wait, PATIENCE):
                raise SystemExit(f"reply {number} had no effect within {PATIENCE:.0f} s")
            if watch.notified_at > watch.delivered_at:  # else the mail came between two slices of idling
                notified.append((watch.done_at - watch.notified_at) * 1_000)
            whole.append((watch.done_at - watch.delivered_at) * 1_000)
            await _post(service, number, "UP")
        stop.set()
        for loop in loops:
            loop.cancel()
            with suppress(asyncio.CancelledError):
                await loop
        if thread is not None:
            await asyncio.to_thread(thread.join, 5)
    return notified, whole


def _show(name: str, figures: Sequence[float]) -> None:
    p50, p99 = (percentile(figures, percent) for percent in (50, 99))
    click.echo(f"{name:44} {len(figures):8} {p50:8.2f} {p99:8.2f}")


def _watch(watch: Watch) -> None:
    """Note the two moments where they happen."""
    end_wait, act = vars(Mailbox)["_end_wait"], vars(jobs)["act_on_reply"]
    acted = threading.Event()

    def noted_news(*given: object) -> None:
        watch.notified_at = time.perf_counter()  # the notification is there, and nothing is done about it yet
        end_wait(*given)

    def noted_act(*given: object) -> str:
        reason = str(act(*given))
        acted.set()
        return reason

    def noted(work: Callable[..., object]) -> Callable[..., object]:
        def working(*given: object) -> object:
            came = work(*given)
            if acted.is_set():  # and is committed now, whoever did it
                acted.clear()
                watch.done_at = time.perf_counter()
                watch.done.set()
            return came

        return working

    Mailbox._end_wait = noted_news  # type: ignore[method-assign, assignment]  # noqa: SLF001  to look on, not to change
    vars(jobs)["act_on_reply"] = noted_act
    for name in ("receive_and_decide", "decide_what_is_due"):
        vars(jobs)[name] = noted(vars(jobs)[name])


async def _decide(service: Service) -> None:
    while True:
        await service.decide.wait()
        service.decide.clear()
        while await service.decide_next():
            pass


async def _checkpoint(service: Service) -> None:
    while True:
        await asyncio.sleep(TICK)
        await asyncio.to_thread(service.house.store.checkpoint)


async def _reply(service: Service, number: int) -> bytes:
    """Open an incident, and write the reply that publishes it."""
    await _post(service, number, "CRITICAL")
    with service.house.store.reading() as connection:
        asked = deliveries.of_incident_to_employees(connection, number + 1)
    token = make_token(service.house.key, asked[0].public_id)
    to = reply_address(OWN_ADDRESS, token)
    head = (
        f"From: jordan@acme.example\r\nTo: {to}\r\nMessage-ID: <{number}@acme.example>\r\nSubject: Re: x\r\n"
    )
    return f"{head}\r\npublish\r\n".encode()


async def _post(service: Service, number: int, state: str) -> None:
    """Let the monitoring product post, and wait until it is worked off."""
    transport = httpx2.ASGITransport(app=service.web)
    async with httpx2.AsyncClient(transport=transport, base_url=service.house.config.site.url) as client:
        post = json.dumps({"monitorName": "Email Server", "state": state, "entityId": str(number)})
        await client.post("/webhook/victorops", content=post)
    is_waiting = True
    while is_waiting:
        await asyncio.sleep(0.01)
        with service.house.store.reading() as connection:
            is_waiting = inbox_rows.count_pending(connection) > 0


if __name__ == "__main__":
    main()
