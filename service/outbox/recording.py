"""Notes what became of the mails of several sessions, all that wait at once in one transaction. It never sends."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import TypeVar

from service.errors import ReplycastError
from service.model import Delivery
from service.outbox.attempts import Noted, Outcome, nobody
from service.outbox.outcomes import record
from service.outbox.unrecorded import Attempt, unrecorded_of
from service.store.database import Store
from service.store.sent_marks import Marks

T = TypeVar("T")
PATIENCE = 0.002
"""Seconds that a result waits for others, so that one commit is enough for them."""


class Recorder:
    """Commits without waiting for the disk: what it noted outlives a kill of the process, which is what counts.

    A power cut may take back what was noted since the last durable commit, and these mails are sent again.
    """

    def __init__(
        self, store: Store, marks: Marks, clock: Callable[[], datetime], told: Noted = nobody
    ) -> None:
        self._store = store
        self._told = told
        self._marks = marks
        self._clock = clock
        self.together = 1
        """So many are committed together, unless the first has waited for PATIENCE."""
        self._timer: asyncio.TimerHandle | None = None
        self._waiting: list[tuple[Delivery, ReplycastError | None, asyncio.Future[None]]] = []

    def note(self, delivery: Delivery, error: ReplycastError | None) -> asyncio.Future[None]:
        """Note what came of a mail (None: it was sent); what it gives is done once that is committed.

        Its error is why that could not be committed; what came of the mail is remembered then.
        """
        loop = asyncio.get_running_loop()
        noted = loop.create_future()
        self._waiting.append((delivery, error, noted))
        if len(self._waiting) >= self.together:
            self.commit()
        elif self._timer is None:
            self._timer = loop.call_later(PATIENCE, self.commit)
        return noted

    def commit(self) -> None:
        """Commit what waits."""
        if self._timer is not None:
            self._timer.cancel()
        waiting, self._waiting, self._timer = self._waiting, [], None
        if not waiting:
            return
        sent = [delivery for delivery, error, _ in waiting if error is None]
        refused = [(delivery, error) for delivery, error, _ in waiting if error is not None]
        # each remembers what it could not write, so that neither is left out where the other fails
        faults = (self._fault_of(self._mark, sent), self._fault_of(self._record, refused))
        fault = next(filter(None, faults), None)
        for *_, noted in waiting:
            if noted.done():
                continue
            if fault is None:
                noted.set_result(None)
            else:
                noted.set_exception(fault)
                noted.exception()  # it is raised where it is waited for, and nobody may be

    @staticmethod
    def _fault_of(write: Callable[[list[T]], None], what: list[T]) -> Exception | None:
        try:
            if what:
                write(what)
        except Exception as fault:  # noqa: BLE001  whatever it is, it is raised where somebody waits for this
            return fault
        return None

    def _mark(self, sent: Sequence[Delivery]) -> None:
        now = self._clock()
        try:
            self._marks.mark(sent, now)
        except Exception:
            self._keep([(delivery, None) for delivery in sent], now)
            raise
        for delivery in sent:
            self._told(delivery, Outcome.SENT)

    def _record(self, refused: Sequence[tuple[Delivery, ReplycastError]]) -> None:
        now = self._clock()
        try:
            with self._store.transaction(durable=False, alone=False) as connection:
                outcomes = [record(connection, delivery, error, now) for delivery, error in refused]
        except Exception:
            self._keep(refused, now)
            raise
        for (delivery, _), outcome in zip(refused, outcomes, strict=True):
            self._told(delivery, outcome)

    def _keep(self, tried: Sequence[tuple[Delivery, ReplycastError | None]], now: datetime) -> None:
        attempts = [
            Attempt(
                delivery,
                partial(record, delivery=delivery, error=error, now=now),
                is_sent=error is None,
                noted=self._told,
            )
            for delivery, error in tried
        ]
        unrecorded_of(self._store).keep(attempts)
