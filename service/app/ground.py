"""What stays while configurations change: the database, and on this machine the key file and the lock beside it."""

import fcntl
import os
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from anyio import to_thread
from sqlalchemy import make_url

from service.app.instruments import Instruments
from service.app.reloading import ReloadState
from service.app.roles import ServeRole
from service.config.differences import Reloaded
from service.config.settings import Config, Mail
from service.errors import PermanentFault
from service.mail.sandbox import Sandbox
from service.store import deliveries
from service.store.database import Store, open_store
from service.store.hearing import hearing
from service.store.leases import Lease
from service.web.front import keep_config

KEY_BYTES = 32
SANDBOX_ADDRESS = "status@replycast.example"
"""What our mails come from where no mail server is configured; the domain exists nowhere (RFC 2606)."""


class AlreadyRunning(PermanentFault):
    """Another process works on this SQLite database; two would send mails twice."""


class KeyFileUnusable(PermanentFault):
    """The file of the key cannot be read, written, or is readable by others."""


def database_file(config: Config) -> Path | None:
    """Give the file of an SQLite database; None where it is in memory or on a server."""
    url = make_url(config.database)
    if url.get_backend_name() != "sqlite" or url.database in {None, "", ":memory:"}:
        return None
    return Path(str(url.database))


@contextmanager
def only_process(config: Config) -> Iterator[None]:
    """Keep a second process off an SQLite database while this one runs; raises AlreadyRunning.

    The kernel gives the lock back however we end, so that a crash needs no repair.
    """
    file = database_file(config)
    if file is None:
        yield
        return
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(file.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            said = f"another replycast runs on {file}: stop it, or give this one a database of its own"
            raise AlreadyRunning(said) from error
        yield
    finally:
        os.close(descriptor)


def key_file(config: Config) -> Path:
    """Name the file of the key: beside a database of SQLite, else beside config.yaml."""
    file = database_file(config)
    return config.path.parent / "replycast.key" if file is None else file.with_suffix(".key")


def load_key(config: Config) -> bytes:
    """Give the key that tokens are derived from: config.yaml's, else that of the key file.

    The file is made at the first start, readable by its owner alone. Raises KeyFileUnusable.
    """
    if config.secret_key:
        return config.secret_key.reveal().encode()
    path = key_file(config)
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "r+") as opened:
            if os.fstat(descriptor).st_mode & 0o077:
                raise KeyFileUnusable(f"{path} is readable by others: chmod 600 it")
            text = opened.read().strip()
            if not text:
                text = secrets.token_hex(KEY_BYTES)
                opened.write(text)
                opened.flush()
                os.fsync(descriptor)
        key = bytes.fromhex(text)
    except (OSError, ValueError) as error:
        raise KeyFileUnusable(
            f"the key file {path} cannot be used (nor is there a `secret_key`): {error}"
        ) from error
    if len(key) != KEY_BYTES:
        raise KeyFileUnusable(f"the key file {path} was cut short: bring it back from a backup, or delete it")
    return key


@dataclass(slots=True)
class Ground:
    """What stays the same while config.yaml is read anew: the database, and the mail sandbox once one is needed."""

    store: Store
    part: Lease
    """Falls to one of those that may work; who serves the web alone never asks for it."""
    role: ServeRole
    stack: AsyncExitStack
    instruments: Instruments
    sandbox: Sandbox | None = None
    reload: Callable[[], Awaitable[Reloaded]] = keep_config
    """Has config.yaml read anew, for whoever asks for that over the web."""
    heard: Callable[[], None] = lambda: None
    """Is told, from another thread, that another instance stored something new."""

    def hear(self) -> None:
        """Let pages and loops look anew."""
        self.store.count_commit()
        self.heard()

    async def mail_of(self, config: Config) -> tuple[Mail, Sandbox | None]:
        """Give the mail servers of config.yaml or, where there are none, those of the sandbox."""
        if config.mail is not None:
            return config.mail, None
        if self.sandbox is None:
            self.sandbox = await Sandbox.start(own_address=SANDBOX_ADDRESS)
            self.stack.push_async_callback(self.sandbox.stop)
        return Mail(config.site.name, SANDBOX_ADDRESS, self.sandbox.smtp, self.sandbox.imap), self.sandbox


@asynccontextmanager
async def open_ground(
    config: Config, clock: Callable[[], datetime], role: ServeRole
) -> AsyncIterator[Ground]:
    """Open the database, which is created and migrated, and take up what an earlier process left in it.

    Raises StoreUnavailable, SchemaUnknown, AlreadyRunning.
    """
    with only_process(config):
        store = await to_thread.run_sync(open_store, config.database)
        try:
            async with AsyncExitStack() as stack:
                part = Lease(store, "work", taken=lambda: _take_up(store, clock()))
                stack.callback(part.close)
                is_ours = role.works and await to_thread.run_sync(part.is_held)
                instruments = Instruments(clock(), ReloadState(clock()), is_standby=not is_ours)
                ground = Ground(store, part, role, stack, instruments)
                stack.enter_context(hearing(store, ground.hear))
                yield ground
        finally:
            store.close()


def _take_up(store: Store, now: datetime) -> None:
    """Take up what an earlier process left."""
    with store.transaction() as connection:
        deliveries.end_leases(connection, now)
