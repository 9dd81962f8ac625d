"""Runs a built service: the web server, the loops and the mailbox, until it is told to stop."""

import asyncio
import gc
import signal
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from ipaddress import ip_address
from urllib.parse import urlsplit

import structlog
import uvicorn
from anyio import to_thread
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from service import jobs
from service.actions.audience import count_ahead
from service.app.building import Service, build, start_mailbox
from service.app.rehearsal import rehearse
from service.config.settings import Config
from service.errors import PermanentFault

TICK = 1.0
"""Seconds between two looks at what may be due; what arrives is looked at at once."""
REPLIES_FIRST = 10.0
"""Seconds for which nothing is decided at the start while the mailbox was not read yet."""
LOOK_AGAIN = 0.05
PATIENCE = 10.0
"""Seconds that a batch in flight gets to end when the service is stopped."""
LONGEST_CONNECTION = 5

_log = structlog.get_logger()


class AddressNotLoopback(PermanentFault):
    """The service is to listen to other machines, but has only the mail sandbox, which shows all mails to all."""


class AddressUnusable(PermanentFault):
    """The service cannot listen where it is told to: the port is taken, or the address is not this machine's."""


def wall_clock() -> datetime:
    """Tell the time: the only place where it is asked for."""
    return datetime.now(UTC)


async def serve(config: Config, *, host: str, port: int, ready: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT; `ready` gets the address once posts are taken.

    Raises AddressNotLoopback, AddressUnusable, AlreadyRunning, StoreUnavailable, SchemaUnknown, KeyFileUnusable.
    """
    if config.mail is None:
        _refuse_to_show_the_sandbox(config, host)
    door = _listen(host, port)
    shown = f"http://{f'[{host}]' if ':' in host else host}:{door.getsockname()[1]}"
    if config.mail is None:
        # whoever only tries it may take another port than the one in config.yaml: the links must lead here
        config = replace(config, site=replace(config.site, url=shown))
    try:
        async with build(config, wall_clock) as service:
            server = _Server(
                uvicorn.Config(
                    service.web,
                    log_config=None,
                    access_log=False,
                    server_header=False,
                    timeout_graceful_shutdown=LONGEST_CONNECTION,
                )
            )
            server.announce = lambda: ready(shown)
            await _run(service, server, door)
        _log.info("stopped")
    finally:
        door.close()


def _refuse_to_show_the_sandbox(config: Config, host: str) -> None:
    """Refuse to run it where others come: it shows every mail, log-in links and reply tokens among them."""
    for name, where in (
        (host, "listen on 127.0.0.1"),
        (urlsplit(config.site.url).hostname or "", "let `site.url` be http://127.0.0.1:8080"),
    ):
        if not _is_loopback(name):
            raise AddressNotLoopback(
                "without `mail` in config.yaml the mail sandbox is on, and it is for this machine only: "
                f"configure a mail server, or {where} instead of {name}"
            )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    door = socket.socket(family, socket.SOCK_STREAM)
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        door.bind((host, port))
        door.listen(1024)
    except OSError as error:
        door.close()
        reason = error.strerror or str(error)
        raise AddressUnusable(
            f"cannot listen on {host}, port {port}: {reason[:1].lower()}{reason[1:]}"
        ) from error
    return door


class _Server(uvicorn.Server):
    """Uvicorn, which leaves the signals to us and says when it is ready."""

    announce: Callable[[], None] = staticmethod(lambda: None)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.announce()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        # its own version raises the signal again after its shutdown, which would cut ours short
        yield


async def _run(service: Service, server: uvicorn.Server, door: socket.socket) -> None:
    loop, stopping = asyncio.get_running_loop(), asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, _stop, stopping, name.name)
    mailbox_stop = threading.Event()
    scheduler = AsyncIOScheduler(
        timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
    )
    scheduler.add_job(service.wake, "interval", seconds=TICK)
    scheduler.add_job(_keep_house, "interval", hours=1, args=[service])
    at_once = wall_clock()
    scheduler.add_job(_count_ahead, "interval", minutes=30, args=[service], next_run_time=at_once)
    scheduler.add_job(_rehearse, next_run_time=at_once, args=[service])
    scheduler.add_job(_checkpoint, "interval", seconds=TICK, args=[service])
    spare_what_is_built()
    service.wake()
    loops = [
        asyncio.create_task(_decide(service, stopping)),
        asyncio.create_task(_keep_doing("send", service.send, service.send_next, stopping)),
        asyncio.create_task(_keep_doing("fan out", service.fan_out, service.fan_out_next, stopping)),
        asyncio.create_task(_keep_doing("call", service.call, service.call_next, stopping)),
        asyncio.create_task(_keep_exporting(service, stopping)),
    ]
    scheduler.start()
    mailbox = start_mailbox(service, mailbox_stop)
    serving = asyncio.create_task(server.serve(sockets=[door]))
    stopped = asyncio.create_task(stopping.wait())
    await asyncio.wait([serving, stopped], return_when=asyncio.FIRST_COMPLETED)
    _stop(stopping, "the web server ended")
    service.stop_fan_out.set()
    service.web.state.public_pages.close()  # whoever watches the status page would hold the server up
    server.should_exit = True
    service.wake()
    mailbox_stop.set()
    scheduler.shutdown(wait=False)
    with suppress(TimeoutError):
        await asyncio.wait_for(asyncio.gather(*loops), PATIENCE)
    if mailbox is not None:
        if service.mailbox is not None:
            service.mailbox.close()
        await to_thread.run_sync(mailbox.join, PATIENCE)
    await serving
    stopped.cancel()


def spare_what_is_built() -> None:
    """Keep the garbage collector from what lives as long as the process: looking through it halts all for 0.1 s."""
    gc.collect()
    gc.freeze()


def _stop(stopping: asyncio.Event, reason: str) -> None:
    if not stopping.is_set():
        _log.info("stopping", reason=reason)
    stopping.set()


async def _decide(service: Service, stopping: asyncio.Event) -> None:
    """Decide, but not before the mailbox was read once: an answer that waits in it comes before the ladder's end."""
    waited = 0.0
    while service.mailbox is not None and service.mailbox.last_success_at is None:
        if stopping.is_set() or waited >= REPLIES_FIRST:
            break
        await asyncio.sleep(LOOK_AGAIN)
        waited += LOOK_AGAIN
    await _keep_doing("decide", service.decide, service.decide_next, stopping)


async def _keep_doing(
    name: str, due: asyncio.Event, step: Callable[[], Awaitable[bool]], stopping: asyncio.Event
) -> None:
    while not stopping.is_set():
        await due.wait()
        due.clear()
        try:
            while not stopping.is_set() and await step():
                pass
        except Exception:  # noqa: BLE001  the outermost loop: it is logged, and the next tick tries again
            _log.exception("loop failed", loop=name)


async def _keep_exporting(service: Service, stopping: asyncio.Event) -> None:
    """Write the status page as files at each change, where config.yaml says so."""
    while service.exporter is not None and not stopping.is_set():
        await _keep_trying("export", partial(service.exporter.export_if_changed, service.clock()))
        with suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), TICK)


async def _keep_house(service: Service) -> None:
    await _keep_trying("keep house", lambda: jobs.keep_house(service.house, service.clock()))


async def _count_ahead(service: Service) -> None:
    await _keep_trying("count ahead", lambda: count_ahead(service.house, service.clock()))


async def _rehearse(service: Service) -> None:
    await _keep_trying("rehearse", lambda: rehearse(service.house, service.clock()))


async def _checkpoint(service: Service) -> None:
    await _keep_trying("checkpoint", service.house.store.checkpoint)


async def _keep_trying(name: str, job: Callable[[], object]) -> None:
    try:
        await to_thread.run_sync(job)
    except Exception:  # noqa: BLE001  as above
        _log.exception("loop failed", loop=name)
