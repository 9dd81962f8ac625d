"""How far an update has come with those who shall hear of it: counted as it goes, never by looking at them all."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, select, update

from service.model import UpdateStatus
from service.store.schema import updates

FEWEST_THAT_TELL: Final = 20
"""Sent ones that make a rate: of fewer, the one that is left may be tried again for days."""
LULL: Final = timedelta(seconds=10)
"""So long nothing may be sent while it goes on: what is sent together is counted together."""


@dataclass(frozen=True, slots=True)
class FanOutProgress:
    """Where an update's way to its subscribers stands."""

    recipients: int
    """How many were to hear of it when it began."""
    queued: int
    sent: int
    failed: int
    cancelled: int
    began_at: datetime | None
    last_sent_at: datetime | None
    queued_all_at: datetime | None
    removed_at: datetime | None = None
    """When it was forgotten who they were, for they had been kept long enough; the counts stay."""

    @property
    def waiting(self) -> int:
        """Deliveries that are still to be sent, or tried again."""
        return self.queued - self.sent - self.failed - self.cancelled

    @property
    def to_queue(self) -> int:
        """Subscribers for whom there is no delivery yet."""
        return 0 if self.queued_all_at else max(self.recipients - self.queued, 0)

    def rate(self, now: datetime) -> float:
        """Give the mails per second since it began, up to the last one where all are sent."""
        until = self.last_sent_at if self.last_sent_at and not (self.waiting or self.to_queue) else now
        seconds = (until - self.began_at).total_seconds() if self.began_at else 0.0
        return self.sent / seconds if seconds > 0 else 0.0

    def time_left(self, now: datetime) -> timedelta | None:
        """Give how long the rest takes at this rate; None: nothing tells, as when what waits is tried again later."""
        left, rate = self.waiting + self.to_queue, self.rate(now)
        if not left:
            return timedelta(0)
        if not rate or self.sent < FEWEST_THAT_TELL or self.last_sent_at is None:
            return None
        # one that goes slowly is as long between two of them
        usual = max(LULL, timedelta(seconds=3 / rate))
        return timedelta(seconds=left / rate) if now - self.last_sent_at <= usual else None


@dataclass(frozen=True, slots=True)
class LateUpdate:
    """One of the latest updates, what it is about, and how far it is."""

    update_id: int
    about: str
    """`INC-12`, or `maintenance 3`."""
    status: UpdateStatus
    progress: FanOutProgress


def latest(connection: Connection, *, limit: int) -> tuple[LateUpdate, ...]:
    """Tell of the latest updates, of anything, how far they are; the newest first."""
    rows = connection.execute(select(updates).order_by(updates.c.id.desc()).limit(limit))
    return tuple(
        LateUpdate(
            row.id,
            f"INC-{row.incident_id}" if row.incident_id else f"maintenance {row.maintenance_id}",
            UpdateStatus(row.status),
            _progress(row),
        )
        for row in rows
    )


def of_incident(connection: Connection, incident_id: int) -> dict[int, FanOutProgress]:
    """Tell of each update of an incident how far it is."""
    rows = connection.execute(select(updates).where(updates.c.incident_id == incident_id))
    return {row.id: _progress(row) for row in rows}


def of_update(connection: Connection, update_id: int) -> FanOutProgress | None:
    """Tell how far an update is; one row is read, however many subscribers there are."""
    row = connection.execute(select(updates).where(updates.c.id == update_id)).one_or_none()
    return None if row is None else _progress(row)


def _progress(row: Row[Any]) -> FanOutProgress:
    return FanOutProgress(
        recipients=row.recipients or 0,
        queued=row.queued,
        sent=row.sent,
        failed=row.failed,
        cancelled=row.cancelled,
        began_at=row.fan_out_began_at,
        last_sent_at=row.last_sent_at,
        queued_all_at=row.fanned_out_at,
        removed_at=row.deliveries_removed_at,
    )


def count(
    connection: Connection,
    update_id: int | None,
    *,
    queued: int = 0,
    sent: int = 0,
    failed: int = 0,
    cancelled: int = 0,
    at: datetime | None = None,
) -> None:
    """Count what became of deliveries of an update; `at` is when they were sent. Others are not counted."""
    if update_id is None:  # before anything is put together: so it is with each answer to an employee
        return
    changes = {"queued": queued, "sent": sent, "failed": failed, "cancelled": cancelled}
    values = {name: updates.c[name] + change for name, change in changes.items() if change}
    moment = {"last_sent_at": at} if at else {}
    if not (values or moment):
        return
    connection.execute(update(updates).where(updates.c.id == update_id).values(**values, **moment))
