"""The names of components that subscribers chose, whatever config.yaml knows by now. It only reads."""

from collections.abc import Collection

from sqlalchemy import Connection, Select, bindparam, func, select

from service.store.schema import choices, is_reached, subscribers
from service.store.statements import Statement

_of_components = choices.c.kind == bindparam(None, "component", literal_execute=True)


def _names() -> Select[tuple[str]]:
    """Go from name to name by the index, and never through all choices."""
    names = select(func.min(choices.c.name).label("name")).where(_of_components).cte("names", recursive=True)
    later = select(func.min(choices.c.name)).where(_of_components, choices.c.name > names.c.name)
    names = names.union_all(select(later.scalar_subquery()).where(names.c.name.is_not(None)))
    return select(names.c.name).where(names.c.name.is_not(None))


_NAMES = Statement(_names())
_NUMBER = Statement(
    select(func.count())
    .select_from(choices)
    .join(subscribers, subscribers.c.id == choices.c.subscriber_id)
    .where(_of_components, choices.c.name == bindparam("chosen_name", ""), is_reached)
)


def names_besides(connection: Connection, known: Collection[str]) -> tuple[str, ...]:
    """Give the names that anybody chose and that are not known; that takes no longer for many who chose."""
    return tuple(sorted({row.name for row in _NAMES.rows(connection)}.difference(known)))


def besides(connection: Connection, known: Collection[str]) -> dict[str, int]:
    """Count the subscribers that are reached and chose a component of a name that is not known, by that name."""
    unknown = names_besides(connection, known)
    numbers = {name: _NUMBER.rows(connection, chosen_name=name)[0][0] for name in unknown}
    return {name: number for name, number in numbers.items() if number}
