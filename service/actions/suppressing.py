"""What a maintenance does to alerts: which one keeps an alert from an effect, and what still fires at its end."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from service.actions.house import House
from service.config.form import DEFAULT_PROVIDER
from service.config.settings import Reading
from service.errors import PostUnreadable
from service.grouping import SeenAlert, maintenance_over, still_firing
from service.model import Alert, AlertState, KnownAs, Maintenance, Monitor
from service.providers.matching import known_as, match_monitor, state_for
from service.providers.post import RawPost
from service.providers.registry import read_post
from service.store import inbox_rows, maintenances
from service.store.suppression import SUPPRESSED, NotedAlert, alerts_since, message_of
from service.store.together import read_once


def suppressing(connection: Connection, monitor: Monitor, at: datetime) -> Maintenance | None:
    """Find the maintenance that keeps an alert of this monitor, fired at a time, from having an effect."""
    if not monitor.affected_components:
        return None
    known = read_once(connection, maintenances.not_over, lambda: maintenances.not_over(connection))
    return maintenance_over(monitor.affected_components, known, at)


def noted_during(
    connection: Connection, maintenance: Maintenance, known: Sequence[NotedAlert] = ()
) -> tuple[NotedAlert, ...]:
    """Read the alerts since a maintenance began, oldest first; only those behind what is `known` are read anew."""
    since = maintenance.began_at
    after_id = known[-1].id if known else 0
    return (*known, *alerts_since(connection, since, after_id=after_id))


def alerts_left(
    connection: Connection, house: House, maintenance: Maintenance, known: Sequence[NotedAlert] = ()
) -> Iterator[tuple[int | None, Alert]]:
    """Give the alerts that a maintenance suppressed and that still fire, each with the post it came in.

    `known` are the first of those since it began, where they were read before this transaction.
    """
    noted = {one.id: one for one in noted_during(connection, maintenance, known)}
    taken: dict[tuple[str, str, AlertState, str, str | None], _Taken | None] = {}
    concerned = frozenset(maintenance.components)
    seen = []
    for one in noted.values():
        # a storm repeats itself, and to find its monitor takes longer than to read it
        said = one.provider, one.monitor_name, one.state, one.raw_state, one.entity_id
        if said not in taken:
            taken[said] = _taken(one, house.config.monitors, concerned)
        if found := taken[said]:
            is_suppressed = one.reason == SUPPRESSED
            seen.append(
                SeenAlert(one.id, found.monitor_key, found.known_as, is_suppressed, found.is_recovery)
            )
    for number in still_firing(seen):
        yield noted[number].inbox_id, _whole(connection, noted[number], house.config.readings)


class _Taken(NamedTuple):
    """What an alert means to the monitor that takes it."""

    monitor_key: str
    known_as: KnownAs
    is_recovery: bool


def _taken(noted: NotedAlert, monitors: Sequence[Monitor], concerned: frozenset[str]) -> _Taken | None:
    """Give what an alert means to the monitor that takes it; None: it means nothing here."""
    alert = _bare(noted)
    monitor = match_monitor(alert.monitor_name, alert.provider, monitors)
    if monitor is None or not concerned.intersection(monitor.affected_components):
        return None
    state = state_for(alert, monitor)
    if state not in {AlertState.FIRING, AlertState.RECOVERED}:
        return None
    return _Taken(monitor.key, known_as(alert, monitor), state is AlertState.RECOVERED)


def _bare(noted: NotedAlert, message: str = "") -> Alert:
    return Alert(
        provider=noted.provider or DEFAULT_PROVIDER,
        monitor_name=noted.monitor_name,
        state=noted.state,
        entity_id=noted.entity_id,
        raw_state=noted.raw_state,
        message=message,
    )


def _whole(connection: Connection, noted: NotedAlert, readings: Mapping[str, Reading]) -> Alert:
    """Read the post again, for the fields that a monitor's texts may name."""
    row = inbox_rows.get(connection, noted.inbox_id) if noted.inbox_id is not None else None
    if row is not None:
        post = RawPost(row.raw, str(row.about.get("content_type", "")), row.about.get("query", {}))
        try:
            read = read_post(row.provider, post, readings).alerts
        except PostUnreadable:
            read = ()
        for alert in read:
            said = (alert.monitor_name, alert.state, alert.entity_id)
            if said == (noted.monitor_name, noted.state, noted.entity_id):
                return alert
    return _bare(noted, message_of(connection, noted.id))
