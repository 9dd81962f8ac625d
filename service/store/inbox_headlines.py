"""What lists show of arrivals: all but their bodies, which are long."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, case, func

from service.store.inbox_rows import REMOVED_AT, SENDER, SIZE, Door, InboxState
from service.store.schema import inbox


@dataclass(frozen=True, slots=True)
class Headline:
    """What a list shows of an arrival: all but its body."""

    id: int
    door: Door
    provider: str
    received_at: datetime
    size: int
    """Bytes."""
    state: InboxState
    attempts: int
    reason: str
    explanation: str
    authentic: str | None
    """As an InboxRow has it, and the evidence too."""
    evidence: str
    sender: str
    """What the From of a mail said, as long as its body is kept."""


def headline_columns() -> tuple[ColumnElement[Any], ...]:
    """Give what `headline_of` reads a headline from."""
    shown = (inbox.c.id, inbox.c.door, inbox.c.provider, inbox.c.received_at, inbox.c.state)
    told = (inbox.c.attempts, inbox.c.reason, inbox.c.explanation, inbox.c.authentic, inbox.c.evidence)
    size = func.coalesce(func.nullif(func.length(inbox.c.raw), 0), inbox.c.about[SIZE].as_integer(), 0)
    return (*shown, *told, size.label("size"), sender().label("sender"))


def sender() -> ColumnElement[str]:
    """Give what the From of a mail said; empty where its body was removed, whatever an earlier version left there."""
    kept = case((inbox.c.about[REMOVED_AT].as_string().is_(None), inbox.c.about[SENDER].as_string()))
    return func.coalesce(kept, "")


def headline_of(row: Row[Any]) -> Headline:
    """Make a headline of a row of `headline_columns`."""
    return Headline(
        id=row.id,
        door=Door(row.door),
        provider=row.provider,
        received_at=row.received_at,
        size=row.size,
        state=InboxState(row.state),
        attempts=row.attempts,
        reason=row.reason,
        explanation=row.explanation,
        authentic=row.authentic,
        evidence=row.evidence,
        sender=row.sender,
    )
