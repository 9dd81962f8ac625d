"""What a maintenance does to alerts: which one keeps an alert from an effect, and what still fires at its end."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from service.actions.house import House
from service.config.form import DEFAULT_PROVIDER
from service.errors import PostUnreadable
from service.grouping import SeenAlert, maintenance_over, still_firing
from service.model import Alert, AlertState, Maintenance, Monitor
from service.providers.matching import match_monitor, state_for
from service.providers.post import RawPost
from service.providers.registry import provider_named
from service.store import inbox_rows, maintenances
from service.store.suppression import NotedAlert, alerts_since

SUPPRESSED: Final = "suppressed_by_maintenance"
"""Why a firing alert had no effect; it may have one at the end of the maintenance."""


def suppressing(connection: Connection, monitor: Monitor, at: datetime) -> Maintenance | None:
    """Find the maintenance that keeps an alert of this monitor, fired at a time, from having an effect."""
    if not monitor.affected_components:
        return None
    return maintenance_over(monitor.affected_components, maintenances.not_over(connection), at)


def alerts_left(
    connection: Connection, house: House, maintenance: Maintenance
) -> Iterator[tuple[int | None, Alert]]:
    """Give the alerts that a maintenance suppressed and that still fire, each with the post it came in."""
    since = min(maintenance.starts_at, maintenance.started_at or maintenance.starts_at)
    noted = {one.id: one for one in alerts_since(connection, since)}
    concerned = frozenset(maintenance.components)
    seen = []
    for one in noted.values():
        alert = _bare(one)
        monitor = match_monitor(alert.monitor_name, alert.provider, house.config.monitors)
        if monitor is None or not concerned.intersection(monitor.affected_components):
            continue
        state = state_for(alert, monitor)
        if state in {AlertState.FIRING, AlertState.RECOVERED}:
            is_recovery = state is AlertState.RECOVERED
            seen.append(SeenAlert(one.id, monitor.key, one.entity_id, one.reason == SUPPRESSED, is_recovery))
    for number in still_firing(seen):
        yield noted[number].inbox_id, _whole(connection, noted[number])


def _bare(noted: NotedAlert) -> Alert:
    return Alert(
        provider=noted.provider or DEFAULT_PROVIDER,
        monitor_name=noted.monitor_name,
        state=noted.state,
        entity_id=noted.entity_id,
        raw_state=noted.raw_state,
        message=noted.message,
    )


def _whole(connection: Connection, noted: NotedAlert) -> Alert:
    """Read the post again, for the fields that a monitor's texts may name."""
    row = inbox_rows.get(connection, noted.inbox_id) if noted.inbox_id is not None else None
    if row is not None:
        post = RawPost(row.raw, str(row.about.get("content_type", "")), row.about.get("query", {}))
        try:
            read = provider_named(row.provider).read(post)
        except PostUnreadable:
            read = ()
        for alert in read:
            said = (alert.monitor_name, alert.state, alert.entity_id)
            if said == (noted.monitor_name, noted.state, noted.entity_id):
                return alert
    return _bare(noted)
