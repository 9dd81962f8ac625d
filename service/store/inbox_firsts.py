"""The first alert of each of some arrivals, and how many more it holds: what lists call a post by."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, case, func, select

from service.store.schema import alerts


@dataclass(frozen=True, slots=True)
class FirstAlert:
    """An alert of an arrival, and how many others there are in it."""

    monitor_name: str
    state: str
    """In its provider's own word, where it sent one."""
    others: int


def first_alerts(
    connection: Connection, inbox_ids: Sequence[int], *, named: str = ""
) -> Mapping[int, FirstAlert]:
    """Read the first alert of each arrival that has one; of those whose monitor's name holds a text, where some do."""
    if not inbox_ids:
        return {}
    # an alert that concerned two incidents stands there twice
    wanted = alerts.c.inbox_id.in_(inbox_ids)
    found_by = alerts.c.monitor_name.icontains(named, autoescape=True)
    each = (
        select(
            alerts.c.inbox_id,
            func.min(alerts.c.id).label("id"),
            func.min(case((found_by, alerts.c.id))).label("found_id"),
        )
        .where(wanted)
        .group_by(alerts.c.inbox_id, alerts.c.monitor_name, alerts.c.state, alerts.c.entity_id)
        .subquery()
    )
    first = (
        select(
            func.coalesce(func.min(each.c.found_id), func.min(each.c.id)).label("id"),
            func.count().label("number"),
        )
        .group_by(each.c.inbox_id)
        .subquery()
    )
    shown = alerts.c.inbox_id, alerts.c.monitor_name, alerts.c.state, alerts.c.raw_state
    query = select(*shown, first.c.number).join(first, first.c.id == alerts.c.id)
    return {
        row.inbox_id: FirstAlert(row.monitor_name, row.raw_state or row.state, row.number - 1)
        for row in connection.execute(query)
    }
