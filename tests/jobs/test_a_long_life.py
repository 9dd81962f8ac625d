"""However long it takes in alerts, what is removed in time does not pile up, and nothing takes more than before."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from sqlalchemy import Connection

from service.store import (
    deliveries,
    delivery_lists,
    inbox_rows,
    inbox_search,
    incidents,
    narrative,
    progress,
)
from service.store.delivery_lists import Search, Stands
from service.store.inbox_search import Wanted
from tests.effort import counting_steps
from tests.long_life import GOES, LongLife

QUARTERS = 4
KEPT_DAYS = 2
STAY_DAYS = 10
EACH = 10
"""Steps of SQLite between two looks."""
MORE = 1.25
"""So many times what it was in the first quarter, at most: trees of rows that stay become deeper, and that is all."""
ROUGHLY = 0.2
"""Thousand steps: what takes few is counted roughly. To look through what stays would take tens of thousands."""

ASKED: Mapping[str, Callable[[Connection, LongLife], object]] = {
    "inbox": lambda c, _: inbox_search.search(c, Wanted(), limit=50),
    "deliveries": lambda c, life: delivery_lists.listed(c, Search(), life.clock(), after=None, limit=50),
    "lost deliveries": lambda c, life: delivery_lists.listed(
        c, Search(Stands.LOST), life.clock(), after=None, limit=50
    ),
    "figures of deliveries": lambda c, life: delivery_lists.figures(c, life.clock()),
    "incidents": lambda c, _: incidents.listed(c, limit=50),
    "public": lambda c, _: (incidents.current_public(c), incidents.recent_public(c, limit=50)),
    "an incident": lambda c, _: _of_newest(c),
    "what is due": lambda c, life: (
        deliveries.next_due_at(c, urgent=True),
        deliveries.next_due_at(c, urgent=False),
        inbox_rows.next_pending(c),
        incidents.due_ids(c, life.clock(), limit=9),
    ),
}


def _of_newest(connection: Connection) -> object:
    number = incidents.listed(connection, limit=1)[0].id
    return (
        narrative.timeline_of(connection, number),
        narrative.alerts_of(connection, number, limit=50),
        progress.of_incident(connection, number),
        deliveries.of_incident_to_employees(connection, number),
    )


@pytest.fixture
def life(tmp_path: Path) -> Iterator[LongLife]:
    made = LongLife.begin(tmp_path, kept_days=KEPT_DAYS, alerts=48, episode=24, readers=3)
    yield made
    made.close()


def driver_of(life: LongLife) -> sqlite3.Connection:
    """Give the connection that one thread alone is lent again and again."""
    with life.house.store.reading() as connection:
        driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver


def effort(life: LongLife) -> dict[str, float]:
    """Count what an hour of deciding takes, an hour's removing, and each question; in steps of SQLite."""
    found = {}
    with counting_steps(driver_of(life), each=EACH) as steps:
        life.live_an_hour()
    found["an hour"] = steps.thousands
    with counting_steps(driver_of(life), each=EACH) as steps:
        life.keep_house()
    found["removing an hour"] = steps.thousands
    for name, ask in ASKED.items():
        with counting_steps(driver_of(life), each=EACH) as steps, life.house.store.reading() as connection:
            ask(connection, life)
        found[name] = steps.thousands
    return found


def test_in_a_year_neither_rows_that_go_nor_the_effort_grow(life: LongLife) -> None:
    efforts, rows = [], []
    for _ in range(QUARTERS):
        life.copy_hours(24 * STAY_DAYS, whole=False)
        life.keep_house()
        life.copy_hours(24 * KEPT_DAYS, whole=True)
        life.keep_house()
        efforts.append(effort(life))
        rows.append(life.rows())
    first, last = efforts[0], efforts[-1]
    assert [{name: found[name] for name in GOES} for found in rows] == [
        {name: rows[0][name] for name in GOES}
    ] * QUARTERS
    assert rows[-1]["incidents"] > 3 * rows[0]["incidents"], "these stay, and are many"
    assert first["an hour"] > 1
    assert {name: last[name] for name in last if last[name] > MORE * first[name] + ROUGHLY} == {}
