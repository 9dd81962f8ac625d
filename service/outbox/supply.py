"""Hands out mails one by one, claiming and composing the next ones when they are asked for.

A mail's text begins only while its claim lasts for longer than the relay may take to answer (`outbox/claims.py`).
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from threading import Event
from time import monotonic
from typing import Final, Protocol

from service.errors import AddressInvalid, RecipientRefused, ReplycastError, TemplateFaulty, TemporaryFault
from service.mail.compose import Envelope
from service.model import Delivery
from service.outbox.claims import Claim
from service.outbox.outcomes import LEASE
from service.store import deliveries
from service.store.database import Store
from service.store.senders import Claimant

LOOK_EACH: Final = 1.0
"""Seconds after which it is looked whether what is ready was cancelled meanwhile: a fast fan-out never comes to it."""


@dataclass(frozen=True, slots=True)
class Mail:
    """A delivery with its mail."""

    delivery: Delivery
    """As it was claimed."""
    envelope: Envelope
    claim: Claim


class Source(Protocol):
    """Where deliveries of a kind come from."""

    def claim(self, now: datetime, number: int) -> Sequence[Delivery] | None:
        """Claim the next ones under a sender's number; None: there are no more. Raises StoreUnavailable."""

    def compose(self, delivery: Delivery, now: datetime) -> Envelope:
        """Compose one of those claimed last.

        Raises TemplateFaulty, AddressInvalid, and RecipientRefused where it is of no use any more; MachineExhausted and
        StoreUnavailable, where it is not to blame.
        """


class Supply:
    """The mails of one source that are due; for one thread. Its methods raise StoreUnavailable, `take` also
    MachineExhausted; what could not be composed then is the next one still.
    """

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
        self._claim = Claim(None, clock(), monotonic())
        """Of all that is ready and no mail yet."""
        self._ready: deque[Delivery | Mail] = deque()
        self._taken: dict[int, Delivery] = {}
        """As they are claimed now."""
        self._looked_at = 0.0

    def __len__(self) -> int:
        """Tell how many are ready to be taken."""
        return len(self._ready)

    def is_to_be_sent(self, mail: Mail) -> bool:
        """Tell whether nobody has taken us for dead since it was claimed, and we were not told to stop."""
        return self._claimant.number == mail.claim.by and not self._stop.is_set()

    def is_ours(self, mail: Mail) -> bool:
        """Tell whether nobody has taken us for dead since it was claimed."""
        return self._claimant.number == mail.claim.by

    def take(self, refuse: Callable[[Delivery, ReplycastError], object]) -> Mail | None:
        """Give the next mail, None where none is due or it is told to stop; what cannot be sent is refused."""
        while not self._stop.is_set():
            if self._ready and not self._may_be_taken(self._ready[0]):
                self.give_back(self._clock(), "")
            self._leave_out_what_ended(self._claim)
            if not self._ready and not self.claim():
                return None
            if not self._ready:
                continue
            found = self._ready.popleft()
            if isinstance(found, Mail):
                return self._given(found)
            try:
                mail = Mail(found, self._source.compose(found, self._clock()), self._claim)
            except (TemplateFaulty, AddressInvalid, RecipientRefused) as fault:
                refuse(found, fault)
            except TemporaryFault:
                self._ready.appendleft(found)
                raise
            else:
                return self._given(mail)
        return None

    def _given(self, mail: Mail) -> Mail:
        self._taken[mail.delivery.id] = mail.delivery
        return mail

    def _may_be_taken(self, ready: Delivery | Mail) -> bool:
        """Tell whether its claim is still of use; that of a mail is made longer when it is to be sent."""
        if isinstance(ready, Mail):
            return self.is_ours(ready)
        is_fresh = self._claim.may_begin(self._clock(), monotonic())
        return self._claimant.number == self._claim.by and is_fresh

    def confirmed(self, mail: Mail) -> Mail | None:
        """Give a mail that was taken so that its text may go out: its claim lasts until the relay has answered.

        None where it was cancelled meanwhile, or somebody else has claimed it: then it is forgotten.
        """
        self._leave_out_what_ended(mail.claim)
        delivery = self._taken.get(mail.delivery.id)
        if delivery is None:
            return None
        now = self._clock()
        if mail.claim.may_begin(now, monotonic()):
            return mail
        until, claim = now + LEASE, Claim(mail.claim.by, now, monotonic())
        with self._store.transaction(durable=False, alone=False) as connection:
            is_ours = deliveries.renew(connection, delivery, until)
        if not is_ours:
            del self._taken[delivery.id]
            return None
        self._taken[delivery.id] = delivery = replace(delivery, due_at=until)
        return Mail(delivery, mail.envelope, claim)

    def _leave_out_what_ended(self, claim: Claim) -> None:
        """Forget what was cancelled, as its reader wants it no more. It is looked for each second since a claim."""
        if monotonic() - max(self._looked_at, claim.at_monotonic) < LOOK_EACH:
            return
        with self._store.reading() as connection:
            ended = deliveries.ended_claims(connection, [*self._taken.values(), *self.left()])
        self._looked_at = monotonic()
        if ended:
            self._ready = deque(one for one in self._ready if _delivery_of(one).id not in ended)
            self._taken = {number: one for number, one in self._taken.items() if number not in ended}

    def as_claimed(self, mail: Mail) -> Mail:
        """Give what was taken as it is claimed now, which may be for longer than when it was taken."""
        delivery = self._taken.get(mail.delivery.id, mail.delivery)
        return mail if delivery is mail.delivery else replace(mail, delivery=delivery)

    def done(self, mail: Mail) -> None:
        """Forget what was taken: it is written down what becomes of it."""
        self._taken.pop(mail.delivery.id, None)

    def put_back(self, mail: Mail, *, is_last: bool = False) -> None:
        """Take back what was not sent, unless it was cancelled meanwhile; it is the next one then, or the last."""
        delivery = self._taken.pop(mail.delivery.id, None)
        if delivery is not None:
            put = self._ready.append if is_last else self._ready.appendleft
            put(replace(mail, delivery=delivery))

    def sort(self, key: Callable[[str], tuple[bool, ...]]) -> None:
        """Put what is ready in the order of a key of its recipient, else as it is."""
        self._ready = deque(sorted(self._ready, key=lambda one: key(_delivery_of(one).recipient)))

    def give_back(self, due_at: datetime, error: str) -> None:
        """Undo the claims of what was not taken, and is still ours."""
        if left := self.left():
            with self._store.transaction(alone=False) as connection:
                ids = deliveries.still_claimed(connection, left)
                deliveries.give_back(connection, ids, due_at, error)
        self._ready.clear()

    def left(self) -> list[Delivery]:
        """Give what was claimed and not taken."""
        return [_delivery_of(one) for one in self._ready]

    def claim(self) -> bool:
        """Claim the next ones once none is ready; False where there are none, or it must not."""
        now, number = self._clock(), self._claimant.number
        if number is None or self._stop.is_set():
            return False
        began_at = monotonic()
        claimed = self._source.claim(now, number)
        if claimed is None:
            return False
        self._claim = Claim(number, now, began_at)
        for one in claimed:
            if (taken := self._taken.get(one.id)) is not None:
                # the clock was set on, and its claim is over by that: it is on its way, and claimed for longer now
                self._taken[one.id] = replace(one, attempts=taken.attempts)
                continue
            self._ready.append(one)
            self.claimed += 1
        return True


def _delivery_of(ready: Delivery | Mail) -> Delivery:
    return ready.delivery if isinstance(ready, Mail) else ready
