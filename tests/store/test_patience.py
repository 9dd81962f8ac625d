"""A PostgreSQL that says nothing: who has no time gives up, what he began has no effect, and who has time waits."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection, select, text

from service.errors import OutcomeUnknown, StoreUnavailable
from service.store import credentials
from service.store.database import Store, open_store
from service.store.patience import waiting_at_most
from service.store.schema import instance
from tests.store.databases import fresh_database, needs_postgresql

pytestmark = needs_postgresql

MOMENT = 1.0
"""Seconds for which the server must be silent."""
SLEEPS = "SELECT pg_sleep(3600)"
AT_COMMIT = """
CREATE FUNCTION sleep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(3600); RETURN NULL; END';
CREATE CONSTRAINT TRIGGER sleepy AFTER INSERT ON instance
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION sleep();
"""
"""Lets the server be silent as it is to commit, and only then."""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with fresh_database("postgresql", tmp_path) as url, closing(open_store(url)) as opened:
        yield opened


def named(connection: Connection) -> list[str]:
    return list(connection.execute(select(instance.c.name).where(instance.c.name.like("test-%"))).scalars())


def test_what_the_server_is_silent_about_is_given_up_and_has_no_effect(store: Store) -> None:
    def change_and_wait() -> None:
        with store.transaction() as connection:
            credentials.instance_value(connection, "test-one", "is not to stay")
            connection.execute(text(SLEEPS))

    with waiting_at_most(MOMENT), pytest.raises(StoreUnavailable, match="did not answer for 1 ") as given_up:
        change_and_wait()
    assert not isinstance(given_up.value, OutcomeUnknown)
    with store.reading() as connection:
        assert named(connection) == []


def test_who_comes_next_is_refused_without_waiting_and_who_has_time_is_served(store: Store) -> None:
    with waiting_at_most(MOMENT):
        with pytest.raises(StoreUnavailable), store.reading() as connection:
            connection.execute(text(SLEEPS))
        with pytest.raises(StoreUnavailable, match="did not answer a moment ago"), store.reading():
            pytest.fail("it was let in")
    with store.reading() as connection:
        assert named(connection) == []


def test_what_is_slow_but_says_something_is_waited_for(store: Store) -> None:
    some_rows = "SELECT repeat('x', 1000000), pg_sleep(0.25) FROM generate_series(1, 6)"
    with waiting_at_most(MOMENT), store.reading() as connection:
        assert len(connection.execute(text(some_rows)).all()) == 6


def test_who_did_not_say_that_he_has_no_time_waits(store: Store) -> None:
    with store.reading() as connection:
        connection.execute(text(f"SELECT pg_sleep({1.5 * MOMENT})"))


def test_whether_it_was_done_is_unknown_where_the_server_falls_silent_at_the_commit(store: Store) -> None:
    with store.transaction() as connection:
        connection.exec_driver_sql(AT_COMMIT)
    with waiting_at_most(MOMENT), pytest.raises(OutcomeUnknown), store.transaction() as connection:
        credentials.instance_value(connection, "test-one", "may stay")
