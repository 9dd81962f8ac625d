"""A stream of /dashboard/events, and what is told in it."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager

from service.actions.house import House
from service.store.database import Store
from service.store.employee_stamp import Stamp, employee_stamp
from service.web.dashboard.changes import Changes, Told
from service.web.dashboard.pulse import Mark

PATIENCE = 10.0
"""Seconds until somebody should have been told."""
SILENCE = 0.3
"""Seconds after which a sign of life is due."""


def stamp_of(store: Store) -> Stamp:
    """Give the stamp of what employees see now."""
    with store.reading() as connection:
        return employee_stamp(connection)


async def hear(stream: AsyncGenerator[Told]) -> set[str]:
    """Give the names that are told next; none at a sign of life."""
    told = await asyncio.wait_for(anext(stream), PATIENCE)
    return set(told.names)


async def hear_all(stream: AsyncGenerator[Told], *wanted: str) -> set[str]:
    """Give what is told until all of these names were."""
    names: set[str] = set()
    async with asyncio.timeout(PATIENCE):
        while not names.issuperset(wanted):
            names |= await hear(stream)
    return names


@asynccontextmanager
async def listening(
    watched: Changes, house: House, session: str, *, heartbeat: float = PATIENCE
) -> AsyncIterator[AsyncGenerator[Told]]:
    """Give a stream that has heard all until now."""
    async with aclosing(watched.watch(session, Mark(stamp_of(house.store)), heartbeat=heartbeat)) as stream:
        assert await hear(stream) == set()
        yield stream
