"""What monitors did: how often, what came of it, which names were received. It reads by index and never writes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Integer, Row, bindparam, case, exists, func, select

from service.model import AlertState, Phase
from service.store.schema import alerts, inbox, incidents, joined_alerts

NEWEST: Final = 5_000
"""Alerts among which those with some reason are counted: no index has them by that."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How many incidents of a monitor began, how many of these recovered, and how many were published."""

    fired: int = 0
    resolved: int = 0
    published: int = 0


@dataclass(frozen=True, slots=True)
class PastIncident:
    """What there is to learn from an incident."""

    id: int
    phase: Phase
    started_at: datetime
    notified_at: datetime | None
    published_at: datetime | None
    published_by: str | None
    ended_at: datetime | None
    ended_by: str | None
    recovered_at: datetime | None
    """When the last of its alerts recovered; None while one fires."""
    has_recovery: bool
    """Whether any of its alerts recovered."""


@dataclass(frozen=True, slots=True)
class NotedAlert:
    """An alert and what came of it."""

    inbox_id: int | None
    incident_id: int | None
    provider: str
    """Empty where the post that it came in is not kept."""
    monitor_name: str
    state: AlertState
    raw_state: str
    entity_id: str | None
    received_at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class CountedState:
    """How often a state came to something under a monitor's name."""

    provider: str
    monitor_name: str
    raw_state: str
    times: int


_still_fires = exists().where(
    joined_alerts.c.incident_id == incidents.c.id, joined_alerts.c.recovered_at.is_(None)
)
_COUNTS = (
    select(
        incidents.c.monitor_key,
        func.count().label("fired"),
        func.sum(case((_still_fires, 0), else_=1)).label("resolved"),
        func.count(incidents.c.published_at).label("published"),
    )
    .where(
        incidents.c.monitor_key.in_(bindparam("monitor_keys", expanding=True)),
        incidents.c.started_at >= bindparam("since"),
    )
    .group_by(incidents.c.monitor_key)
)


def counts_since(
    connection: Connection, monitor_keys: Sequence[str], since: datetime
) -> Mapping[str, Counts]:
    """Count by monitor the incidents that began since a time; a monitor that has none is left out."""
    rows = connection.execute(_COUNTS, {"monitor_keys": list(monitor_keys), "since": since})
    return {row.monitor_key: Counts(row.fired, int(row.resolved), row.published) for row in rows}


_LAST = (
    select(
        incidents.c.id,
        incidents.c.phase,
        incidents.c.started_at,
        incidents.c.notified_at,
        incidents.c.published_at,
        incidents.c.published_by,
        incidents.c.ended_at,
        incidents.c.ended_by,
    )
    .where(incidents.c.monitor_key == bindparam("monitor_key"))
    .order_by(incidents.c.started_at.desc(), incidents.c.id.desc())
    .limit(bindparam("most", type_=Integer))
)
_RECOVERIES = (
    select(
        joined_alerts.c.incident_id,
        func.count().label("alerts"),
        func.count(joined_alerts.c.recovered_at).label("recovered"),
        func.max(joined_alerts.c.recovered_at).label("last_at"),
    )
    .where(joined_alerts.c.incident_id.in_(bindparam("incident_ids", expanding=True)))
    .group_by(joined_alerts.c.incident_id)
)


def last_incidents(connection: Connection, monitor_key: str, *, limit: int) -> tuple[PastIncident, ...]:
    """Read the incidents of a monitor that began last, newest first."""
    rows = connection.execute(_LAST, {"monitor_key": monitor_key, "most": limit}).all()
    found = connection.execute(_RECOVERIES, {"incident_ids": [row.id for row in rows]})
    recoveries = {row.incident_id: row for row in found}
    return tuple(_past(row, recoveries.get(row.id)) for row in rows)


def _past(row: Any, recovery: Any | None) -> PastIncident:  # noqa: ANN401  rows of chosen columns
    is_over = recovery is not None and recovery.recovered == recovery.alerts
    return PastIncident(
        id=row.id,
        phase=Phase(row.phase),
        started_at=row.started_at,
        notified_at=row.notified_at,
        published_at=row.published_at,
        published_by=row.published_by,
        ended_at=row.ended_at,
        ended_by=row.ended_by,
        recovered_at=recovery.last_at if recovery is not None and is_over else None,
        has_recovery=recovery is not None and recovery.recovered > 0,
    )


_with_provider = select(alerts, inbox.c.provider).outerjoin(inbox, inbox.c.id == alerts.c.inbox_id)


def last_of_each_name(connection: Connection, *, limit: int) -> tuple[NotedAlert, ...]:
    """Read for each name that was ever received its last alert; of so many names, in their order.

    It goes from name to name by the index, and never through all alerts.
    """
    names = select(func.min(alerts.c.monitor_name).label("name")).cte("names", recursive=True)
    later = select(func.min(alerts.c.monitor_name)).where(alerts.c.monitor_name > names.c.name)
    names = names.union_all(select(later.scalar_subquery()).where(names.c.name.is_not(None)))
    last_id = select(func.max(alerts.c.id)).where(alerts.c.monitor_name == names.c.name).scalar_subquery()
    last_ids = (
        connection.execute(select(last_id).where(names.c.name.is_not(None)).limit(limit)).scalars().all()
    )
    rows = connection.execute(_with_provider.where(alerts.c.id.in_(last_ids)))
    return tuple(sorted(map(_noted, rows), key=lambda alert: alert.monitor_name))


_LAST_ALERTS = (
    _with_provider.where(alerts.c.monitor_name == bindparam("monitor_name"))
    .order_by(alerts.c.id.desc())
    .limit(bindparam("most", type_=Integer))
)


def last_alerts(
    connection: Connection, monitor_names: Sequence[str], *, limit: int
) -> tuple[NotedAlert, ...]:
    """Read the alerts of some names that were received last, newest first."""
    found = [
        (row.id, _noted(row))
        for name in monitor_names
        for row in connection.execute(_LAST_ALERTS, {"monitor_name": name, "most": limit})
    ]
    return tuple(alert for _, alert in sorted(found, key=lambda one: -one[0])[:limit])


def states_with_reason(
    connection: Connection, reason: str, since: datetime, *, limit: int
) -> tuple[CountedState, ...]:
    """Count by name and state the alerts with some reason since a time, among the newest; the most frequent first."""
    times = func.count().label("times")
    of = (inbox.c.provider, alerts.c.monitor_name, alerts.c.raw_state)
    newest = select(func.max(alerts.c.id)).scalar_subquery()
    query = (
        select(*of, times)
        .outerjoin(inbox, inbox.c.id == alerts.c.inbox_id)
        .where(alerts.c.id > newest - NEWEST, alerts.c.reason == reason, alerts.c.received_at >= since)
        .group_by(*of)
    )
    rows = sorted(connection.execute(query), key=lambda row: (-row.times, row.monitor_name, row.raw_state))
    return tuple(
        CountedState(row.provider or "", row.monitor_name, row.raw_state, row.times) for row in rows[:limit]
    )


def _noted(row: Row[Any]) -> NotedAlert:
    return NotedAlert(
        inbox_id=row.inbox_id,
        incident_id=row.incident_id,
        provider=row.provider or "",
        monitor_name=row.monitor_name,
        state=AlertState(row.state),
        raw_state=row.raw_state,
        entity_id=row.entity_id,
        received_at=row.received_at,
        reason=row.reason,
    )
