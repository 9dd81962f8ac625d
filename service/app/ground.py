"""What stays while configurations change: the database, and the mail sandbox once one is needed."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from anyio import to_thread

from service.app.instruments import Instruments
from service.app.own_files import only_process
from service.app.reloading import ReloadState
from service.app.roles import ServeRole
from service.config.differences import Reloaded
from service.config.settings import Config, Mail
from service.store.database import Store, open_store
from service.store.hearing import hearing
from service.store.leases import Lease, beating
from service.store.poolers import demand_sessions
from service.store.senders import Sender, looking
from service.web.front import keep_config

if TYPE_CHECKING:
    from service.mail.sandbox import Sandbox

SANDBOX_ADDRESS = "status@replycast.example"
"""What our mails come from where no mail server is configured; the domain exists nowhere (RFC 2606)."""


@dataclass(slots=True)
class Ground:
    """What stays the same while config.yaml is read anew: the database, and the mail sandbox once one is needed."""

    store: Store
    part: Lease
    """Falls to one of those that may work; who serves the web alone never asks for it."""
    sender: Sender
    """We among those that send, which are all that may work."""
    role: ServeRole
    stack: AsyncExitStack
    instruments: Instruments
    sandbox: "Sandbox | None" = None
    reload: Callable[[], Awaitable[Reloaded]] = keep_config
    """Has config.yaml read anew, for whoever asks for that over the web."""
    heard: Callable[[], None] = lambda: None
    """Is told, from another thread, that another instance stored something new."""

    def hear(self) -> None:
        """Let pages and loops look anew."""
        self.store.count_commit()
        self.heard()

    async def mail_of(self, config: Config) -> "tuple[Mail, Sandbox | None]":
        """Give the mail servers of config.yaml or, where there are none, those of the sandbox."""
        if config.mail is not None:
            return config.mail, None
        if self.sandbox is None:
            from service.mail.sandbox import Sandbox  # noqa: PLC0415  it says why

            self.sandbox = await Sandbox.start(own_address=SANDBOX_ADDRESS)
            self.stack.push_async_callback(self.sandbox.stop)
        return Mail(config.site.name, SANDBOX_ADDRESS, self.sandbox.smtp, self.sandbox.imap), self.sandbox


@asynccontextmanager
async def open_ground(
    config: Config, clock: Callable[[], datetime], role: ServeRole
) -> AsyncIterator[Ground]:
    """Open the database, which is created and migrated, and take up what an earlier process left in it.

    Raises StoreUnavailable, DatabaseUnfit, SchemaUnknown, AlreadyRunning.
    """
    with only_process(config):
        store = await to_thread.run_sync(open_store, config.database)
        try:
            await to_thread.run_sync(demand_sessions, store)
            async with AsyncExitStack() as stack:
                part, sender = Lease(store, "work"), Sender(store)
                stack.callback(part.close)
                stack.callback(sender.close)
                if role.works:
                    await to_thread.run_sync(sender.look, clock())
                    stack.enter_context(looking(sender, clock))
                    stack.enter_context(beating(part))
                is_ours = role.works and await to_thread.run_sync(part.is_held)
                instruments = Instruments(clock(), ReloadState(clock()), is_standby=not is_ours)
                ground = Ground(store, part, sender, role, stack, instruments)
                stack.enter_context(hearing(store, ground.hear))
                yield ground
        finally:
            store.close()
