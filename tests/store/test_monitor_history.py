"""What monitors did is asked by index, however long the history is."""

import re
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from service.actions.monitor_health import examine
from service.config import parse
from service.model import Alert, AlertState
from service.store import monitor_history, narrative
from service.store.database import Store
from tests.effort import counting, counting_steps
from tests.rooms import CONFIG
from tests.store.rows import MONITOR, NOW, add_incident
from tests.store.test_plans import plan_of

INCIDENTS = 100_000
Query = Callable[[Connection], object]
ASKED: dict[str, tuple[Query, set[str]]] = {
    "counts": (
        lambda c: monitor_history.counts_since(c, [MONITOR, "victorops:Other"], NOW),
        {"ix_incidents_monitor", "ix_joined_alerts_incident_id"},
    ),
    "last incidents": (
        lambda c: monitor_history.last_incidents(c, MONITOR, limit=9),
        {"ix_incidents_monitor", "ix_joined_alerts_incident_id"},
    ),
    "names": (lambda c: monitor_history.last_of_each_name(c, limit=9), {"ix_alerts_monitor_name"}),
    "last alerts": (
        lambda c: monitor_history.last_alerts(c, ["Email Server"], limit=9),
        {"ix_alerts_monitor_name"},
    ),
}


def fire(connection: Connection, name: str) -> None:
    """Note an alert without effect."""
    alert = Alert("victorops", name, AlertState.FIRING)
    narrative.add_alert(connection, alert, inbox_id=None, incident_id=None, reason="no_monitor", now=NOW)


@pytest.mark.parametrize("name", ASKED)
def test_a_query_goes_by_its_index(sqlite: Store, name: str) -> None:
    query, wanted = ASKED[name]
    with sqlite.transaction() as connection:
        add_incident(connection)
        steps = plan_of(connection, query)
    assert not [step for step in steps if re.fullmatch(r"SCAN (alerts|incidents|joined_alerts)", step)]
    assert wanted <= set(re.findall(r"ix_\w+", " ".join(steps)))
    assert not [step for step in steps if "TEMP B-TREE FOR ORDER BY" in step]


def test_states_are_counted_among_the_newest_alerts_alone(sqlite: Store) -> None:
    def count(connection: Connection) -> object:
        return monitor_history.states_with_reason(connection, "unknown_state", NOW, limit=9)

    with sqlite.transaction() as connection:
        steps = plan_of(connection, count)
    assert not [step for step in steps if step.startswith("SCAN alerts")]


def test_each_name_is_told_once_with_its_last_alert(store: Store) -> None:
    with store.transaction() as connection:
        for name in ("b", "a", "b", "ä", ""):
            fire(connection, name)
        found = monitor_history.last_of_each_name(connection, limit=9)
        few = monitor_history.last_of_each_name(connection, limit=2)
    assert [alert.monitor_name for alert in found] == ["", "a", "b", "ä"]
    assert len(few) == 2


def test_no_alert_means_no_name(store: Store) -> None:
    with store.reading() as connection:
        assert monitor_history.last_of_each_name(connection, limit=9) == ()
        assert monitor_history.last_incidents(connection, MONITOR, limit=9) == ()
        assert monitor_history.counts_since(connection, [], NOW) == {}


YEAR = """
    WITH RECURSIVE numbers(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < :incidents),
    begun(i, at) AS (SELECT i, datetime(:now, '-' || (i * 5) || ' minutes') || '.000000' FROM numbers)
    INSERT INTO incidents (id, monitor_key, phase, started_at, notified_at, published_at, published_by, ended_at,
        version, subject, message, type, components, authored_by, notify_employees)
    SELECT i, 'victorops:M' || (i % 20), 'closed', at, at, at, 'sam', at,
        1, 's', 'm', 't', '{}', 'jordan', '[]' FROM begun
"""
ALERTS = (
    """
    INSERT INTO joined_alerts (incident_id, fired_at, recovered_at, times_fired)
    SELECT id, started_at, started_at, 1 FROM incidents
    """,
    """
    INSERT INTO alerts (incident_id, monitor_name, state, raw_state, message, received_at, reason)
    SELECT id, substr(monitor_key, 11), 'firing', '', '', started_at, 'opened' FROM incidents
    """,
)


def live_long(connection: Connection) -> None:
    """Let twenty monitors have a year of incidents behind them."""
    connection.execute(text(YEAR), {"now": NOW.strftime("%Y-%m-%d %H:%M:%S"), "incidents": INCIDENTS})
    for statement in ALERTS:
        connection.execute(text(statement))


def test_a_hundred_thousand_incidents_are_little_to_examine(sqlite: Store) -> None:
    (monitor,) = parse(CONFIG, Path("config.yaml"), {}).monitors
    names = [f"M{number}" for number in range(20)]
    monitors = tuple(replace(monitor, alert_names=(name,)) for name in names)
    config = replace(parse(CONFIG, Path("config.yaml"), {}), monitors=monitors)
    with sqlite.transaction() as connection:
        live_long(connection)
    with sqlite.reading() as connection:
        examine(connection, config, NOW)
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        with counting_steps(driver) as steps, counting() as effort:
            health = examine(connection, config, NOW)
    assert [one.advice.outages for one in health.monitors] == [50] * 20
    assert sum(one.counts.resolved for one in health.monitors) > 8_000
    assert steps.thousands < 1_000
    assert effort.calls < 150_000
