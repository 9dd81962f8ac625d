"""What is known of the days that are over is kept, and gives the same as all that was recorded."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.actions.house import House
from service.model import ComponentState
from service.store import component_states
from service.store.component_states import StateChange
from service.store.database import Store
from service.web.public.past_days import last_days
from service.web.public.uptime import DAYS, Uptime, midnight, uptimes
from tests.rooms import Clock, make_house

BERLIN, KATHMANDU = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Kathmandu")
# an hour goes twice in Berlin on the 25th of October
BEGAN = datetime(2026, 10, 24, 21, 30, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NAMES = ["Email", "Login", "API"]
UP, MAJOR = ComponentState.OPERATIONAL, ComponentState.MAJOR_OUTAGE


def record(store: Store, name: str, state: ComponentState, since: datetime) -> None:
    with store.transaction() as connection:
        component_states.append(connection, [StateChange(name, state, since)])


def shown(store: Store, now: datetime, zone: ZoneInfo = BERLIN) -> dict[str, Uptime]:
    with store.reading() as connection:
        return last_days(connection, store, now=now, zone=zone)


def worked_out(store: Store, now: datetime, zone: ZoneInfo = BERLIN) -> dict[str, Uptime]:
    """Work it out from all that was ever recorded."""
    today = now.astimezone(zone).date()
    with store.reading() as connection:
        changes = component_states.history_since(connection, midnight(today - (DAYS - 1) * DAY, zone))
    return uptimes(changes, today=today, now=now, zone=zone)


happenings = st.lists(
    st.tuples(
        st.sampled_from([HOUR / 7, 5 * HOUR, 23 * HOUR, DAY, 3 * DAY, 100 * DAY]),
        st.none() | st.tuples(st.sampled_from(NAMES), st.sampled_from(ComponentState)),
        st.sampled_from([BERLIN, BERLIN, BERLIN, KATHMANDU]),
    ),
    max_size=12,
)


@given(happenings)
def test_what_is_kept_gives_the_same_as_all_that_was_recorded(
    happened: Sequence[tuple[timedelta, tuple[str, ComponentState] | None, ZoneInfo]],
) -> None:
    with TemporaryDirectory() as folder:
        store = make_house(Path(folder)).store
        now = BEGAN
        for passed, change, zone in happened:
            now += passed
            if change is not None:
                record(store, *change, now)
            assert shown(store, now, zone) == worked_out(store, now, zone)
        store.close()


def test_a_change_that_is_committed_after_its_midnight_still_counts(house: House, clock: Clock) -> None:
    record(house.store, "Email", UP, clock.now - 9 * DAY)
    late = midnight(clock.now.date(), BERLIN) - timedelta(seconds=1)
    shown(house.store, clock.now)
    record(house.store, "Email", MAJOR, late)
    assert shown(house.store, clock.now)["Email"].days[-2].spans[MAJOR] == timedelta(seconds=1)


def test_what_is_recorded_days_late_counts_at_once(house: House, clock: Clock) -> None:
    record(house.store, "Email", UP, clock.now - 9 * DAY)
    shown(house.store, clock.now)
    record(house.store, "Email", MAJOR, clock.now - 4 * DAY)
    record(house.store, "Email", UP, clock.now - 4 * DAY + HOUR)
    assert shown(house.store, clock.now) == worked_out(house.store, clock.now)
    assert shown(house.store, clock.now)["Email"].days[-5].minutes(MAJOR) == 60


def test_each_database_has_its_own_days(house: House, clock: Clock, tmp_path: Path) -> None:
    other = make_house(tmp_path / "other").store
    record(house.store, "Email", MAJOR, clock.now - 9 * DAY)
    record(other, "Email", UP, clock.now - 9 * DAY)
    assert [shown(one, clock.now)["Email"].figure for one in (house.store, other) * 2] == ["0.00", "100"] * 2
    other.close()


def test_what_is_over_is_not_read_again(house: House, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    states, at = [UP, MAJOR], clock.now - 80 * DAY
    for number in range(60):
        record(house.store, "Email", states[number % 2], at + number * DAY)
    read, change_of = list[str](), component_states.StateChange

    def noted(component: str, state: ComponentState, since: datetime) -> StateChange:
        read.append(component)
        return change_of(component, state, since)

    monkeypatch.setattr(component_states, "StateChange", noted)
    shown(house.store, clock.now)
    assert len(read) == 60
    read.clear()
    shown(house.store, clock.now)
    assert len(read) == 1, "the last one before yesterday"
