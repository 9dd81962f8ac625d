"""Builds the house from config.yaml: store, key, mail, web. What is built here is started in `running`."""

import asyncio
import secrets
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from email.utils import formataddr
from functools import partial

import structlog
from anyio import to_thread
from starlette.applications import Starlette

from service import inbox, jobs
from service.actions.fan_out import queue_next_chunk
from service.actions.house import House
from service.actions.planning_windows import plan_windows
from service.actions.recording_states import record_at_start
from service.app.ground import load_key, only_process
from service.calls.calling import Caller, open_caller
from service.config.settings import Config, Mail
from service.errors import PermanentFault
from service.inbox import PostIntake
from service.mail.compose import PostOffice
from service.mail.dkim_check import dns_look_up
from service.mail.door import open_door
from service.mail.imap import FetchedMail, MailboxReader
from service.mail.sandbox import Sandbox
from service.mail.words import vocabulary
from service.outbox import Relay, call_due, fan_out, send_due
from service.store import credentials, deliveries
from service.store.database import Store, open_store
from service.web import api, links, machine_checks, sandbox_page, webhooks
from service.web.application import build as build_web
from service.web.dashboard import routes as dashboard
from service.web.front import Front, make_pages
from service.web.login import routes as login
from service.web.public import routes as public
from service.web.public.exporting import Exporter

DNS_PATIENCE = timedelta(seconds=3)
SANDBOX_ADDRESS = "status@replycast.example"
"""What our mails come from where no mail server is configured; the domain exists nowhere (RFC 2606)."""

_log = structlog.get_logger()


class DoorUnusable(PermanentFault):
    """The port for replies is taken, or its certificate cannot be used."""


@dataclass(slots=True)
class Service:
    """Everything, built and connected, but with nothing running yet."""

    house: House
    office: PostOffice
    relay: Relay
    mailbox: MailboxReader | None
    sandbox: Sandbox | None
    clock: Callable[[], datetime]
    decide: asyncio.Event
    """Set when there may be something to decide."""
    send: asyncio.Event
    """Set when there may be something to send."""
    fan_out: asyncio.Event
    """Set when there may be an update for subscribers."""
    caller: Caller
    """Calls subscribers' webhooks."""
    call: asyncio.Event
    """Set when there may be a webhook to call."""
    stop_fan_out: threading.Event = field(default_factory=threading.Event)
    """Set to end a fan-out after the mails that are on their way."""
    _deciding: threading.Lock = field(default_factory=threading.Lock)
    """Held by whoever decides: one at a time."""
    web: Starlette = field(default_factory=Starlette)
    exporter: Exporter | None = None
    """Writes the status page as files, where config.yaml says so."""
    door_port: int | None = None
    """Where mail servers hand replies over, if anywhere."""

    def wake(self) -> None:
        """Look at once whether there is something to decide or to send."""
        self.decide.set()
        self.send.set()
        self.fan_out.set()
        self.call.set()

    async def decide_next(self) -> bool:
        """Decide what is due next; False where nothing is."""
        if not await to_thread.run_sync(self._decide):
            return False
        self.send.set()
        self.fan_out.set()
        return True

    def _decide(self) -> bool:
        with self._deciding:
            return jobs.decide_what_is_due(self.house, self.clock())

    def take_mails(self, mails: Sequence[FetchedMail]) -> None:
        """Take in mails of the mailbox, from whichever thread. Raises StoreUnavailable.

        One alone is decided about by the thread that brings it, which spares an employee the way to another one;
        where somebody decides just now, it is left to him.
        """
        now = self.clock()
        if len(mails) == 1 and self._deciding.acquire(blocking=False):
            try:
                jobs.receive_and_decide(self.house, mails[0], now)
            finally:
                self._deciding.release()
        else:
            inbox.receive_mails(self.house.store, mails, now=now)

    async def send_next(self) -> bool:
        """Send the next batch of mails that somebody waits for; False where none is due."""
        return await send_due(self.house.store, self.office, self.relay, self.clock) > 0

    async def fan_out_next(self) -> bool:
        """Send updates to subscribers until there are none left; False where there were none."""
        next_chunk = partial(queue_next_chunk, self.house)
        given = self.house.store, self.office, self.relay, self.clock, next_chunk, self.stop_fan_out
        sent = await to_thread.run_sync(fan_out, *given) > 0
        self.call.set()
        return sent

    async def call_next(self) -> bool:
        """Call the next webhooks; False where none is due."""
        house = self.house
        return await call_due(house.store, house.config.site, house.key, self.caller, self.clock) > 0

    async def settle(self) -> None:
        """Read, decide and send until there is nothing left to do at this time of the clock."""
        busy = True
        while busy:
            busy = self.mailbox is not None and await to_thread.run_sync(self.mailbox.poll_once) > 0
            while await self.decide_next():
                busy = True
            while await self.send_next():
                busy = True
            while await self.fan_out_next():
                busy = True
            while await self.call_next():
                busy = True


@asynccontextmanager
async def build(config: Config, clock: Callable[[], datetime]) -> AsyncIterator[Service]:
    """Build the service over its database, which is created and migrated; at the end all is closed.

    Raises StoreUnavailable, AlreadyRunning, KeyFileUnusable where it cannot be built.
    """
    with only_process(config):
        store = await to_thread.run_sync(open_store, config.database)
        try:
            async with (
                open_caller(may_be_private=config.private_webhooks) as caller,
                _mail_of(config) as (mail, sandbox),
            ):
                used = replace(config, mail=mail)
                service = await _connect(used, mail, store, sandbox, caller, clock)
                async with _door(service, mail) as port:
                    service.door_port = port
                    yield service
        finally:
            store.close()


@asynccontextmanager
async def _mail_of(config: Config) -> AsyncIterator[tuple[Mail, Sandbox | None]]:
    """Give the mail servers of config.yaml or, where there are none, those of the sandbox."""
    if config.mail is not None:
        yield config.mail, None
        return
    sandbox = await Sandbox.start(own_address=SANDBOX_ADDRESS)
    try:
        yield Mail(config.site.name, SANDBOX_ADDRESS, sandbox.smtp, sandbox.imap), sandbox
    finally:
        await sandbox.stop()


async def _connect(
    config: Config,
    mail: Mail,
    store: Store,
    sandbox: Sandbox | None,
    caller: Caller,
    clock: Callable[[], datetime],
) -> Service:
    house = House(
        store=store,
        config=config,
        key=load_key(config),
        own_address=mail.sender_address,
        instance_id=await to_thread.run_sync(_awaken, store, config, clock()),
        new_id=lambda: secrets.token_hex(16),
        look_up=dns_look_up(DNS_PATIENCE),
        vocabulary=vocabulary(config.replies.languages, config.replies.words),
    )
    await to_thread.run_sync(plan_windows, house, clock())
    office = PostOffice(
        site=config.site,
        sender_name=mail.sender_name,
        sender_address=mail.sender_address,
        instance_id=house.instance_id,
        key=house.key,
        verp=mail.verp,
        takes_mail=mail.imap is not None or mail.door is not None,
    )
    service = Service(
        house=house,
        office=office,
        relay=Relay(mail.smtp),
        mailbox=None,
        sandbox=sandbox,
        clock=clock,
        decide=asyncio.Event(),
        send=asyncio.Event(),
        fan_out=asyncio.Event(),
        caller=caller,
        call=asyncio.Event(),
    )
    service.mailbox = _mailbox(service, mail)
    intake = PostIntake(store, stored=service.decide.set)
    pages = make_pages(house)
    front = Front(house, clock, intake.receive, service.wake, sandbox, pages)
    service.web = build_web(
        front,
        [
            *webhooks.routes,
            *machine_checks.routes,
            *public.ROUTES,
            *api.routes(),
            *links.routes,
            *login.ROUTES,
            *dashboard.ROUTES,
            *(sandbox_page.routes if sandbox else ()),
        ],
    )
    if config.site.export_to is not None:
        service.exporter = Exporter(replace(front, sandbox=None), config.site.export_to)
    sender = formataddr((mail.sender_name, mail.sender_address))
    _log.info("built", site=config.site.url, mails_from=sender, sandbox=sandbox is not None)
    return service


def _awaken(store: Store, config: Config, now: datetime) -> str:
    """Take up what an earlier process left, and tell what this installation is called."""
    with store.transaction() as connection:
        deliveries.end_leases(connection, now)
        record_at_start(connection, config, now)
        return credentials.instance_value(connection, "instance_id", secrets.token_hex(8))


def _mailbox(service: Service, mail: Mail) -> MailboxReader | None:
    if mail.imap is None:
        return None
    store, loop = service.house.store, asyncio.get_running_loop()

    def take(mails: Sequence[FetchedMail]) -> None:
        service.take_mails(mails)
        if not loop.is_closed():
            loop.call_soon_threadsafe(service.wake)

    return MailboxReader(
        mail.imap,
        last_uid=lambda account, folder, validity: inbox.last_uid(store, account, folder, validity),
        take=take,
        notice=lambda said: _log.info("mailbox", said=said),
        warn=lambda said: _log.warning("mailbox", said=said),
        clock=service.clock,
    )


@asynccontextmanager
async def _door(service: Service, mail: Mail) -> AsyncIterator[int | None]:
    """Let mail servers hand replies over, where config.yaml says so."""
    if mail.door is None:
        yield None
        return

    async def take(raw: bytes, size: int) -> None:
        store, now = service.house.store, service.clock()
        await to_thread.run_sync(lambda: inbox.receive_handed(store, raw, size=size, now=now))
        service.decide.set()

    async with AsyncExitStack() as stack:
        try:
            port = await stack.enter_async_context(open_door(mail.door, mail.sender_address, take))
        except OSError as error:
            where = f"{mail.door.host}:{mail.door.port}"
            raise DoorUnusable(f"replies cannot be taken at {where} (`mail.receive`): {error}") from error
        _log.info("replies are taken", protocol=mail.door.protocol, host=mail.door.host, port=port)
        yield port


def start_mailbox(service: Service, stop: threading.Event) -> threading.Thread | None:
    """Start reading the mailbox in a thread of its own, since IMAPClient blocks."""
    if service.mailbox is None:
        return None
    thread = threading.Thread(target=service.mailbox.run, args=(stop,), name="mailbox", daemon=True)
    thread.start()
    return thread
