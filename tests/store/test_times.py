"""Times go in aware and come back aware, in UTC."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.exc import StatementError

from service.store import incidents
from service.store.database import Store
from tests.store.rows import NOW, add_incident

NEPAL = timezone(timedelta(hours=5, minutes=45))


@pytest.mark.parametrize(
    "at",
    [
        NOW,
        datetime(2026, 11, 24, 12, 0, 0, 123456, tzinfo=UTC),
        datetime(2026, 11, 24, 17, 45, tzinfo=NEPAL),
        datetime(2026, 10, 25, 2, 30, fold=0, tzinfo=ZoneInfo("Europe/Berlin")),
        datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=ZoneInfo("Europe/Berlin")),
    ],
)
def test_a_time_comes_back_as_the_same_instant_in_utc(store: Store, at: datetime) -> None:
    with store.transaction() as connection:
        stored = add_incident(connection, started_at=at)
        read = incidents.get(connection, stored.id)
    assert read is not None
    assert read.started_at == at.astimezone(UTC)
    assert read.started_at.tzinfo is UTC


@pytest.mark.parametrize("microsecond", [0, 1, 120000])
def test_sqlite_keeps_times_as_texts_of_one_length_which_sort_as_they_do(
    sqlite: Store, microsecond: int
) -> None:
    at = NOW.replace(microsecond=microsecond)
    with sqlite.transaction() as connection:
        add_incident(connection, started_at=at.astimezone(NEPAL))
        kept = connection.exec_driver_sql("SELECT started_at FROM incidents").scalar_one()
    assert kept == f"2026-11-24 12:00:00.{microsecond:06}"


def test_no_time_comes_back_as_none(store: Store) -> None:
    with store.transaction() as connection:
        stored = add_incident(connection, due_at=None)
        read = incidents.get(connection, stored.id)
    assert read is not None
    assert read.due_at is None


def test_a_naive_time_is_refused(store: Store) -> None:
    naive = NOW.replace(tzinfo=None)
    with store.transaction() as connection, pytest.raises(StatementError, match="naive datetime"):
        add_incident(connection, started_at=naive)


def test_times_of_other_zones_are_compared_as_instants(store: Store) -> None:
    with store.transaction() as connection:
        due = add_incident(connection, due_at=NOW.astimezone(NEPAL))
        assert incidents.due_ids(connection, NOW, limit=9) == (due.id,)
        assert incidents.due_ids(connection, NOW - timedelta(seconds=1), limit=9) == ()
