"""Hands out mails one by one, claiming and composing the next ones when they are asked for."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Event
from typing import Protocol

from service.errors import AddressInvalid, RecipientRefused, ReplycastError, TemplateFaulty
from service.mail.compose import Envelope
from service.model import Delivery
from service.outbox.outcomes import LEASE
from service.store import deliveries
from service.store.database import Store
from service.store.senders import Claimant


@dataclass(frozen=True, slots=True)
class Mail:
    """A delivery with its mail."""

    delivery: Delivery
    envelope: Envelope


class Source(Protocol):
    """Where deliveries of a kind come from."""

    def claim(self, now: datetime, number: int) -> Sequence[Delivery] | None:
        """Claim the next ones under a sender's number; None: there are no more. Raises StoreUnavailable."""

    def compose(self, delivery: Delivery, now: datetime) -> Envelope:
        """Compose one of those claimed last.

        Raises TemplateFaulty, AddressInvalid, and RecipientRefused where it is of no use any more.
        """


class Supply:
    """The mails of one source that are due; for one thread. Its methods raise StoreUnavailable."""

    def __init__(
        self,
        store: Store,
        source: Source,
        clock: Callable[[], datetime],
        *,
        stop: Event,
        claimant: Claimant,
    ) -> None:
        self.claimed = 0
        """How many deliveries were claimed so far."""
        self._store = store
        self._source = source
        self._clock = clock
        self._stop = stop
        self._claimant = claimant
        self._claimed_by: int | None = None
        self._ready: deque[Delivery | Mail] = deque()
        self._fresh_until = clock()

    def __len__(self) -> int:
        """Tell how many are ready to be taken."""
        return len(self._ready)

    @property
    def is_ours(self) -> bool:
        """Whether what was claimed last is still ours, as far as the claimant and the clock tell."""
        return self._claimant.number == self._claimed_by and self._clock() < self._fresh_until

    @property
    def is_to_be_sent(self) -> bool:
        """Whether it is ours, and we were not told to stop."""
        return self.is_ours and not self._stop.is_set()

    def take(self, refuse: Callable[[Delivery, ReplycastError], object]) -> Mail | None:
        """Give the next mail, None where none is due or it is told to stop; what cannot be sent is refused."""
        while not self._stop.is_set():
            if self._ready and not self.is_ours:
                self.give_back(self._clock(), "")
            if not self._ready and not self.claim():
                return None
            if not self._ready:
                continue
            found = self._ready.popleft()
            if isinstance(found, Mail):
                return found
            try:
                return Mail(found, self._source.compose(found, self._clock()))
            except (TemplateFaulty, AddressInvalid, RecipientRefused) as fault:
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
        """Claim the next ones; False where there are none, or it must not."""
        now, number = self._clock(), self._claimant.number
        if number is None:
            return False
        self._claimed_by = number
        claimed = self._source.claim(now, number)
        if claimed is None:
            return False
        self._ready.extend(claimed)
        self.claimed += len(claimed)
        self._fresh_until = now + LEASE / 2
        return True
