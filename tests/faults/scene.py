"""A service under load whose surroundings fail: what is prepared before, and waited for afterwards."""

import asyncio
import json
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, func, select, update

from service.config.settings import Imap
from service.errors import StoreUnavailable
from service.model import SubscriberState
from service.store import inbox_rows, subscribers
from service.store.database import Store, open_store
from service.store.schema import deliveries, incidents, is_open, updates
from tests.faults.employee import Employee
from tests.faults.invariants import broken_promises
from tests.faults.load import Load
from tests.faults.process import ServiceProcess
from tests.faults.relay import Relay
from tests.mailservers.processes import LOOPBACK
from tests.rooms import OWN_ADDRESS, Clock

SOAK_SECONDS = float(os.environ.get("REPLYCAST_SOAK_SECONDS", "1.5"))
"""How long each fault is there, or comes again and again."""
SETTLING = 60.0 + SOAK_SECONDS
"""Seconds in which everything must be done after a fault: a relay that was away is left in peace for one minute."""
LOOK_AGAIN = 0.1
NO_LEASE = timedelta(minutes=5)
"""What falls due sooner was put off, and is in nobody's hands."""
KEY = "the-secret-key-of-all-instances-00"
READERS = ("ana@reader.example", "ben@reader.example", "cem@reader.example")

_MONITOR = """\
  - {{provider: victorops, alert_name: {name}, authored_by: jordan, type: service_unavailable,
     affected_components: {{{component}: major_outage}}, subject: "{name} is unavailable", message: "We look.",
     notify_employees: [jordan], combine_alerts: true, auto_close: true, closing_comment: "It works.", {rest}}}
"""
_MONITORS = "".join(
    _MONITOR.format(name=name, component=component, rest=rest)
    for name, component, rest in (
        ("Mail", "Email", "wait_time: 0, auto_publish: true, recovery_grace: 0"),
        ("Calendar", "Calendar", "wait_time: 1s, auto_publish: true, recovery_grace: 1s"),
        ("API", "API", "wait_time: 0, auto_publish: false"),
    )
)


@dataclass(slots=True)
class Scene:
    """Where a service runs, and what it runs with."""

    folder: Path
    address: str
    relay: Relay
    host: str = LOOPBACK
    """Where the services find the relay."""
    relay_port: int = 0
    """Where they find it if it is not its own port."""
    imap: Imap | None = None
    """Where they find the mailbox of replies."""
    door_port: int | None = None
    """Where they take replies by LMTP."""
    employee: Employee | None = None
    """Who answers the mails that ask for a decision."""

    @property
    def log(self) -> Path:
        """Where the services write what they have to say."""
        return self.folder / "log"

    def write_config(self) -> None:
        """Write config.yaml."""
        (self.folder / "config.yaml").write_text(f"""\
site: {{name: Acme Status, url: "http://status.acme.example"}}
mail:
  from: "Acme Status <{OWN_ADDRESS}>"
  smtp: {{host: {self.host}, port: {self.relay_port or self.relay.port}, security: none}}
{_imap_lines(self.imap)}{_door_lines(self.door_port)}database: "{self.address}"
secret_key: "{KEY}"
employees:
  - {{id: jordan, name: Jordan Ray, email: jordan@acme.example, role: admin}}
components:
  - {{name: Email}}
  - {{name: Calendar}}
  - {{name: API}}
monitors:
{_MONITORS}""")

    def prepare(self) -> None:
        """Write config.yaml, and put confirmed subscribers into the database."""
        self.write_config()
        long_ago = Clock().now - timedelta(days=365)
        store = open_store(self.address)
        with store.transaction() as connection:
            for number, reader in enumerate(READERS):
                public_id, unsubscribe_hash = f"{number:032x}", f"{number:064x}"
                one = subscribers.add(connection, public_id=public_id, address=reader,
                                      unsubscribe_hash=unsubscribe_hash, now=long_ago)  # fmt: skip
                subscribers.set_state(connection, one.id, SubscriberState.CONFIRMED, confirmed_at=long_ago)
        store.close()

    async def start(self, *more: str, by: Sequence[str] = ()) -> ServiceProcess:
        """Start a service, with further options; `by` is the command that runs it elsewhere."""
        return await ServiceProcess.start(self.folder / "config.yaml", self.log, *more, by=by)

    async def settle(self, load: Load) -> list[str]:
        """Let all alerts recover and everything be done; gives what is not as it was promised."""
        await asyncio.to_thread(load.recover_all)
        store = open_store(self.address)
        try:
            left = "nothing was looked at"
            async with asyncio.timeout(SETTLING):
                while left:
                    left = await asyncio.to_thread(_left_to_do, store, self.employee)
                    await asyncio.sleep(LOOK_AGAIN)  # the condition, not the time, ends the loop
            return self._broken(store, load)
        except TimeoutError:
            return [f"{left} after {SETTLING:.0f} seconds", *self._broken(store, load)]
        finally:
            store.close()

    def _broken(self, store: Store, load: Load) -> list[str]:
        found = broken_promises(store, load, self.relay.mails)
        if self.employee is not None:
            with store.reading() as connection:
                found += self.employee.broken_promises(connection)
        return found

    async def until_obeyed(self, more: int = 2) -> None:
        """Wait until some more replies of the employee were worked off."""
        assert self.employee is not None
        store, wanted, until = open_store(self.address), 0, time.monotonic() + SETTLING
        try:
            while True:
                with store.reading() as connection:
                    done = self.employee.count_done(connection)
                wanted = wanted or done + more
                if done >= wanted:
                    return
                assert time.monotonic() < until, f"no {more} more replies were worked off, but {done}"
                await asyncio.sleep(LOOK_AGAIN)  # as above
        finally:
            store.close()


def _imap_lines(imap: Imap | None) -> str:
    if imap is None:
        return ""
    password = json.dumps(imap.password.reveal())
    named = f"host: {imap.host}, port: {imap.port}, security: none, username: {imap.username}, password: {password}"
    return f"  imap: {{{named}}}\n"


def _door_lines(port: int | None) -> str:
    return "" if port is None else f"  receive: {{protocol: lmtp, host: {LOOPBACK}, port: {port}}}\n"


async def until_taken(load: Load, more: int = 10) -> None:
    """Wait until some more posts were accepted."""
    await _until(load, 202, more)


async def until_refused(load: Load, more: int = 5) -> None:
    """Wait until some more posts were refused for now."""
    await _until(load, 503, more)


async def _until(load: Load, status: int, more: int) -> None:
    wanted = load.answers[status] + more
    until = time.monotonic() + SETTLING
    while load.answers[status] < wanted:
        assert time.monotonic() < until, f"no {more} more posts got {status}: {load.answers}"
        await asyncio.sleep(LOOK_AGAIN)  # between two looks; the condition, not the time, ends the loop


def _left_to_do(store: Store, employee: Employee | None) -> str:
    """Say what is still to be done, and let what was put off be tried at once."""
    try:
        with store.transaction(alone=False) as connection:
            soon = datetime.now(UTC) + NO_LEASE
            connection.execute(
                update(deliveries)
                .where(deliveries.c.due_at < soon, deliveries.c.last_error != "")
                .values(due_at=datetime.now(UTC))
            )
            return _counted(connection) or (employee.left_to_do(connection) if employee else "")
    except StoreUnavailable as error:
        return str(error)


def _counted(connection: Connection) -> str:
    pending = inbox_rows.count_pending(connection)
    open_ones = connection.scalar(select(func.count()).select_from(incidents).where(is_open))
    due = connection.scalar(
        select(func.count()).select_from(deliveries).where(deliveries.c.due_at.is_not(None))
    )
    to_tell = connection.scalar(
        select(func.count()).select_from(updates).where(updates.c.fanned_out_at.is_(None))
    )
    if not (pending or open_ones or due or to_tell):
        return ""
    return f"{pending} posts, {open_ones} incidents, {due} deliveries, {to_tell} updates are left"
