"""Rows of component states, on every database."""

from datetime import UTC, datetime, timedelta
from typing import cast

import pytest
from sqlalchemy.exc import IntegrityError

from service.model import ComponentState
from service.store import component_states
from service.store.component_states import Lifetime, StateChange
from service.store.database import Store
from service.store.public_stamp import public_stamp

UP, MAJOR = ComponentState.OPERATIONAL, ComponentState.MAJOR_OUTAGE
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def append(store: Store, *changes: StateChange) -> None:
    with store.transaction() as connection:
        component_states.append(connection, changes)


def test_the_latest_of_each_component_is_found(store: Store) -> None:
    append(
        store,
        StateChange("Email", UP, NOW - DAY),
        StateChange("API", MAJOR, NOW),
        StateChange("Email", MAJOR, NOW),
    )
    with store.reading() as connection:
        found = component_states.going_on(connection)
        assert found.latest["Email"] == StateChange("Email", MAJOR, NOW)
        assert found.latest["API"] == StateChange("API", MAJOR, NOW)
        assert set(component_states.going_on(connection, ["API"]).latest) == {"API"}
        assert found.said == ()


def test_the_history_begins_with_what_was_before_it(store: Store) -> None:
    first, second, third = (
        StateChange("Email", state, NOW + days * DAY) for state, days in ((UP, -3), (MAJOR, -2), (UP, 1))
    )
    append(store, first, second, third)
    with store.reading() as connection:
        assert component_states.history_since(connection, NOW) == (second, third)
        assert component_states.history_since(connection, NOW - 2 * DAY) == (first, second, third)
        assert component_states.history_since(connection, NOW + 9 * DAY) == (third,)


def test_each_component_is_known_from_its_first_record_to_its_last(store: Store) -> None:
    append(
        store,
        StateChange("Email", UP, NOW - DAY),
        StateChange("API", UP, NOW),
        StateChange("Email", MAJOR, NOW + DAY),
    )
    with store.reading() as connection:
        found = component_states.lifetimes(connection)
    assert found == {"Email": Lifetime(NOW - DAY, NOW + DAY), "API": Lifetime(NOW, NOW)}


def test_nothing_is_appended_where_nothing_changed(store: Store) -> None:
    append(store)
    with store.reading() as connection:
        assert component_states.history_since(connection, NOW) == ()


def test_the_stamp_of_the_public_changes_with_each_state(store: Store) -> None:
    stamps = []
    for state in (None, MAJOR, UP):
        append(store, *([StateChange("Email", state, NOW)] if state else []))
        with store.reading() as connection:
            stamps.append(public_stamp(connection))
            assert public_stamp(connection) == stamps[-1]
    assert len(set(stamps)) == 3


def test_what_this_process_commits_is_counted_and_what_it_gives_up_is_not(store: Store) -> None:
    before = store.commits
    append(store, StateChange("Email", UP, NOW))
    assert store.commits == before + 1
    with store.reading() as connection:
        public_stamp(connection)
    with pytest.raises(IntegrityError):
        append(store, StateChange("Email", cast("ComponentState", "no state at all"), NOW))
    assert store.commits == before + 1
