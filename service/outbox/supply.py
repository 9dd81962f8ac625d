"""Hands out the mails of updates one by one, claiming and composing the next ones when they are asked for."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Event
from typing import Protocol

from service.errors import AddressInvalid, ReplycastError, TemplateFaulty
from service.mail.compose import Envelope, PostOffice
from service.model import Delivery
from service.outbox.composing import BulkComposer
from service.outbox.outcomes import LEASE
from service.store import deliveries
from service.store.database import Store
from service.store.deliveries import ALONE
from service.store.fan_outs import Chunk
from service.store.senders import THE_ONLY, Claimant

CLAIMED_AT_ONCE = 1_000


class NextChunk(Protocol):
    """Queues the next deliveries of an update, and with a lease claims its mails; None: no update has any left."""

    def __call__(
        self,
        now: datetime,
        *,
        chunk: int = CLAIMED_AT_ONCE,
        lease: timedelta | None = None,
        claimed_by: int = ALONE,
    ) -> Chunk | None:
        """Queue so many at most."""


@dataclass(frozen=True, slots=True)
class Mail:
    """A delivery with its mail."""

    delivery: Delivery
    envelope: Envelope


class Supply:
    """The mails that are due to be sent to subscribers; for one thread. Its methods raise StoreUnavailable."""

    def __init__(
        self,
        store: Store,
        office: PostOffice,
        clock: Callable[[], datetime],
        next_chunk: NextChunk,
        *,
        rate: float | None,
        stop: Event,
        claimant: Claimant = THE_ONLY,
    ) -> None:
        self.claimed = 0
        """How many deliveries were claimed so far."""
        self._store = store
        self._clock = clock
        self._next_chunk = next_chunk
        self._stop = stop
        self._claimant = claimant
        self._claimed_by: int | None = None
        # no more than can be sent while the claim lasts
        most = CLAIMED_AT_ONCE if rate is None else rate * LEASE.total_seconds() / 4
        self._most = max(min(int(most), CLAIMED_AT_ONCE), 1)
        self._ready: deque[Delivery | Mail] = deque()
        self._composer = BulkComposer(store, office)
        self._fresh_until = clock()

    def __len__(self) -> int:
        """Tell how many are ready to be taken."""
        return len(self._ready)

    def take(self, refuse: Callable[[Delivery, ReplycastError], object]) -> Mail | None:
        """Give the next mail, None where none is due or it is told to stop; what cannot be composed is refused."""
        while not self._stop.is_set():
            is_ours = self._claimant.number == self._claimed_by and self._clock() < self._fresh_until
            if self._ready and not is_ours:
                self.give_back(self._clock(), "")
            if not self._ready and not self.claim():
                return None
            if not self._ready:
                continue
            found = self._ready.popleft()
            if isinstance(found, Mail):
                return found
            try:
                return Mail(found, self._composer.compose(found))
            except (TemplateFaulty, AddressInvalid) as fault:
                refuse(found, fault)
        return None

    def put_back(self, mail: Mail) -> None:
        """Take back what was not sent; it is the next one then."""
        self._ready.appendleft(mail)

    def give_back(self, due_at: datetime, error: str) -> None:
        """Undo the claims of what was not taken, and is still ours."""
        if left := self.left():
            with self._store.transaction(alone=False) as connection:
                ids = deliveries.still_claimed(connection, left)
                deliveries.give_back(connection, ids, due_at, error)
        self._ready.clear()

    def left(self) -> list[Delivery]:
        """Give what was claimed and not taken."""
        return [one.delivery if isinstance(one, Mail) else one for one in self._ready]

    def claim(self) -> bool:
        """Claim what is due again, or else the next of an update; False where there is neither, or it must not."""
        now, number = self._clock(), self._claimant.number
        if number is None:
            return False
        self._claimed_by = number
        claimed = self._claim_due(now, number)
        if not claimed:
            chunk = self._next_chunk(now, chunk=self._most, lease=LEASE, claimed_by=number)
            if chunk is None:
                return False
            claimed = chunk.claimed
        self._ready.extend(claimed)
        self.claimed += len(claimed)
        self._composer.begin(claimed)
        self._fresh_until = now + LEASE / 2
        return True

    def _claim_due(self, now: datetime, number: int) -> tuple[Delivery, ...]:
        with self._store.reading() as connection:
            due_at = deliveries.next_due_at(connection, urgent=False)
        if due_at is None or due_at > now:
            return ()
        with self._store.transaction(alone=False) as connection:
            return deliveries.claim_due(
                connection, now, urgent=False, lease=LEASE, limit=self._most, claimed_by=number
            )
