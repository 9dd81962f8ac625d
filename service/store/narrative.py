"""What is written about incidents: timeline rows, updates, and the alerts as they came."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select
from sqlalchemy import update as update_rows

from service.model import Alert, AlertState, Phase, TimelineEntry, Update, UpdateStatus
from service.store import tidings
from service.store.schema import alerts, inbox, timeline, updates
from service.store.statements import Statement
from service.store.together import write


@dataclass(frozen=True, slots=True)
class ReceivedAlert:
    """An alert as it was worked off: what it said, what came of it, and the body it came in."""

    inbox_id: int | None
    monitor_name: str
    state: AlertState
    raw_state: str
    entity_id: str | None
    message: str
    received_at: datetime
    reason: str
    raw: bytes = b""


@dataclass(frozen=True, slots=True)
class FanOut:
    """An update whose deliveries are not all queued yet; `cursor` is the last subscriber looked at."""

    update: Update
    cursor: int


_ADD_STEP = Statement(insert(timeline))
_ADD_UPDATE = Statement(insert(updates))


def add_timeline(connection: Connection, incident_id: int, entry: TimelineEntry) -> None:
    """Append one step."""
    tidings.mark(connection)
    write(
        connection,
        _ADD_STEP,
        timeline.name,
        incident_id=incident_id,
        at=entry.at,
        from_phase=entry.from_phase,
        to_phase=entry.to_phase,
        reason=entry.reason,
        by=entry.by,
        note=entry.note,
    )


def timeline_of(connection: Connection, incident_id: int) -> tuple[TimelineEntry, ...]:
    """Read an incident's steps, oldest first."""
    query = select(timeline).where(timeline.c.incident_id == incident_id).order_by(timeline.c.id)
    return tuple(
        TimelineEntry(
            at=row.at,
            from_phase=Phase(row.from_phase) if row.from_phase else None,
            to_phase=Phase(row.to_phase),
            reason=row.reason,
            by=row.by,
            note=row.note,
        )
        for row in connection.execute(query)
    )


def add_update(
    connection: Connection,
    *,
    incident_id: int | None = None,
    maintenance_id: int | None = None,
    corrects_id: int | None = None,
    status: UpdateStatus,
    body: str,
    now: datetime,
    by: str,
    is_sent: bool = True,
) -> None:
    """Write an update of an incident or of a maintenance; its deliveries follow in chunks, where it is sent."""
    tidings.mark_to_send(connection, tidings.ToSend.UPDATES)
    _ADD_UPDATE.run(
        connection,
        incident_id=incident_id,
        maintenance_id=maintenance_id,
        corrects_id=corrects_id,
        status=status,
        body=body,
        posted_at=now,
        posted_by=by,
        fan_out_cursor=0,
        fanned_out_at=None if is_sent else now,
    )


def updates_of(connection: Connection, incident_ids: Sequence[int]) -> dict[int, tuple[Update, ...]]:
    """Read the updates of some incidents, each oldest first."""
    found: dict[int, list[Update]] = {incident_id: [] for incident_id in incident_ids}
    query = select(updates).where(updates.c.incident_id.in_(incident_ids)).order_by(updates.c.id)
    for row in connection.execute(query):
        found[row.incident_id].append(_update(row))
    return {incident_id: tuple(theirs) for incident_id, theirs in found.items()}


def updates_of_maintenances(
    connection: Connection, maintenance_ids: Sequence[int]
) -> dict[int, tuple[Update, ...]]:
    """Read the updates of some maintenances, each oldest first."""
    found: dict[int, list[Update]] = {maintenance_id: [] for maintenance_id in maintenance_ids}
    query = select(updates).where(updates.c.maintenance_id.in_(maintenance_ids)).order_by(updates.c.id)
    for row in connection.execute(query):
        found[row.maintenance_id].append(_update(row))
    return {maintenance_id: tuple(theirs) for maintenance_id, theirs in found.items()}


def get_update(connection: Connection, update_id: int) -> Update | None:
    """Read one update."""
    row = connection.execute(select(updates).where(updates.c.id == update_id)).one_or_none()
    return None if row is None else _update(row)


def first_update_id(
    connection: Connection, incident_id: int | None, maintenance_id: int | None = None
) -> int | None:
    """Find the update by which an incident was opened to the public, or a maintenance announced."""
    about = (
        updates.c.incident_id == incident_id
        if maintenance_id is None
        else updates.c.maintenance_id == maintenance_id
    )
    query = select(updates.c.id).where(about).order_by(updates.c.id).limit(1)
    return connection.execute(query).scalar_one_or_none()


# asked at every tick, and so put together once
_NEXT_FAN_OUT = select(updates).where(updates.c.fanned_out_at.is_(None)).order_by(updates.c.id).limit(1)


def next_fan_out(connection: Connection) -> FanOut | None:
    """Find the oldest update that not everybody has a delivery of."""
    row = connection.execute(_NEXT_FAN_OUT).one_or_none()
    return None if row is None else FanOut(_update(row), row.fan_out_cursor)


def advance_fan_out(
    connection: Connection, update_id: int, *, cursor: int, finished_at: datetime | None
) -> None:
    """Remember how far the deliveries of an update are queued."""
    connection.execute(
        update_rows(updates)
        .where(updates.c.id == update_id)
        .values(fan_out_cursor=cursor, fanned_out_at=finished_at)
    )


_ADD_ALERT = Statement(insert(alerts))


def add_alert(
    connection: Connection,
    alert: Alert,
    *,
    inbox_id: int | None,
    incident_id: int | None,
    reason: str,
    now: datetime,
) -> None:
    """Note an alert and what came of it."""
    write(
        connection,
        _ADD_ALERT,
        alerts.name,
        inbox_id=inbox_id,
        incident_id=incident_id,
        monitor_name=alert.monitor_name,
        state=alert.state,
        raw_state=alert.raw_state[:64],
        entity_id=alert.entity_id,
        message=alert.message,
        received_at=now,
        reason=reason,
    )


def alerts_of(connection: Connection, incident_id: int, *, limit: int) -> tuple[ReceivedAlert, ...]:
    """Read the alerts of an incident with their raw bodies, oldest first."""
    query = (
        select(alerts, inbox.c.raw)
        .outerjoin(inbox, inbox.c.id == alerts.c.inbox_id)
        .where(alerts.c.incident_id == incident_id)
        .order_by(alerts.c.id)
        .limit(limit)
    )
    return tuple(_received(row, row.raw or b"") for row in connection.execute(query))


def last_alert_of(connection: Connection, incident_id: int) -> ReceivedAlert | None:
    """Read the alert that concerned an incident last, without its raw body."""
    query = select(alerts).where(alerts.c.incident_id == incident_id).order_by(alerts.c.id.desc()).limit(1)
    row = connection.execute(query).one_or_none()
    return None if row is None else _received(row)


def names_of_alerts(connection: Connection, incident_id: int) -> tuple[tuple[str | None, str], ...]:
    """Give the entity ids, None where there is none, and names of what joined an incident, the last that came last."""
    query = (
        select(alerts.c.entity_id, alerts.c.monitor_name, func.max(alerts.c.id).label("last"))
        .where(alerts.c.incident_id == incident_id)
        .group_by(alerts.c.entity_id, alerts.c.monitor_name)
    )
    rows = sorted(connection.execute(query), key=lambda row: row.last)
    return tuple((row.entity_id, row.monitor_name) for row in rows)


def _received(row: Row[Any], raw: bytes = b"") -> ReceivedAlert:
    return ReceivedAlert(
        inbox_id=row.inbox_id,
        monitor_name=row.monitor_name,
        state=AlertState(row.state),
        raw_state=row.raw_state,
        entity_id=row.entity_id,
        message=row.message,
        received_at=row.received_at,
        reason=row.reason,
        raw=raw,
    )


def _update(row: Row[Any]) -> Update:
    return Update(
        id=row.id,
        incident_id=row.incident_id,
        status=UpdateStatus(row.status),
        body=row.body,
        posted_at=row.posted_at,
        posted_by=row.posted_by,
        maintenance_id=row.maintenance_id,
        corrects_id=row.corrects_id,
    )


def incident_ids_of_arrival(connection: Connection, inbox_id: int) -> tuple[int, ...]:
    """Find the incidents that the alerts of one post concerned."""
    wanted = alerts.c.inbox_id == inbox_id, alerts.c.incident_id.is_not(None)
    query = select(alerts.c.incident_id).where(*wanted).distinct().order_by(alerts.c.incident_id)
    return tuple(connection.execute(query).scalars())
