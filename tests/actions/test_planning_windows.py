"""Which window of config.yaml is which maintenance, whatever became of either."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.actions import maintaining
from service.actions.house import House
from service.actions.planning_windows import config_key, pair, plan_windows
from service.config.settings import Window
from service.model import MaintenancePhase
from service.store import maintenances
from service.workflow.maintenance import MaintenanceReason as Reason
from tests.rooms import Clock, make_house
from tests.thoroughness import examples

START = datetime(2026, 12, 1, 21, 0, tzinfo=UTC)
WINDOW = Window("Upgrade", "We upgrade.", ("Email",), START, START + timedelta(hours=2), timedelta(hours=24))
LATER = replace(WINDOW, starts_at=START + timedelta(days=7), ends_at=START + timedelta(days=7, hours=2))


def with_windows(house: House, *windows: Window) -> House:
    """Give the house another file."""
    return replace(house, config=replace(house.config, maintenance=windows))


def reasons(house: House, clock: Clock, *windows: Window) -> list[Reason]:
    return [one.reason for one in plan_windows(with_windows(house, *windows), clock())]


def starts(house: House) -> list[datetime]:
    with house.store.reading() as connection:
        return [one.starts_at for one in maintenances.ahead(connection)]


def test_a_window_is_called_the_same_by_every_version_of_the_service() -> None:
    assert config_key(WINDOW) == "7ec0261b8e8aa3e0:20261201T210000Z:6a0903f05a969e59"
    assert config_key(replace(WINDOW, starts_at=START.astimezone(ZoneInfo("Europe/Berlin")))) == config_key(
        WINDOW
    )


def test_several_of_one_name_are_several(house: House, clock: Clock) -> None:
    assert reasons(house, clock, WINDOW, LATER) == [Reason.PLANNED, Reason.PLANNED]
    assert reasons(house, clock, LATER, WINDOW) == []
    assert starts(house) == [WINDOW.starts_at, LATER.starts_at]


def test_of_several_of_one_name_the_one_that_was_taken_out_goes(house: House, clock: Clock) -> None:
    reasons(house, clock, WINDOW, LATER)
    assert reasons(house, clock, LATER) == [Reason.CANCELLED]
    assert starts(house) == [LATER.starts_at]


def test_of_several_of_one_name_the_one_that_was_moved_moves(house: House, clock: Clock) -> None:
    reasons(house, clock, WINDOW, LATER)
    moved = replace(WINDOW, starts_at=WINDOW.starts_at + timedelta(hours=1))
    assert reasons(house, clock, moved, LATER) == [Reason.RESCHEDULED]
    assert starts(house) == [moved.starts_at, LATER.starts_at]


def test_one_with_another_reminder_is_reworded_without_a_word(house: House, clock: Clock) -> None:
    reasons(house, clock, WINDOW)
    sooner = replace(WINDOW, remind=timedelta(hours=1))
    assert reasons(house, clock, sooner) == [Reason.REWORDED]
    with house.store.reading() as connection:
        assert maintenances.ahead(connection)[0].remind_at == START - timedelta(hours=1)


def test_what_was_moved_on_the_dashboard_stays_there_until_the_file_changes(
    house: House, clock: Clock
) -> None:
    reasons(house, clock, WINDOW)
    sam = house.employee("sam")
    assert sam
    with house.store.reading() as connection:
        (planned,) = maintenances.ahead(connection)
    elsewhere = replace(maintaining.plan_of(planned), starts_at=START + timedelta(hours=1))
    maintaining.reschedule(house, planned.id, sam, elsewhere, clock())
    assert reasons(house, clock, WINDOW) == []
    assert starts(house) == [elsewhere.starts_at]
    assert reasons(house, clock, replace(WINDOW, message="We *upgrade*.")) == [Reason.RESCHEDULED]
    assert starts(house) == [START]


def test_one_that_is_over_is_not_planned_again(house: House, clock: Clock) -> None:
    reasons(house, clock, WINDOW)
    clock.now = START + timedelta(hours=1)
    with house.store.reading() as connection:
        (number,) = maintenances.due_ids(connection, clock(), limit=9)
    maintaining.fire_maintenance_timer(house, number, clock())
    sam = house.employee("sam")
    assert sam
    maintaining.end_now(house, number, sam, "", clock())
    assert reasons(house, clock, WINDOW) == []
    assert reasons(house, clock, replace(WINDOW, message="Written anew")) == []


def test_the_end_of_one_that_is_on_follows_the_file(house: House, clock: Clock) -> None:
    reasons(house, clock, WINDOW)
    with house.store.reading() as connection:
        [number] = [one.id for one in maintenances.ahead(connection)]
    clock.now = START
    maintaining.fire_maintenance_timer(house, number, clock())
    longer = replace(WINDOW, ends_at=WINDOW.ends_at + timedelta(hours=1))
    assert reasons(house, clock, longer) == [Reason.EXTENDED]
    with house.store.reading() as connection:
        assert [one.ends_at for one in maintenances.on_now(connection)] == [longer.ends_at]
    assert reasons(house, clock, longer) == []
    assert reasons(house, clock, replace(longer, message="Written anew")) == [Reason.REFUSED_THE_SAME]
    assert reasons(house, clock, replace(longer, ends_at=START - timedelta(days=1))) == [
        Reason.REFUSED_ENDS_BEFORE_IT_STARTS
    ]


def test_one_whose_hour_has_come_is_not_called_off_by_being_taken_out(house: House, clock: Clock) -> None:
    reasons(house, clock, WINDOW)
    clock.now = START
    assert reasons(house, clock) == []


WINDOWS = st.lists(
    st.builds(
        lambda subject, day, hours: replace(
            WINDOW,
            subject=subject,
            starts_at=START + timedelta(days=day),
            ends_at=START + timedelta(days=day, hours=hours),
        ),
        st.sampled_from(["Upgrade", "Cables"]),
        st.integers(0, 3),
        st.integers(1, 2),
    ),
    max_size=4,
    unique_by=lambda window: (window.subject, window.starts_at),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a place for many databases."""
    return tmp_path_factory.mktemp("windows")


@settings(max_examples=examples(30))
@given(st.lists(WINDOWS, min_size=1, max_size=3))
def test_what_is_planned_is_what_the_file_says_however_it_came_about(
    folder: Path, files: list[list[Window]]
) -> None:
    house, clock = make_house(folder), Clock()
    try:
        for windows in files:
            plan_windows(with_windows(house, *windows), clock())
            assert plan_windows(with_windows(house, *windows), clock()) == ()
        with house.store.reading() as connection:
            known = maintenances.from_config(connection)
        ahead = [one for one in known if one.phase is MaintenancePhase.PLANNED]
        assert {(one.subject, one.starts_at, one.ends_at) for one in ahead} == {
            (one.subject, one.starts_at, one.ends_at) for one in files[-1]
        }
        assert {one.config_key for one in ahead} == {config_key(one) for one in files[-1]}
        assert pair(files[-1], known).gone == ()
    finally:
        house.store.close()
