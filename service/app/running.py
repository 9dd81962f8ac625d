"""Runs the service: listens, and lets one configuration after the other work, until it is told to stop."""

import asyncio
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace

import structlog
import uvicorn
from anyio import to_thread
from starlette.types import ASGIApp, Receive, Scope, Send

from service.actions.house_key import KeyDiffers
from service.app import wall_clock
from service.app.building import DoorUnusable, build_on
from service.app.ground import Ground, open_ground
from service.app.listening import inherit_socket, listen
from service.app.own_files import KeyFileUnusable
from service.app.reloading import LOOK, Reloader
from service.app.roles import ServeRole, refuse_to_split
from service.app.tracing import tracing
from service.app.working import working
from service.config.sandbox_check import SANDBOX_IS_ON
from service.config.settings import Config
from service.config.values import is_loopback_host
from service.errors import MachineExhausted, PermanentFault, StoreUnavailable, exhaustion_named
from service.store import audit
from service.store.database import Store

LONGEST_CONNECTION = 5
"""Seconds that an answer may still take once the service is to stop."""
LONGEST_END = 25.0
"""Seconds after which nothing holds the end up any more: what is in flight gets ten, and the mailbox as many. Those who
run services kill after 30, without a word."""
LAST_REQUESTS = 0.25
"""Seconds in which those may say what they want whose connection was just taken: nobody is hung up on."""

SWITCH = 0.001
"""Seconds after which a thread that computes lets another one have Python."""

_log = structlog.get_logger()


class AddressNotLoopback(PermanentFault):
    """The service is to listen to other machines, but has only the mail sandbox, which shows all mails to all."""


class ProgramReplaced(PermanentFault):
    """Another version was installed under the running process: what a configuration newly needs cannot be imported."""


@dataclass(slots=True)
class Entrance:
    """The one ASGI application that the web server knows; each request goes to the configuration in force."""

    web: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        await self.web(scope, receive, send)


async def serve(
    config: Config, *, host: str, port: int, ready: Callable[[str], None], role: ServeRole = ServeRole.ALL
) -> None:
    """Serve until SIGTERM or SIGINT; `ready` gets the address once posts are taken.

    The configuration was read as one that is to be served (`config.load`).

    A socket that systemd hands over is taken in place of `host` and `port`.

    SIGHUP, or a change of the file, puts config.yaml in force anew, if it is right. Raises RoleImpossible,
    AddressNotLoopback, AddressUnusable, AlreadyRunning, StoreUnavailable, DatabaseUnfit, SchemaUnknown,
    KeyFileUnusable, KeyDiffers, DoorUnusable.
    """
    shown = ""
    inherited = inherit_socket()
    if inherited is not None:
        host = inherited.getsockname()[0]

    def fit(config: Config) -> Config:
        refuse_to_split(config, role)
        if config.mail is not None:
            return config
        _refuse_to_show_the_sandbox(host)
        # whoever only tries it may take another port than the one in config.yaml: the links must lead here
        return replace(config, site=replace(config.site, url=shown)) if shown else config

    fit(config)
    # who takes in posts must not wait five milliseconds, as is usual, each time that a thread which computes has Python
    sys.setswitchinterval(SWITCH)
    door = inherited or listen(host, port)
    shown = f"http://{f'[{host}]' if ':' in host else host}:{door.getsockname()[1]}"
    config = fit(config)
    try:
        async with open_ground(config, wall_clock, role) as ground:
            ground.instruments.traces = ground.stack.enter_context(tracing(os.environ))
            reloader = Reloader(config, ground.instruments.reloads, fit, wall_clock)
            ground.reload = reloader.reload
            await _serve(ground, config, reloader, door, lambda: ready(shown))
        _log.info("stopped")
    finally:
        door.close()


async def _serve(
    ground: Ground, config: Config, reloader: Reloader, door: socket.socket, announce: Callable[[], None]
) -> None:
    loop, stopping = asyncio.get_running_loop(), asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, _stop, stopping, ground.store, name.name)
    loop.add_signal_handler(signal.SIGHUP, reloader.ask)
    entrance = Entrance(_closed)
    server = _Server(
        uvicorn.Config(
            entrance,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,  # the application sees to it, where anything depends on them
            timeout_graceful_shutdown=LONGEST_CONNECTION,
        )
    )
    server.announce = announce
    serving: list[asyncio.Task[None]] = []

    def let_in(web: ASGIApp) -> None:
        entrance.web = web
        if not serving:
            serving.append(asyncio.create_task(server.serve(sockets=[door])))
            serving[0].add_done_callback(lambda _: _stop(stopping, ground.store, "the web server ended"))

    try:
        await _work_in_turns(ground, config, reloader, stopping, let_in)
    finally:
        reloader.end()
        server.should_exit = True
        await asyncio.gather(*serving)


async def _work_in_turns(
    ground: Ground,
    config: Config,
    reloader: Reloader,
    stopping: asyncio.Event,
    let_in: Callable[[ASGIApp], None],
) -> None:
    """Let one configuration after the other work. Between two, requests are answered as before, posts are stored.

    Where one cannot be put in force, the one before it is again. Where the database is away, or the machine exhausted,
    so that neither of them can, it is tried again until one can.
    """
    before: Config | None = None
    changes: tuple[str, ...] = ()
    is_first, waits = True, False
    while not stopping.is_set():
        try:
            with exhaustion_named():
                async with build_on(ground, config, wall_clock) as service, working(service):
                    let_in(ground.instruments.traces.web(service.web))
                    is_first = waits = False
                    if before is not None:
                        before = None
                        reloader.in_force(config, changes)
                        await _tell(ground, changes)
                    found = await _next_config(reloader, stopping)
        except (DoorUnusable, KeyFileUnusable, KeyDiffers, ImportError) as fault:
            if before is None:
                raise
            reloader.refused(_why(fault))
            config, before = before, None
            continue
        except (StoreUnavailable, MachineExhausted) as fault:
            if is_first:
                raise
            if not waits:
                if before is not None:
                    reloader.refused(fault)
                _log.warning("the service waits, and is built anew once it can be", because=str(fault))
            waits = True
            with suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), LOOK)
            continue
        if found is not None:
            before, (config, changes) = config, found


def _why(fault: PermanentFault | ImportError) -> PermanentFault:
    """Say why a configuration cannot be put in force."""
    if isinstance(fault, ImportError):
        return ProgramReplaced(f"start the service anew: it was replaced while it ran ({fault})")
    return fault


async def _next_config(reloader: Reloader, stopping: asyncio.Event) -> tuple[Config, tuple[str, ...]] | None:
    """Wait for the next configuration; None where the service is to stop."""
    waiting = asyncio.create_task(reloader.next_config())
    stopped = asyncio.create_task(stopping.wait())
    done, left = await asyncio.wait({waiting, stopped}, return_when=asyncio.FIRST_COMPLETED)
    for task in left:
        task.cancel()
    return None if stopped in done else waiting.result()


async def _tell(ground: Ground, changes: tuple[str, ...]) -> None:
    """Say in the log and in the audit what is set otherwise from now on."""
    for change in changes:
        _log.info("config.yaml is in force anew", change=change)

    def note() -> None:
        with ground.store.transaction() as connection:
            for change in changes:
                audit.note(connection, wall_clock(), audit.CONFIG_FILE, "config_changed", note=change)

    with suppress(StoreUnavailable):
        await to_thread.run_sync(note)


async def _closed(scope: Scope, receive: Receive, send: Send) -> None:
    raise RuntimeError(f"nothing is built yet that could answer {scope, receive, send}")


def _stop(stopping: asyncio.Event, store: Store, reason: str) -> None:
    if not stopping.is_set():
        _log.info("stopping", reason=reason)
        # a database that stands still holds nobody up any more
        store.haste.begin()
        last_resort = threading.Timer(LONGEST_END, _end_at_once)
        last_resort.daemon = True
        last_resort.start()
    stopping.set()


def _end_at_once() -> None:
    """End the process though a thread hangs; what it had begun is, at the next start, as after a kill."""
    _log.error("stopped by force: something did not end", seconds=LONGEST_END)
    os._exit(1)


def _refuse_to_show_the_sandbox(host: str) -> None:
    """Refuse to listen where others come; that they are not sent here, was seen to when config.yaml was read."""
    if not is_loopback_host(host):
        raise AddressNotLoopback(
            f"{SANDBOX_IS_ON}: configure a mail server, or listen on 127.0.0.1 instead of {host}"
        )


class _Server(uvicorn.Server):
    """Uvicorn, which leaves the signals to us and says when it is ready."""

    announce: Callable[[], None] = staticmethod(lambda: None)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.announce()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        await asyncio.sleep(LAST_REQUESTS)
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        # its own version raises the signal again after its shutdown, which would cut ours short
        yield
