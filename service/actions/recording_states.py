"""Recording each component's state whenever it changes, in the transaction that changes it.

The states are derived from what is going on; what is recorded is their history, for the days of uptime.
"""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection

from service.config.settings import Config
from service.model import ComponentState, Incident, Maintenance, MaintenancePhase
from service.store import component_states
from service.store.component_states import GoingOn, StateChange
from service.workflow.components import in_public, worst_of_each


def record_incident(connection: Connection, before: Incident | None, after: Incident, now: datetime) -> None:
    """Record what an incident that was just saved changes; nothing is asked where it changes nothing in public."""
    said_before, said_after = in_public(before), in_public(after)
    if said_before != said_after:
        record(connection, said_before.keys() | said_after.keys(), now)


def record_maintenance(
    connection: Connection, before: Maintenance | None, after: Maintenance, now: datetime
) -> None:
    """Record what a maintenance that was just saved changes, as above."""
    said_before, said_after = _under_work(before), _under_work(after)
    if said_before != said_after:
        record(connection, said_before | said_after, now)


def _under_work(maintenance: Maintenance | None) -> frozenset[str]:
    is_on = maintenance is not None and maintenance.phase is MaintenancePhase.ON
    return frozenset(maintenance.components) if maintenance is not None and is_on else frozenset()


def record(connection: Connection, components: Collection[str], now: datetime) -> None:
    """Record those of some components whose state is another than was last recorded."""
    if components:
        found = component_states.going_on(connection, components)
        component_states.append(connection, _changes(found, components, now))


def record_at_start(connection: Connection, config: Config, now: datetime) -> None:
    """Record what differs when the service starts: a component that is new in config.yaml begins at that time."""
    found = component_states.going_on(connection)
    configured = {one.name for one in config.components}
    known = configured | found.latest.keys() | worst_of_each(found.said).keys()
    component_states.append(connection, _changes(found, known, now, new=configured - found.latest.keys()))


def _changes(
    found: GoingOn, components: Collection[str], now: datetime, *, new: Collection[str] = ()
) -> list[StateChange]:
    states = worst_of_each(found.said)
    changes = []
    for name in sorted(components):
        state, last = states.get(name, ComponentState.OPERATIONAL), found.latest.get(name)
        if name in new or state is not (last.state if last else ComponentState.OPERATIONAL):
            # an alert is decided at the time it was received, which may be before the last change
            changes.append(StateChange(name, state, max(now, last.since) if last else now))
    return changes
