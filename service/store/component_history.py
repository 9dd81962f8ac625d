"""The recorded changes of one component's state, page by page, the latest first. It only reads."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from service.model import ComponentState
from service.store.schema import component_states


@dataclass(frozen=True, slots=True)
class RecordedState:
    """A component's state, from a time until the next one."""

    id: int
    state: ComponentState
    since: datetime
    until: datetime | None
    """None: to this day."""


def changes_of(
    connection: Connection, component: str, *, before: RecordedState | None = None, limit: int
) -> tuple[RecordedState, ...]:
    """Read a component's states, the latest first; with `before` those that had been before it."""
    query = select(component_states).where(component_states.c.component == component)
    if before is not None:
        # of one component none is ever since an earlier time than the one before it
        query = query.where(component_states.c.since <= before.since, component_states.c.id < before.id)
    query = query.order_by(component_states.c.since.desc(), component_states.c.id.desc()).limit(limit)
    found = []
    until = before.since if before else None
    for row in connection.execute(query):
        found.append(RecordedState(row.id, ComponentState(row.state), row.since, until))
        until = row.since
    return tuple(found)


def change(connection: Connection, component: str, change_id: int) -> RecordedState | None:
    """Read one change of a component's state, without its end."""
    wanted = component_states.c.id == change_id, component_states.c.component == component
    row = connection.execute(select(component_states).where(*wanted)).one_or_none()
    return None if row is None else RecordedState(row.id, ComponentState(row.state), row.since, None)
