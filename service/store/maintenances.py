"""Rows of maintenances: planned work, what is on now, and what is next due."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, insert, select, update

from service.errors import IncidentChangedMeanwhile
from service.model import Maintenance, MaintenancePhase
from service.store.schema import maintenances
from service.store.statements import Statement


def add(connection: Connection, maintenance: Maintenance) -> Maintenance:
    """Write a new one; its id is given by the database."""
    row = connection.execute(insert(maintenances).values(_columns(maintenance)).returning(maintenances)).one()
    return _maintenance(row)


def save(connection: Connection, before: Maintenance, after: Maintenance) -> None:
    """Write what changed; raises IncidentChangedMeanwhile where somebody else changed it since it was read."""
    unchanged = maintenances.c.id == after.id, maintenances.c.version == before.version
    written = connection.execute(update(maintenances).where(*unchanged).values(_columns(after)))
    if written.rowcount != 1:
        raise IncidentChangedMeanwhile(f"maintenance {after.id} was changed by somebody else; decide again")


def get(connection: Connection, maintenance_id: int) -> Maintenance | None:
    """Read one."""
    row = connection.execute(select(maintenances).where(maintenances.c.id == maintenance_id)).one_or_none()
    return None if row is None else _maintenance(row)


# asked at every tick, and so put together once
_DUE = Statement(
    select(maintenances.c.id)
    .where(maintenances.c.due_at <= bindparam("now", type_=maintenances.c.due_at.type))
    .order_by(maintenances.c.due_at)
    .limit(bindparam("most"))
)


def due_ids(connection: Connection, now: datetime, *, limit: int) -> tuple[int, ...]:
    """Find those whose timer has come, the longest overdue first."""
    return tuple(row.id for row in _DUE.rows(connection, now=now, most=limit))


def on_now(connection: Connection) -> tuple[Maintenance, ...]:
    """Read those that are on, the first to start first."""
    return _many(connection, _with_timer().where(maintenances.c.phase == MaintenancePhase.ON))


def not_over(connection: Connection) -> tuple[Maintenance, ...]:
    """Read those that are on or planned, the first to start first."""
    return tuple(map(_maintenance, _NOT_OVER.rows(connection)))


def first_began_at(connection: Connection) -> datetime | None:
    """Tell since when alerts may wait for the end of a maintenance: the first that is not over began then."""
    return min((one.began_at for one in not_over(connection)), default=None)


def from_config(connection: Connection) -> tuple[Maintenance, ...]:
    """Read those that windows of config.yaml became, whatever came of them, the first planned first."""
    wanted = maintenances.c.config_key.is_not(None)
    return _many(connection, select(maintenances).where(wanted).order_by(maintenances.c.id))


def ahead(connection: Connection) -> tuple[Maintenance, ...]:
    """Read those that are planned and have not started, the next one first."""
    return _many(connection, _with_timer().where(maintenances.c.phase == MaintenancePhase.PLANNED))


def listed(connection: Connection, *, limit: int, before_id: int | None = None) -> tuple[Maintenance, ...]:
    """Read all of them, the last planned first."""
    query = select(maintenances).order_by(maintenances.c.id.desc()).limit(limit)
    return _many(connection, query if before_id is None else query.where(maintenances.c.id < before_id))


def between(connection: Connection, start: datetime, end: datetime, *, limit: int) -> tuple[Maintenance, ...]:
    """Read those that end from a time on and start before another, the first to start first."""
    query = select(maintenances).where(maintenances.c.ends_at >= start, maintenances.c.starts_at < end)
    return _many(connection, query.order_by(maintenances.c.starts_at, maintenances.c.id).limit(limit))


def _with_timer() -> Select[Any]:
    # whatever is not over has a timer, and of those there are few: the index on it finds them
    return select(maintenances).where(maintenances.c.due_at.is_not(None)).order_by(maintenances.c.starts_at)


def _many(connection: Connection, query: Select[Any]) -> tuple[Maintenance, ...]:
    return tuple(map(_maintenance, connection.execute(query)))


_NOT_OVER = Statement(_with_timer())
"""Asked for each alert that fires."""


def _columns(one: Maintenance) -> dict[str, object]:
    return {
        "config_key": one.config_key,
        "phase": one.phase,
        "due_at": one.due_at,
        "version": one.version,
        "subject": one.subject,
        "message": one.message,
        "closing_comment": one.closing_comment,
        "components": list(one.components),
        "audience": list(one.audience),
        "starts_at": one.starts_at,
        "ends_at": one.ends_at,
        "remind_at": one.remind_at,
        "planned_at": one.planned_at,
        "planned_by": one.planned_by,
        "started_at": one.started_at,
        "ended_at": one.ended_at,
    }


def _maintenance(row: Row[Any]) -> Maintenance:
    return Maintenance(
        id=row.id,
        phase=MaintenancePhase(row.phase),
        due_at=row.due_at,
        version=row.version,
        subject=row.subject,
        message=row.message,
        components=tuple(row.components),
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        planned_at=row.planned_at,
        planned_by=row.planned_by,
        closing_comment=row.closing_comment,
        audience=tuple(row.audience),
        remind_at=row.remind_at,
        started_at=row.started_at,
        ended_at=row.ended_at,
        config_key=row.config_key,
    )
