"""Rows of component states: one at each change of what the public reads of a component. Nothing is overwritten."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, cast, func, insert, select, union_all
from sqlalchemy.types import Text

from service.model import ComponentState, MaintenancePhase
from service.store.schema import component_states, incidents, is_going_on_in_public, maintenances
from service.store.statements import Statement


@dataclass(frozen=True, slots=True)
class StateChange:
    """From a time on, a component is in a state."""

    component: str
    state: ComponentState
    since: datetime


@dataclass(frozen=True, slots=True)
class Lifetime:
    """When a component's state was first and last recorded."""

    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True)
class GoingOn:
    """What bears on components at this moment, and what was last recorded of each."""

    said: tuple[Mapping[str, ComponentState], ...]
    """By each published incident and each maintenance that is going on."""
    latest: Mapping[str, StateChange]
    """By component."""


_ADD = Statement(insert(component_states))


def append(connection: Connection, changes: Sequence[StateChange]) -> None:
    """Append changes, each after all that is there of its component."""
    for one in changes:
        _ADD.run(connection, component=one.component, state=one.state, since=one.since)


_is_on = maintenances.c.due_at.is_not(None), maintenances.c.phase == MaintenancePhase.ON
_SAID = Statement(
    union_all(
        select(cast(incidents.c.components, Text)).where(is_going_on_in_public),
        select(cast(maintenances.c.components, Text)).where(*_is_on),
    )
)
_LATEST_OF = Statement(
    select(component_states.c.component, component_states.c.state, component_states.c.since)
    .where(component_states.c.component == bindparam("of_component"))
    # of one component none is ever since an earlier time than the one before it
    .order_by(component_states.c.since.desc(), component_states.c.id.desc())
    .limit(1)
)
_KNOWN = select(component_states.c.component).distinct()


def going_on(connection: Connection, components: Collection[str] | None = None) -> GoingOn:
    """Read what bears on components now, and the latest record of some (None: of all)."""
    names = connection.execute(_KNOWN).scalars().all() if components is None else components
    latest = (row for name in names for row in _LATEST_OF.rows(connection, of_component=name))
    return GoingOn(
        said=tuple(_said(row[0]) for row in _SAID.rows(connection)),
        latest={row[0]: StateChange(row[0], ComponentState(row[1]), row[2]) for row in latest},
    )


def _said(written: str) -> dict[str, ComponentState]:
    said = json.loads(written)
    if isinstance(said, list):  # a maintenance's
        return dict.fromkeys(said, ComponentState.UNDER_MAINTENANCE)
    return {name: ComponentState(state) for name, state in said.items()}


def history_since(connection: Connection, since: datetime) -> tuple[StateChange, ...]:
    """Read all changes from a time on, and of each component the last one before it; each in its order."""
    table = component_states
    before = select(func.max(table.c.id)).where(table.c.since < since).group_by(table.c.component)
    rows = connection.execute(
        select(table.c.component, table.c.state, table.c.since)
        .where((table.c.since >= since) | table.c.id.in_(before))
        .order_by(table.c.id)
    )
    return tuple(StateChange(row.component, ComponentState(row.state), row.since) for row in rows)


def lifetimes(connection: Connection) -> dict[str, Lifetime]:
    """Tell of each component that was ever recorded, by its name, since when it is known and when it last changed."""
    table = component_states
    bounds = select(table.c.component, func.min(table.c.since), func.max(table.c.since))
    rows = connection.execute(bounds.group_by(table.c.component))
    return {name: Lifetime(first_at, last_at) for name, first_at, last_at in rows}
