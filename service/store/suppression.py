"""The alerts that came since a maintenance began: what was kept from having an effect, and what recovered."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import BigInteger, Connection, Integer, bindparam, select

from service.model import AlertState
from service.store.schema import alerts, inbox
from service.store.statements import Statement

SUPPRESSED: Final = "suppressed_by_maintenance"
"""Why a firing alert had no effect; it may have one at the end of the maintenance."""
_PAGE = 5_000


@dataclass(frozen=True, slots=True)
class NotedAlert:
    """An alert as it was noted when it was worked off, without its message."""

    id: int
    inbox_id: int | None
    provider: str
    """Empty where the post that it came in is no longer kept."""
    monitor_name: str
    state: AlertState
    raw_state: str
    entity_id: str | None
    reason: str


_BACKWARDS = Statement(
    select(
        alerts.c.id,
        alerts.c.inbox_id,
        inbox.c.provider,
        alerts.c.monitor_name,
        alerts.c.state,
        alerts.c.raw_state,
        alerts.c.entity_id,
        alerts.c.reason,
        alerts.c.received_at,
    )
    .outerjoin(inbox, inbox.c.id == alerts.c.inbox_id)
    .where(
        alerts.c.id > bindparam("after_id", 0, type_=BigInteger),
        alerts.c.id < bindparam("before_id", 0, type_=BigInteger),
    )
    .order_by(alerts.c.id.desc())
    .limit(bindparam("most", 0, type_=Integer))
)
_ANY_ID = 2**63 - 1
_STATES = {state.value: state for state in AlertState}


def alerts_since(connection: Connection, since: datetime, *, after_id: int = 0) -> tuple[NotedAlert, ...]:
    """Read every alert received since a time and noted behind another, oldest first.

    From the newest backwards, so that the history before is not read, however long it is.
    """
    found: list[NotedAlert] = []
    before_id = _ANY_ID
    while True:
        page = _BACKWARDS.rows(connection, after_id=after_id, before_id=before_id, most=_PAGE)
        later = [_noted(row) for row in page if row.received_at >= since]
        found.extend(later)
        if len(later) < _PAGE:
            return tuple(reversed(found))
        before_id = page[-1].id


def message_of(connection: Connection, alert_id: int) -> str:
    """Read what an alert said; "" where it is no longer kept."""
    found = connection.execute(select(alerts.c.message).where(alerts.c.id == alert_id))
    return found.scalar_one_or_none() or ""


def _noted(row: Any) -> NotedAlert:  # noqa: ANN401  a row of chosen columns
    return NotedAlert(
        id=row.id,
        inbox_id=row.inbox_id,
        provider=row.provider or "",
        monitor_name=row.monitor_name,
        state=_STATES[row.state],
        raw_state=row.raw_state,
        entity_id=row.entity_id,
        reason=row.reason,
    )
