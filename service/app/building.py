"""Builds the house from config.yaml: store, key, mail, web. What is built here is started in `running`."""

import asyncio
import secrets
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from email.utils import formataddr
from typing import TYPE_CHECKING

import structlog
from anyio import to_thread

from service import inbox
from service.actions.house import House
from service.actions.house_key import demand_key
from service.actions.planning_windows import plan_windows
from service.actions.recording_states import record_at_start
from service.app.ground import Ground, open_ground
from service.app.making_room import Courtesy
from service.app.own_files import load_key, place_of_key
from service.app.roles import ServeRole
from service.app.service import Service
from service.calls.calling import Caller, open_caller
from service.config.settings import Config, Mail
from service.errors import PermanentFault
from service.inbox import PostIntake
from service.mail.compose import PostOffice
from service.mail.dkim_check import dns_look_up
from service.mail.imap import FetchedMail, MailboxReader
from service.mail.words import vocabulary
from service.outbox import Courier, Relay
from service.store import credentials
from service.store.database import Store
from service.store.observing import begin_watching
from service.store.patience import waiting_at_most
from service.web import machine_checks
from service.web.application import build as build_web
from service.web.front import Front, make_pages
from service.web.public.exporting import Exporter
from service.web.routes import all_routes

if TYPE_CHECKING:
    from service.mail.sandbox import Sandbox

DNS_PATIENCE = timedelta(seconds=3)

_log = structlog.get_logger()


class DoorUnusable(PermanentFault):
    """The port for replies is taken, or its certificate cannot be used."""


@asynccontextmanager
async def build_on(ground: Ground, config: Config, clock: Callable[[], datetime]) -> AsyncIterator[Service]:
    """Build the service of a configuration; raises StoreUnavailable, KeyFileUnusable, KeyDiffers."""
    async with open_caller(may_be_private=config.private_webhooks) as caller:
        mail, sandbox = await ground.mail_of(config)
        service = await _connect(replace(config, mail=mail), mail, ground, sandbox, caller, clock)
        async with service.courier:
            yield service


@asynccontextmanager
async def build(
    config: Config, clock: Callable[[], datetime], role: ServeRole = ServeRole.ALL
) -> AsyncIterator[Service]:
    """Build the service over its database, with its door for replies open; at the end all is closed.

    Raises StoreUnavailable, DatabaseUnfit, SchemaUnknown, AlreadyRunning, KeyFileUnusable, KeyDiffers, DoorUnusable
    where it cannot be built.
    """
    async with (
        open_ground(config, clock, role) as ground,
        build_on(ground, config, clock) as service,
        open_service_door(service),
    ):
        yield service


async def _connect(
    config: Config,
    mail: Mail,
    ground: Ground,
    sandbox: "Sandbox | None",
    caller: Caller,
    clock: Callable[[], datetime],
) -> Service:
    store, meters, traces = ground.store, ground.instruments.meters, ground.instruments.traces
    instance_id, key = await to_thread.run_sync(_settle_in, store, config, clock())
    house = House(
        store=store,
        config=config,
        key=key,
        own_address=mail.sender_address,
        instance_id=instance_id,
        new_id=lambda: secrets.token_hex(16),
        look_up=dns_look_up(DNS_PATIENCE),
        vocabulary=vocabulary(config.replies.languages, config.replies.words),
        notes=traces.noting(meters.notes),
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
        lets_choose=len(config.components) > 1,
    )
    decide, courtesy = asyncio.Event(), Courtesy()
    relay = Relay(mail.smtp, noted=traces.attempting(meters.attempted))
    service = Service(
        house=house,
        office=office,
        relay=relay,
        courier=Courier(store, office, relay, clock, ground.sender, turn=courtesy.turn),
        mailbox=None,
        sandbox=sandbox,
        clock=clock,
        decide=decide,
        send=asyncio.Event(),
        fan_out=asyncio.Event(),
        caller=caller,
        part=ground.part,
        sender=ground.sender,
        role=ground.role,
        instruments=ground.instruments,
        call=asyncio.Event(),
        intake=PostIntake(store, stored=decide.set),
        courtesy=courtesy,
    )
    ground.heard = service.hear
    store.queued = service.wake_sender
    service.intake.take_alone = service.take_post
    service.mailbox = _mailbox(service, mail) if ground.role.works else None
    ground.instruments.expect_mailbox(clock(), is_there=service.mailbox is not None)
    pages = make_pages(house)
    front = Front(
        house,
        clock,
        traces.receiving(service.intake.receive),
        service.wake,
        sandbox,
        pages,
        seen=service.seen,
        problems=lambda: ground.instruments.problems,
        counted=meters.collect,
        answered=meters.answered,
        reload=ground.reload,
    )
    is_shown = ground.role is not ServeRole.WORKER
    routes = all_routes(with_sandbox=sandbox is not None) if is_shown else machine_checks.routes
    service.web = build_web(front, routes)
    if config.site.export_to is not None:
        service.exporter = Exporter(replace(front, sandbox=None), config.site.export_to)
    sender = formataddr((mail.sender_name, mail.sender_address))
    _log.info("built", site=config.site.url, mails_from=sender, sandbox=sandbox is not None)
    return service


def _settle_in(store: Store, config: Config, now: datetime) -> tuple[str, bytes]:
    """Record what components there are; tell what this installation is called, and its key as the database knows it.

    Raises StoreUnavailable, KeyFileUnusable, KeyDiffers.
    """
    key = load_key(config)
    with store.transaction() as connection:
        key = demand_key(connection, key, place_of_key(config))
        record_at_start(connection, config, now)
        begin_watching(connection, now)
        return credentials.instance_value(connection, "instance_id", secrets.token_hex(8)), key


def _mailbox(service: Service, mail: Mail) -> MailboxReader | None:
    if mail.imap is None:
        return None
    store = service.house.store

    def take(mails: Sequence[FetchedMail]) -> None:
        service.take_mails(mails)
        service.wake_decider()

    return MailboxReader(
        mail.imap,
        last_uid=lambda account, folder, validity: inbox.last_uid(store, account, folder, validity),
        take=service.instruments.traces.taking(take),
        notice=lambda said: _log.info("mailbox", said=said),
        warn=lambda said: _log.warning("mailbox", said=said),
        may_read=service.has_part,
        clock=service.clock,
    )


@asynccontextmanager
async def open_service_door(service: Service) -> AsyncIterator[None]:
    """Let mail servers hand replies over, where config.yaml says so. Raises DoorUnusable."""
    mail = service.house.config.mail
    if mail is None or mail.door is None or not service.role.works:
        yield
        return

    # here, for aiosmtpd costs a megabyte of memory and few let mail servers come
    from service.mail.door import open_door  # noqa: PLC0415

    async def take(raw: bytes, size: int) -> None:
        store, now = service.house.store, service.clock()
        with waiting_at_most():
            # the door waits no longer than that, and what is stored later is known again when it comes once more
            await to_thread.run_sync(
                lambda: inbox.receive_handed(store, raw, size=size, now=now), abandon_on_cancel=True
            )
        service.decide.set()

    async with AsyncExitStack() as stack:
        try:
            port = await stack.enter_async_context(open_door(mail.door, mail.sender_address, take))
        except OSError as error:
            where = f"{mail.door.host}:{mail.door.port}"
            raise DoorUnusable(f"replies cannot be taken at {where} (`mail.receive`): {error}") from error
        _log.info("replies are taken", protocol=mail.door.protocol, host=mail.door.host, port=port)
        service.door_port = port
        yield
        service.door_port = None


def start_mailbox(service: Service, stop: threading.Event) -> threading.Thread | None:
    """Start reading the mailbox in a thread of its own, since IMAPClient blocks."""
    if service.mailbox is None:
        return None
    thread = threading.Thread(target=service.mailbox.run, args=(stop,), name="mailbox", daemon=True)
    thread.start()
    return thread
