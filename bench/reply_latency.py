"""How long it takes from Dovecot's IDLE notification of a reply to the incident published in the database.

Run it as root: `python -m bench.reply_latency [--replies 100]`. The peer is Dovecot itself, which takes some half a
second of its own to notify.
"""

import asyncio
import json
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median

import click
import httpx2

from service import jobs
from service.app.building import Service, build, start_mailbox
from service.app.running import wall_clock
from service.config import Mail, parse
from service.mail.imap_connection import Mailbox
from service.mail.tokens import make_token, reply_address
from service.store import deliveries
from tests.mailservers.servers import MailServers, running_mail_servers
from tests.rooms import CONFIG, OWN_ADDRESS

AT_ONCE = CONFIG.replace("wait_time: 5m", "wait_time: 0").replace(
    "combine_alerts: true", "combine_alerts: false"
)


@dataclass
class Watch:
    """When the server notified, and when each reply had its effect; seconds of one clock."""

    delivered_at: float = 0.0
    notified_at: float = 0.0
    done_at: float = 0.0
    done: threading.Event = field(default_factory=threading.Event)


@click.command()
@click.option("--replies", default=100, show_default=True)
def main(replies: int) -> None:
    """Measure and print in milliseconds."""
    with running_mail_servers() as servers, tempfile.TemporaryDirectory() as folder:
        asyncio.run(_measure(servers, Path(folder), replies))


async def _measure(servers: MailServers, folder: Path, replies: int) -> None:
    watch = Watch()
    _watch(watch)
    config = parse(AT_ONCE, folder / "config.yaml", {})
    mail = Mail("Acme Status", OWN_ADDRESS, servers.smtp, servers.imap_for(OWN_ADDRESS))
    config = replace(config, mail=mail, database=f"sqlite:///{folder}/replycast.db")
    async with build(config, wall_clock) as service:
        stop = threading.Event()
        thread = start_mailbox(service, stop)
        loop = asyncio.create_task(_decide(service))
        notified, whole = [], []
        for number in range(replies):
            raw = await _reply(service, number)
            watch.done.clear()
            watch.delivered_at = time.perf_counter()
            await asyncio.to_thread(servers.deliver, OWN_ADDRESS, raw)
            await asyncio.to_thread(watch.done.wait, 30)
            if watch.notified_at > watch.delivered_at:  # else the mail came between two slices of idling
                notified.append((watch.done_at - watch.notified_at) * 1_000)
            whole.append((watch.done_at - watch.delivered_at) * 1_000)
        stop.set()
        loop.cancel()
        with suppress(asyncio.CancelledError):
            await loop
        if thread is not None:
            await asyncio.to_thread(thread.join, 5)
    notified.sort()
    p99 = notified[int(len(notified) * 0.99)]
    click.echo(f"{len(notified)} replies from the notification: p50 {median(notified):.2f}, p99 {p99:.2f} ms")
    click.echo(f"from the delivery, Dovecot's own delay included: p50 {median(whole):.0f} ms")


def _watch(watch: Watch) -> None:
    """Note the two moments where they happen."""
    await_news, act = Mailbox.await_news, jobs.act_on_reply

    def noted_news(mailbox: Mailbox, stop: threading.Event, seconds: float) -> bool:
        is_news = await_news(mailbox, stop, seconds)
        watch.notified_at = time.perf_counter()
        return is_news

    def noted_act(*given: object) -> str:
        reason = act(*given)  # type: ignore[arg-type]  # passes on whatever `jobs` gives
        watch.done_at = time.perf_counter()
        watch.done.set()
        return reason

    Mailbox.await_news = noted_news  # type: ignore[method-assign]  # to look on, not to change
    jobs.act_on_reply = noted_act


async def _decide(service: Service) -> None:
    while True:
        await service.decide.wait()
        service.decide.clear()
        while await service.decide_next():
            pass


async def _reply(service: Service, number: int) -> bytes:
    """Open an incident, and write the reply that publishes it."""
    transport = httpx2.ASGITransport(app=service.web)
    async with httpx2.AsyncClient(transport=transport, base_url=service.house.config.site.url) as client:
        post = json.dumps({"monitorName": "Email Server", "state": "CRITICAL", "entityId": str(number)})
        await client.post("/webhook/victorops", content=post)
    asked: tuple[object, ...] = ()
    while not asked:
        await asyncio.sleep(0.01)
        with service.house.store.reading() as connection:
            asked = deliveries.of_incident_to_employees(connection, number + 1)
    token = make_token(service.house.key, asked[0].public_id)  # type: ignore[attr-defined]  # a Delivery
    to = reply_address(OWN_ADDRESS, token)
    head = (
        f"From: jordan@acme.example\r\nTo: {to}\r\nMessage-ID: <{number}@acme.example>\r\nSubject: Re: x\r\n"
    )
    return f"{head}\r\npublish\r\n".encode()


if __name__ == "__main__":
    main()
