"""The open incidents of a monitor, which its next alert may join or end: only what a decision needs is read."""

from collections.abc import Iterable

from sqlalchemy import Connection, bindparam, exists, select

from service.model import Incident
from service.store.incidents import that_fire, whole
from service.store.schema import incidents, is_open, joined_alerts
from service.store.statements import Statement
from service.store.together import Together, found

FEW_OPEN = 20
"""Of a monitor: so many are read once where decisions are made together; of more only what each decision needs."""
MOST_EXPECTED = 500
"""Entity ids that are asked for at once: a post may carry thousands."""

# what is asked for each alert is put together once, for that takes longer than the asking
_OPEN = Statement(
    select(incidents)
    .where(incidents.c.monitor_key == bindparam("of_monitor", ""), is_open)
    .order_by(incidents.c.id)
)


_OPEN_FEW = Statement(
    select(incidents)
    .where(incidents.c.monitor_key == bindparam("of_monitor", ""), is_open)
    .order_by(incidents.c.id)
    .limit(FEW_OPEN + 1)
)
_NEWEST = Statement(
    select(incidents)
    .where(incidents.c.monitor_key == bindparam("of_monitor", ""), is_open)
    .order_by(incidents.c.id.desc())
    .limit(1)
)
_of_this_incident = joined_alerts.c.incident_id == incidents.c.id
_still_fires = joined_alerts.c.recovered_at.is_(None)
_FIRING = Statement(
    select(incidents)
    .where(
        incidents.c.id.in_(
            select(joined_alerts.c.incident_id).where(
                joined_alerts.c.entity_id == bindparam("same_entity", ""), _still_fires
            )
        ),
        # not by its index: many may be open, and few hold this very alert
        incidents.c.monitor_key.concat("") == bindparam("of_monitor", ""),
        is_open,
    )
    .order_by(incidents.c.id)
)
_FIRING_UNNAMED = Statement(
    select(incidents)
    .where(
        incidents.c.monitor_key == bindparam("of_monitor", ""),
        is_open,
        exists().where(_of_this_incident, _still_fires, joined_alerts.c.entity_id.is_(None)),
    )
    .order_by(incidents.c.id)
)
_FIRING_BY_NAME = Statement(
    select(incidents)
    .where(
        incidents.c.id.in_(
            # of what has no name that is known the decision asks by what else it is told from others
            select(joined_alerts.c.incident_id).where(
                joined_alerts.c.name.in_([bindparam("same_name", ""), ""]), _still_fires
            )
        ),
        # not by its index: many may be open, and few hold an alert of this name
        incidents.c.monitor_key.concat("") == bindparam("of_monitor", ""),
        is_open,
    )
    .order_by(incidents.c.id)
)


def open_of_monitor(connection: Connection, monitor_key: str) -> tuple[Incident, ...]:
    """Read the incidents of a monitor that alerts may still join, oldest first."""
    few = _few_open(connection, monitor_key)
    if few is not None:
        return tuple(few.values())
    return tuple(whole(connection, row) for row in _OPEN.rows(connection, of_monitor=monitor_key))


def newest_of_monitor(connection: Connection, monitor_key: str) -> tuple[Incident, ...]:
    """Read the newest of them, if there is one: without a look at the others, however many are open."""
    few = _few_open(connection, monitor_key)
    if few is not None:
        return tuple(few.values())[-1:]
    return tuple(whole(connection, row) for row in _NEWEST.rows(connection, of_monitor=monitor_key))


def firing_of_monitor(
    connection: Connection, monitor_key: str, entity_id: str | None
) -> tuple[Incident, ...]:
    """Read those of them in which an alert of this entity id fires, oldest first; None: one without an id."""
    few = _few_open(connection, monitor_key)
    if few is not None:
        return tuple(one for one in few.values() if one.fires(entity_id))
    shared = found(connection)
    if shared is not None and entity_id is not None:
        known = {one.id: one for one in _that_fired(connection, shared, entity_id)}
        numbers = sorted(known.keys() | shared.touched.get(entity_id, set()))
        by_now = [shared.saved[number] if number in shared.saved else known[number] for number in numbers]
        of_monitor = [one for one in by_now if one.monitor_key == monitor_key]
        return tuple([one for one in of_monitor if one.phase.is_open and one.fires(entity_id)])
    if entity_id is None:
        rows = _FIRING_UNNAMED.rows(connection, of_monitor=monitor_key)
    else:
        rows = _FIRING.rows(connection, of_monitor=monitor_key, same_entity=entity_id)
    return tuple(whole(connection, row) for row in rows)


def firing_by_name(connection: Connection, monitor_key: str, name: str) -> tuple[Incident, ...]:
    """Read those of them in which an alert of this name fires, or one whose name is not known, oldest first."""
    few = _few_open(connection, monitor_key)
    if few is not None:
        return tuple(few.values())
    rows = _FIRING_BY_NAME.rows(connection, of_monitor=monitor_key, same_name=name)
    return tuple(whole(connection, row) for row in rows)


def expect(connection: Connection, entity_ids: Iterable[str]) -> None:
    """Say which entity ids will be asked about by decisions that are made together."""
    shared, expected = found(connection), frozenset(entity_ids)
    if shared is not None and len(expected) <= MOST_EXPECTED:
        shared.expected = expected


def _that_fired(connection: Connection, shared: Together, entity_id: str) -> tuple[Incident, ...]:
    """Give the incidents in which it fired when it was asked first, with all that are expected besides."""
    if entity_id not in shared.firing:
        asked = {entity_id, *(shared.expected - shared.firing.keys())}
        rows = that_fire(connection, asked)
        for each in asked:
            shared.firing[each] = tuple([one for one in rows if one.fires(each)])
    return shared.firing[entity_id]


def _few_open(connection: Connection, monitor_key: str) -> dict[int, Incident] | None:
    """Give the open incidents of a monitor as they are by now, where decisions are made together and they are few."""
    shared = found(connection)
    if shared is None:
        return None
    if monitor_key not in shared.open:
        rows = _OPEN_FEW.rows(connection, of_monitor=monitor_key)
        few = {row.id: whole(connection, row) for row in rows} if len(rows) <= FEW_OPEN else None
        shared.open[monitor_key] = few
    return shared.open[monitor_key]
