"""The alerts that came since a maintenance began: what was kept from having an effect, and what recovered."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from service.model import AlertState
from service.store.schema import alerts, inbox

_PAGE = 500


@dataclass(frozen=True, slots=True)
class NotedAlert:
    """An alert as it was noted when it was worked off."""

    id: int
    inbox_id: int | None
    provider: str
    """Empty where the post that it came in is no longer kept."""
    monitor_name: str
    state: AlertState
    raw_state: str
    entity_id: str | None
    message: str
    reason: str


def alerts_since(connection: Connection, since: datetime) -> tuple[NotedAlert, ...]:
    """Read every alert received since a time, oldest first.

    From the newest backwards, so that the history before is not read, however long it is.
    """
    found: list[NotedAlert] = []
    query = select(alerts, inbox.c.provider).outerjoin(inbox, inbox.c.id == alerts.c.inbox_id)
    query = query.order_by(alerts.c.id.desc()).limit(_PAGE)
    page = connection.execute(query).all()
    while page:
        later = [row for row in page if row.received_at >= since]
        found.extend(map(_noted, later))
        if len(later) < _PAGE:
            break
        page = connection.execute(query.where(alerts.c.id < page[-1].id)).all()
    return tuple(reversed(found))


def _noted(row: Row[Any]) -> NotedAlert:
    return NotedAlert(
        id=row.id,
        inbox_id=row.inbox_id,
        provider=row.provider or "",
        monitor_name=row.monitor_name,
        state=AlertState(row.state),
        raw_state=row.raw_state,
        entity_id=row.entity_id,
        message=row.message,
        reason=row.reason,
    )
