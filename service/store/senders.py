"""The instances that send side by side, and what becomes of the claims of one that died.

Each has a number, which it writes into what it claims. On PostgreSQL it stands in `instance` and has an advisory lock
on a connection that is kept for it: as long as the server sees that, its claims are its own. On SQLite there is one.
"""

import secrets
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from time import monotonic
from typing import Any, Final, Protocol

import structlog
from sqlalchemy import Connection, delete, insert, text

from service.errors import StoreUnavailable
from service.store.background import doing
from service.store.database import Store
from service.store.deliveries import ALONE, end_leases, ending_leases
from service.store.kept_locks import KeptLock
from service.store.schema import deliveries, instance

SENDERS: Final = 0x7365_6E64  # "send"
"""The first number of the advisory locks of those who send; the second is theirs."""
EACH: Final = 1.0
"""Seconds between two looks."""
SURE_FOR: Final = 3.0
"""Seconds for which a sender believes that the others see it, since it last made sure."""
GONE_AFTER: Final = 4.0
"""Seconds that one must not have been seen until its claims are ended: it stopped sending before that."""
_NAME: Final = "sender:"
_HIGHEST: Final = 2**31 - 1
_ALIVE: Final = (
    "SELECT objid FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 2"  # noqa: S608  our number
    f" AND classid = {SENDERS} AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)
_REGISTERED: Final = f"SELECT substr(name, {len(_NAME) + 1}) FROM instance WHERE starts_with(name, '{_NAME}')"  # noqa: S608

_log = structlog.get_logger()


class Claimant(Protocol):
    """Whoever claims what is due to be sent."""

    @property
    def number(self) -> int | None:
        """What is written into its claims; None: it must not send just now, for others may think that it is dead."""

    @property
    def among(self) -> int:
        """How many send side by side, this one included."""


@dataclass(frozen=True, slots=True)
class OnlyOne:
    """Whoever sends where nobody else can."""

    number: int = ALONE
    among: int = 1


THE_ONLY: Final = OnlyOne()


class Sender:
    """This instance as one that sends; for any thread. It is to be closed."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.is_alone = store.engine.dialect.name != "postgresql"
        """Whether nobody else can send."""
        self._lock = KeptLock(store, SENDERS)
        self._number: int | None = None
        self._sure_until = float("-inf")
        self._among = 1
        self._missed: dict[int, float] = {}
        self._guard = Lock()

    @property
    def number(self) -> int | None:
        """What is written into its claims; None: it must not send just now, for others may think that it is dead."""
        return self._number if monotonic() < self._sure_until else None

    @property
    def among(self) -> int:
        """How many send side by side, this one included."""
        return self._among

    def look(self, now: datetime) -> None:
        """Make sure that the others see us, and end the claims of those who are gone; to be done each second.

        Raises StoreUnavailable where nobody else can send, and what was left could not be taken up; where others can,
        a database that is away is looked at again the next time.
        """
        with self._guard:
            if self.is_alone:
                self._take_up_all(now)
                return
            looked_at = monotonic()
            with suppress(StoreUnavailable):
                if self._is_seen(now):
                    self._sure_until = looked_at + SURE_FOR

    def close(self) -> None:
        """End; what we claimed was given back before, or is ended by others."""
        with self._guard:
            number, self._number, self._sure_until = self._number, None, float("-inf")
            if not self.is_alone and number is not None:
                with suppress(StoreUnavailable), self._store.transaction(alone=False) as connection:
                    connection.execute(delete(instance).where(instance.c.name == f"{_NAME}{number}"))
            self._lock.let_go()

    def _take_up_all(self, now: datetime) -> None:
        if self._number is None:
            with self._store.transaction() as connection:
                end_leases(connection, now)
            self._number, self._sure_until = ALONE, float("inf")

    def _is_seen(self, now: datetime) -> bool:
        is_new, seen = self._number is None, self._lock.ask(_ALIVE)
        if seen is None and not self._come_anew():
            return False
        there = self._lock.ask(_REGISTERED)
        if there is None:
            return False
        alive, registered = _numbers(seen or ()), _numbers(there)
        if seen is None or self._gone(alive, registered):
            # whoever comes, or comes back, waits here for the others: nobody ends claims that are being made
            with self._store.transaction() as connection:
                alive, registered = (
                    _numbers(connection.execute(text(one)).all()) for one in (_ALIVE, _REGISTERED)
                )
                is_first = is_new and len(registered) == 1
                gone = self._gone(alive, registered)
                self._take_up(connection, gone, now, is_first=is_first)
                registered -= set(gone)
        self._among = max(len(alive), 1)
        if self._number in alive and self._number in registered:
            return True
        self._lock.let_go()
        if self._number not in registered:
            self._number = None  # the others took us for dead, and our claims
        return False

    def _come_anew(self) -> bool:
        """Take a new number and its lock.

        Never the one before: of what was claimed under that, a server that was away may have lost what we wrote last,
        and have kept what it did not answer any more. So it is ended like the claims of one that is gone.
        """
        self._number = None
        number = secrets.randbelow(_HIGHEST) + 1
        with self._store.transaction(alone=False) as connection:
            connection.execute(insert(instance).values(name=f"{_NAME}{number}", value=self._store.voice))
        self._number = number
        return self._lock.take(number)

    def _gone(self, alive: set[int], registered: set[int]) -> list[int]:
        """Tell who was not seen for so long that it does not send any more."""
        at = monotonic()
        self._missed = {number: self._missed.get(number, at) for number in registered - alive}
        return [number for number, since in self._missed.items() if at - since >= GONE_AFTER]

    @staticmethod
    def _take_up(connection: Connection, gone: Sequence[int], now: datetime, *, is_first: bool) -> None:
        if is_first:
            end_leases(connection, now)  # as at the start of the only process
            return
        theirs = ending_leases(now).where(deliveries.c.claimed_by.in_(gone))
        ended = connection.execute(theirs).rowcount if gone else 0
        for number in gone:
            connection.execute(delete(instance).where(instance.c.name == f"{_NAME}{number}"))
            _log.warning("outbox: another instance that sent is gone", sender=number)
        if ended:
            _log.warning("outbox: what it had claimed is due again", deliveries=ended)


def looking(sender: Sender, clock: Callable[[], datetime]) -> AbstractContextManager[None]:
    """Look each second, beside everything else, so that nothing which takes long holds it up."""
    return nullcontext() if sender.is_alone else doing("senders", lambda: sender.look(clock()), each=EACH)


def _numbers(rows: Iterable[Any]) -> set[int]:
    return {int(row[0]) for row in rows}
