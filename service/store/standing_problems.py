"""Rows of what the watchdog found: one of each kind of problem, kept so that a restart tells nobody twice."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from service.store.watch_schema import standing_problems


@dataclass(frozen=True, slots=True)
class Standing:
    """How a kind of problem stands."""

    since: datetime
    ended_at: datetime | None = None
    """None: it is there."""
    told_at: datetime | None = None
    """When the admins were last told that it began."""
    is_told: bool = False
    """Whether they know of it this time, so that they are told of its end."""


def read_all(connection: Connection) -> Mapping[str, Standing]:
    """Read how each problem stands that there ever was, by its name."""
    return {
        row.name: Standing(row.since, row.ended_at, row.told_at, row.is_told)
        for row in connection.execute(select(standing_problems))
    }


def write(connection: Connection, name: str, standing: Standing) -> None:
    """Remember how a problem stands."""
    connection.execute(delete(standing_problems).where(standing_problems.c.name == name))
    connection.execute(
        insert(standing_problems).values(
            name=name,
            since=standing.since,
            ended_at=standing.ended_at,
            told_at=standing.told_at,
            is_told=standing.is_told,
        )
    )
