"""What came of deliveries while nothing could be written, as on a full disk: it is written down once that is possible.

Kept in memory. It never sends. A restart knows none of it, ends all claims, and sends what is not marked as sent once
more, as the same mail.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Final
from weakref import WeakKeyDictionary

import structlog
from sqlalchemy import Connection

from service.errors import StoreUnavailable
from service.model import Delivery
from service.outbox.attempts import Noted, Outcome, nobody
from service.store import deliveries
from service.store.database import Store

NOT_TRIED: Final = "the service could not try it at that moment: its log says why"
"""Why a delivery was not sent that was claimed: nothing could be written, or the machine had run out of something."""

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of an attempt."""

    delivery: Delivery
    """As it was claimed."""
    write: Callable[[Connection], Outcome | None]
    """Writes it down; None where nobody is told of it."""
    is_sent: bool = False
    """That is true whoever claimed the delivery since; all else is only of use while our claim stands."""
    noted: Noted = nobody

    def tell(self, outcome: Outcome | None) -> None:
        """Tell whoever is to know, once it is committed."""
        if outcome is not None:
            self.noted(self.delivery, outcome)


class Unrecorded:
    """Attempts that are not written down and claims that were not given back; for any thread."""

    def __init__(self) -> None:
        self._attempts: deque[Attempt] = deque()
        self._claimed: list[Delivery] = []
        self._settling = Lock()

    def __len__(self) -> int:
        """Tell how many deliveries it is about."""
        return len(self._attempts) + len(self._claimed)

    def keep(self, attempts: Sequence[Attempt]) -> None:
        """Remember what came of attempts."""
        self._attempts.extend(attempts)

    def keep_claims(self, claimed: Sequence[Delivery]) -> None:
        """Remember what was claimed and not tried."""
        self._claimed.extend(claimed)

    def record(self, store: Store, attempt: Attempt) -> None:
        """Write down what came of an attempt; raises StoreUnavailable, and then it is remembered."""
        try:
            with store.transaction() as connection:
                outcome = attempt.write(connection)
        except StoreUnavailable:
            self.keep([attempt])
            raise
        attempt.tell(outcome)

    def settle(self, store: Store, now: datetime) -> None:
        """Write down all that is remembered, and let what was claimed fall due, before anything is claimed again.

        Raises StoreUnavailable, and then what is left is still remembered.
        """
        if not self:
            return
        # nothing is forgotten before it is committed, so that who claims next waits here for whoever writes it
        with self._settling:
            while self._attempts:
                self._write(store, self._attempts[0])
                self._attempts.popleft()
            if claimed := self._claimed[:]:
                with store.transaction() as connection:
                    ids = deliveries.still_claimed(connection, claimed)
                    deliveries.give_back(connection, ids, now, NOT_TRIED)
                del self._claimed[: len(claimed)]

    @staticmethod
    def _write(store: Store, attempt: Attempt) -> None:
        try:
            with store.transaction() as connection:
                if not attempt.is_sent and not deliveries.still_claimed(connection, [attempt.delivery]):
                    return
                outcome = attempt.write(connection)
        except StoreUnavailable:
            raise
        except Exception:  # noqa: BLE001  the outermost loop of one delivery: its claim ends by itself
            _log.exception("outbox: an attempt could not be recorded", delivery=attempt.delivery.id)
            return
        attempt.tell(outcome)


_OF: Final[WeakKeyDictionary[Store, Unrecorded]] = WeakKeyDictionary()


def unrecorded_of(store: Store) -> Unrecorded:
    """Give what is remembered of a store: it outlives a configuration, and so what was sent under the one before."""
    return _OF.setdefault(store, Unrecorded())
