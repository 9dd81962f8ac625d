"""One cheap look at whether the public may have something new to read. It reads no texts."""

from sqlalchemy import Connection, func, select

from service.store.schema import component_states, maintenances, updates


def public_stamp(connection: Connection) -> tuple[int | None, ...]:
    """Give numbers that change whenever an update, a component's state or a maintenance does.

    Each comes from the end of an index: however much history there is, they cost the same.
    """
    not_over = maintenances.c.due_at.is_not(None)
    row = connection.execute(
        select(
            select(func.max(updates.c.id)).scalar_subquery(),
            select(func.max(component_states.c.id)).scalar_subquery(),
            select(func.max(maintenances.c.id)).scalar_subquery(),
            select(func.count()).select_from(maintenances).where(not_over).scalar_subquery(),
            select(func.sum(maintenances.c.version)).where(not_over).scalar_subquery(),
        )
    ).one()
    return tuple(row)
