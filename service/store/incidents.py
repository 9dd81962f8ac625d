"""Rows of incidents and of the alerts that they remember."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from operator import attrgetter
from typing import Any

from sqlalchemy import (
    Connection,
    Row,
    Select,
    bindparam,
    insert,
    select,
    union_all,
    update,
)

from service.model import ComponentState, Incident, JoinedAlert, Phase
from service.store import incident_numbers
from service.store.schema import incidents, is_ended, is_going_on_in_public, is_open, joined_alerts
from service.store.statements import Statement
from service.store.together import MOST_OPEN, Together, found, write

MOST_FORMS = 100
"""Of the statement that saves an incident: it is another one for each set of columns."""
PUBLIC_PHASES = [phase.value for phase in Phase if phase.is_public]


_RESERVE = Statement(
    lambda dialect: (
        insert(incidents) if dialect.name == "sqlite" else insert(incidents).returning(incidents.c.id)
    )
)
_RESERVE_AS = Statement(insert(incidents))


def reserve_id(connection: Connection, monitor_key: str, now: datetime) -> int:
    """Take the next incident number, so that texts can name it; `save` must follow in this transaction.

    The transaction must be alone: where several decisions are made together the numbers are counted here.
    """
    empty: dict[str, Any] = {
        "monitor_key": monitor_key,
        "phase": Phase.WAITING,
        "version": 0,
        "subject": "",
        "message": "",
        "type": "",
        "components": {},
        "started_at": now,
        "authored_by": "",
        "notify_employees": [],
    }
    shared = found(connection)
    if shared is None:
        return _RESERVE.insert_one(connection, **empty)
    number = shared.last_number = (shared.last_number or incident_numbers.last(connection)) + 1
    shared.finish = lambda at_end: incident_numbers.go_on_after(at_end, number)
    shared.root = incidents.name
    write(connection, _RESERVE_AS, incidents.name, row=number, id=number, **empty)
    return number


_SAVED = update(incidents).where(
    incidents.c.id == bindparam("saved_id"), incidents.c.version == bindparam("expected_version")
)


@lru_cache(maxsize=MOST_FORMS)
def _saving(_names: frozenset[str]) -> Statement:
    """Give the statement that writes these columns: each names its own, and no index of another is written to."""
    return Statement(_SAVED)


def save(connection: Connection, before: Incident | None, after: Incident) -> None:
    """Write what changed, provided that nobody else changed it since it was read.

    Raises IncidentChangedMeanwhile where somebody did.
    """
    expected = before.version if before else 0
    new = _columns(after, _NAMES if before is None else _changed(before, after))
    given = {"saved_id": after.id, "expected_version": expected, **new}
    changed = f"{after.tag} was changed by somebody else; decide again"
    saving, table = _saving(frozenset(new)), incidents.name
    write(connection, saving, table, row=after.id, unless=changed, first="expected_version", **given)
    _save_alerts(connection, after, before.alerts if before else ())
    if (shared := found(connection)) is not None:
        _keep(shared, after)


def _changed(before: Incident, after: Incident) -> list[str]:
    pairs = zip(_NAMES, _values(before), _values(after), strict=True)
    return [name for name, old, new in pairs if old is not new and old != new]


def _save_alerts(connection: Connection, after: Incident, before: tuple[JoinedAlert, ...]) -> None:
    # there may be thousands, of which a decision changes one
    same = set(map(id, before))
    changed = [alert for alert in after.alerts if id(alert) not in same]
    known = {alert.entity_id: alert for alert in before} if changed else {}
    shared = found(connection)
    for alert in changed:
        if shared is not None:
            shared.touched.setdefault(alert.entity_id, set()).add(after.id)
        old = known.get(alert.entity_id)
        if old != alert:
            _save_alert(connection, after.id, alert, is_new=old is None)


def _keep(shared: Together, incident: Incident) -> None:
    shared.saved[incident.id] = incident
    shared.alerts[incident.id, incident.version] = incident.alerts
    of_monitor = shared.open.get(incident.monitor_key)
    if of_monitor is not None and incident.phase.is_open:
        of_monitor[incident.id] = incident  # a new one is the newest
        if len(of_monitor) > MOST_OPEN:
            shared.open[incident.monitor_key] = None
    elif of_monitor is not None:
        of_monitor.pop(incident.id, None)


_ADD_ALERT = Statement(insert(joined_alerts))
_SAVE_ALERT = Statement(
    update(joined_alerts).where(
        joined_alerts.c.incident_id == bindparam("of_incident"),
        joined_alerts.c.entity_id.is_not_distinct_from(bindparam("same_entity")),
    )
)


def _save_alert(connection: Connection, incident_id: int, alert: JoinedAlert, *, is_new: bool) -> None:
    values = {
        "fired_at": alert.fired_at,
        "recovered_at": alert.recovered_at,
        "times_fired": alert.times_fired,
        "name": alert.name,
    }
    row = incident_id, alert.entity_id
    if is_new:
        given: dict[str, Any] = {"incident_id": incident_id, "entity_id": alert.entity_id, **values}
        write(connection, _ADD_ALERT, joined_alerts.name, row=row, **given)
    else:
        given = {"of_incident": incident_id, "same_entity": alert.entity_id, **values}
        write(connection, _SAVE_ALERT, joined_alerts.name, row=row, first="same_entity", **given)


_GET = Statement(select(incidents).where(incidents.c.id == bindparam("incident_id")))
_ALERTS_OF = Statement(
    select(joined_alerts)
    .where(joined_alerts.c.incident_id == bindparam("incident_id"))
    .order_by(joined_alerts.c.id)
)


def get(connection: Connection, incident_id: int) -> Incident | None:
    """Read one incident, whatever its phase."""
    rows = _GET.rows(connection, incident_id=incident_id)
    if not rows:
        return None
    return whole(connection, rows[0])


def whole(connection: Connection, row: Row[Any]) -> Incident:
    """Make an incident of its row, with what it remembers of its alerts."""
    shared = found(connection)
    if shared is None:
        return _incident(row, _alerts_of(connection, row.id))
    version = row.id, row.version
    if version not in shared.alerts:
        shared.alerts[version] = _alerts_of(connection, row.id)
    return _incident(row, shared.alerts[version])


def _alerts_of(connection: Connection, incident_id: int) -> tuple[JoinedAlert, ...]:
    return tuple([_alert(one) for one in _ALERTS_OF.rows(connection, incident_id=incident_id)])


def get_public(connection: Connection, incident_id: int) -> Incident | None:
    """Read one incident if the public may see it."""
    wanted = incidents.c.id == incident_id, incidents.c.phase.in_(PUBLIC_PHASES)
    return next(iter(_many(connection, select(incidents).where(*wanted))), None)


_DUE = Statement(
    select(incidents.c.id)
    .where(incidents.c.due_at <= bindparam("now", type_=incidents.c.due_at.type))
    .order_by(incidents.c.due_at)
    .limit(bindparam("most"))
)


def due_ids(connection: Connection, now: datetime, *, limit: int) -> tuple[int, ...]:
    """Find the incidents whose timer has come, the longest overdue first."""
    return tuple(row.id for row in _DUE.rows(connection, now=now, most=limit))


def current_public(connection: Connection) -> tuple[Incident, ...]:
    """Read the incidents that the status page shows as going on, newest first."""
    query = select(incidents).where(is_going_on_in_public)
    return _many(connection, query.order_by(incidents.c.published_at.desc()))


def recent_public(
    connection: Connection, *, limit: int, before: datetime | None = None
) -> tuple[Incident, ...]:
    """Read published incidents, the latest published first, for history and feed."""
    query = select(incidents).where(
        incidents.c.published_at.is_not(None), incidents.c.phase.in_(PUBLIC_PHASES)
    )
    if before is not None:
        query = query.where(incidents.c.published_at < before)
    return _many(connection, query.order_by(incidents.c.published_at.desc()).limit(limit))


def listed(
    connection: Connection,
    *,
    phases: Sequence[Phase] | None = None,
    before_id: int | None = None,
    limit: int,
) -> tuple[Incident, ...]:
    """Read incidents of all or some phases for the dashboard, newest first."""
    query = select(incidents)
    if phases is not None:
        # of each phase by itself, so that its index gives the newest ones: of all together every row was looked at
        newest = [_newest_ids(before_id, limit, phase).subquery() for phase in phases]
        query = query.where(incidents.c.id.in_(union_all(*(select(one.c.id) for one in newest))))
    elif before_id is not None:
        query = query.where(incidents.c.id < before_id)
    return _many(connection, query.order_by(incidents.c.id.desc()).limit(limit))


def that_fire(connection: Connection, entity_ids: Collection[str]) -> tuple[Incident, ...]:
    """Read the open incidents, of all monitors and in any order, in which an alert of one of these entity ids fires."""
    ids = connection.execute(_FIRING_IN, {"entity_ids": list(entity_ids)}).scalars().all()
    return with_ids(connection, ids)


_FIRING_IN = select(incidents.c.id).where(
    incidents.c.id.in_(
        select(joined_alerts.c.incident_id).where(
            joined_alerts.c.entity_id.in_(bindparam("entity_ids", expanding=True)),
            # in what was closed or discarded by hand they fire for ever
            joined_alerts.c.recovered_at.is_(None),
        )
    ),
    # not by its index: very many may be open, and few hold these alerts
    incidents.c.phase.concat("").in_([phase.value for phase in Phase if phase.is_open]),
)


def with_ids(connection: Connection, ids: Sequence[int]) -> tuple[Incident, ...]:
    """Read the incidents of some numbers, newest first."""
    query = select(incidents).where(incidents.c.id.in_(ids))
    return _many(connection, query.order_by(incidents.c.id.desc())) if ids else ()


def _newest_ids(before_id: int | None, limit: int, phase: Phase) -> Select[tuple[int]]:
    kind = is_open if phase.is_open else is_ended
    query = select(incidents.c.id).where(kind, incidents.c.phase == phase)
    if before_id is not None:
        query = query.where(incidents.c.id < before_id)
    return query.order_by(incidents.c.id.desc()).limit(limit)


_ALERTS = (
    select(joined_alerts)
    .where(joined_alerts.c.incident_id.in_(bindparam("incident_ids", expanding=True)))
    .order_by(joined_alerts.c.id)
)


def _many(connection: Connection, query: Select[Any], **values: object) -> tuple[Incident, ...]:
    rows = connection.execute(query, values).all()
    alerts: dict[int, list[JoinedAlert]] = {row.id: [] for row in rows}
    if rows:
        for row in connection.execute(_ALERTS, {"incident_ids": list(alerts)}):
            alerts[row.incident_id].append(_alert(row))
    return tuple(_incident(row, alerts[row.id]) for row in rows)


def _alert(row: Row[Any]) -> JoinedAlert:
    return JoinedAlert(row.entity_id, row.fired_at, row.recovered_at, row.times_fired, row.name)


_NAMES = tuple(column.name for column in incidents.columns if column.name != "id")
"""Of the columns, and of what they hold of an incident."""
_values = attrgetter(*_NAMES)
_PLAIN: Mapping[str, Callable[[Any], object]] = {
    "components": dict,
    "notify_employees": list,
    "audience": list,
    "approved_by": list,
}
"""What makes JSON of values."""


def _columns(incident: Incident, names: Iterable[str]) -> dict[str, object]:
    values = ((name, getattr(incident, name)) for name in names)
    return {name: _PLAIN[name](value) if name in _PLAIN else value for name, value in values}


def _incident(row: Row[Any], alerts: Iterable[JoinedAlert]) -> Incident:
    return Incident(
        id=row.id,
        monitor_key=row.monitor_key,
        phase=Phase(row.phase),
        due_at=row.due_at,
        version=row.version,
        subject=row.subject,
        message=row.message,
        type=row.type,
        components={name: ComponentState(state) for name, state in row.components.items()},
        started_at=row.started_at,
        alerts=tuple(alerts),
        authored_by=row.authored_by,
        notify_employees=tuple(row.notify_employees),
        audience=tuple(row.audience),
        text_version=row.text_version,
        approved_by=tuple(row.approved_by),
        rung=row.rung,
        ladder_from=row.ladder_from,
        reminded_at=row.reminded_at,
        held_until=row.held_until,
        notified_at=row.notified_at,
        published_at=row.published_at,
        published_by=row.published_by,
        ended_at=row.ended_at,
        ended_by=row.ended_by,
    )


def public_between(
    connection: Connection, start: datetime, end: datetime, *, limit: int, offset: int = 0
) -> tuple[Incident, ...]:
    """Read what was published from a time until before another, the latest first."""
    query = select(incidents).where(
        incidents.c.published_at.is_not(None),
        incidents.c.phase.in_(PUBLIC_PHASES),
        incidents.c.published_at >= start,
        incidents.c.published_at < end,
    )
    order = incidents.c.published_at.desc(), incidents.c.id.desc()
    return _many(connection, query.order_by(*order).limit(limit).offset(offset))


def first_published_at(connection: Connection) -> datetime | None:
    """Tell when the oldest published incident was published."""
    query = select(incidents.c.published_at).where(
        incidents.c.published_at.is_not(None), incidents.c.phase.in_(PUBLIC_PHASES)
    )
    return connection.execute(query.order_by(incidents.c.published_at).limit(1)).scalar_one_or_none()
