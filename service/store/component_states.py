"""Rows of component states: one at each change of what the public reads of a component. Nothing is overwritten."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Select, bindparam, cast, func, insert, select, union_all
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
# of one component none is ever since an earlier time than the one before it
_IN_ORDER = component_states.c.since, component_states.c.id
_BACKWARDS = component_states.c.since.desc(), component_states.c.id.desc()
_OF_ONE = select(component_states.c.component, component_states.c.state, component_states.c.since).where(
    component_states.c.component == bindparam("of_component")
)
_THEN = bindparam("from_then", type_=component_states.c.since.type)
_FIRST_OF = Statement(_OF_ONE.order_by(*_IN_ORDER).limit(1))
_LATEST_OF = Statement(_OF_ONE.order_by(*_BACKWARDS).limit(1))
_LAST_BEFORE = Statement(_OF_ONE.where(component_states.c.since < _THEN).order_by(*_BACKWARDS).limit(1))
_SINCE = Statement(_OF_ONE.where(component_states.c.since >= _THEN).order_by(*_IN_ORDER))
_STATES = {state.value: state for state in ComponentState}


def _known_names() -> Select[tuple[str]]:
    """Go from name to name by the index, and never through all changes."""
    table = component_states
    names = select(func.min(table.c.component).label("name")).cte("names", recursive=True)
    later = select(func.min(table.c.component)).where(table.c.component > names.c.name)
    names = names.union_all(select(later.scalar_subquery()).where(names.c.name.is_not(None)))
    return select(names.c.name).where(names.c.name.is_not(None))


_KNOWN = Statement(_known_names())


def going_on(connection: Connection, components: Collection[str] | None = None) -> GoingOn:
    """Read what bears on components now, and the latest record of some (None: of all)."""
    names = _names(connection) if components is None else components
    latest = (row for name in names for row in _LATEST_OF.rows(connection, of_component=name))
    return GoingOn(
        said=tuple(_said(row[0]) for row in _SAID.rows(connection)),
        latest={row[0]: StateChange(row[0], ComponentState(row[1]), row[2]) for row in latest},
    )


def _names(connection: Connection) -> tuple[str, ...]:
    return tuple(row.name for row in _KNOWN.rows(connection))


def _said(written: str) -> dict[str, ComponentState]:
    said = json.loads(written)
    if isinstance(said, list):  # a maintenance's
        return dict.fromkeys(said, ComponentState.UNDER_MAINTENANCE)
    return {name: ComponentState(state) for name, state in said.items()}


def history_since(connection: Connection, since: datetime) -> tuple[StateChange, ...]:
    """Read all changes from a time on, and of each component the last one before it; each in its order."""
    return tuple(
        StateChange(name, _STATES[row.state], row.since)
        for name in _names(connection)
        for statement in (_LAST_BEFORE, _SINCE)
        for row in statement.rows(connection, of_component=name, from_then=since)
    )


_FIRST = select(component_states.c.since).where(
    component_states.c.id == select(func.min(component_states.c.id)).scalar_subquery()
)
_NEWEST = Statement(select(func.max(component_states.c.id)))
_LATE = Statement(
    select(component_states.c.id)
    .where(component_states.c.id > bindparam("after_id"), component_states.c.since < _THEN)
    .limit(1)
)


def first_at(connection: Connection) -> datetime | None:
    """Tell from when the first record of all is: what was before it nobody knows."""
    return connection.execute(_FIRST).scalar()


def newest_id(connection: Connection) -> int:
    """Give the number of the change that was recorded last; 0: none was."""
    return _NEWEST.rows(connection)[0][0] or 0


def has_late(connection: Connection, after_id: int, before: datetime) -> bool:
    """Tell whether a change was recorded after another one and yet tells of a time before `before`.

    Posts count from when they came: what waited for days is recorded days late.
    """
    return bool(_LATE.rows(connection, after_id=after_id, from_then=before))


def lifetimes(connection: Connection) -> dict[str, Lifetime]:
    """Tell of each component that was ever recorded, by its name, since when it is known and when it last changed."""
    return {
        name: Lifetime(first.since, last.since)
        for name in _names(connection)
        for first in _FIRST_OF.rows(connection, of_component=name)
        for last in _LATEST_OF.rows(connection, of_component=name)
    }
