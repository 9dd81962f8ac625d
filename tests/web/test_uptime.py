"""How each day went, worked out from the recorded changes."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.model import ComponentState
from service.store.component_states import StateChange
from service.web.public.uptime import DAYS, Uptime, uptimes

UP = ComponentState.OPERATIONAL
MAINTENANCE = ComponentState.UNDER_MAINTENANCE
DEGRADED = ComponentState.DEGRADED_PERFORMANCE
PARTIAL = ComponentState.PARTIAL_OUTAGE
MAJOR = ComponentState.MAJOR_OUTAGE
BERLIN = ZoneInfo("Europe/Berlin")
ZONES = [
    BERLIN,
    ZoneInfo("UTC"),
    ZoneInfo("America/New_York"),
    ZoneInfo("Australia/Lord_Howe"),
    ZoneInfo("Asia/Kathmandu"),
]
TODAY = date(2026, 11, 24)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NOON = datetime(2026, 11, 24, 11, tzinfo=UTC)


def local(day: int, hour: int = 0, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=BERLIN).astimezone(UTC)


def uptime_of(*changes: tuple[ComponentState, datetime], count: int = 3, now: datetime = NOON) -> Uptime:
    rows = [StateChange("Email", state, since) for state, since in changes]
    return uptimes(rows, today=now.astimezone(BERLIN).date(), now=now, zone=BERLIN, count=count)["Email"]


def test_a_day_knows_how_long_it_was_in_which_state() -> None:
    found = uptime_of((UP, local(1)), (DEGRADED, local(23, 8)), (MAJOR, local(23, 10)), (UP, local(23, 11)))
    before, day, today = found.days
    assert (before.state, before.minutes(UP)) == (UP, 1440)
    assert (day.state, day.minutes(DEGRADED), day.minutes(MAJOR), day.minutes(UP)) == (MAJOR, 120, 60, 1260)
    assert (today.state, today.minutes(UP), today.unknown) == (UP, 720, 12 * HOUR)


def test_a_night_between_two_days_counts_in_both() -> None:
    days = uptime_of((UP, local(1)), (MAJOR, local(22, 22)), (UP, local(23, 3))).days
    assert [day.minutes(MAJOR) for day in days] == [120, 180, 0]


def test_nothing_is_known_before_the_first_record() -> None:
    found = uptime_of((UP, local(23, 18)))
    assert [day.state for day in found.days] == [None, UP, UP]
    assert [day.unknown for day in found.days] == [DAY, 18 * HOUR, 12 * HOUR]
    assert found.figure == "100"


@pytest.mark.parametrize(
    ("began", "reach"),
    [
        (local(24, 11), "since 24 Nov"),
        (local(23), "since 23 Nov"),
        (local(22, 18), "in 3 days"),
        (local(1), "in 3 days"),
        (local(25), "in 3 days"),
    ],
)
def test_a_figure_reaches_no_further_back_than_the_first_record(began: datetime, reach: str) -> None:
    assert uptime_of((UP, began)).reach == reach


def test_of_a_component_that_was_never_recorded_nothing_is_said() -> None:
    assert uptimes([], today=TODAY, now=NOON, zone=BERLIN) == {}


def test_there_are_ninety_days_where_nothing_else_is_asked() -> None:
    found = uptimes([StateChange("Email", UP, local(23))], today=TODAY, now=NOON, zone=BERLIN)
    assert len(found["Email"].days) == DAYS == 90
    assert found["Email"].days[-1].date == TODAY


@pytest.mark.parametrize(
    ("state", "percent"), [(UP, 100), (MAINTENANCE, 100), (DEGRADED, 100), (PARTIAL, 70), (MAJOR, 0)]
)
def test_each_state_counts_as_it_weighs(state: ComponentState, percent: float) -> None:
    assert uptime_of((state, local(1))).percent == pytest.approx(percent)


@pytest.mark.parametrize(
    ("down", "figure"),
    [
        (timedelta(), "100"),
        (timedelta(seconds=1), "99.99"),
        (timedelta(hours=1), "99.95"),
        (timedelta(days=1), "98.88"),
    ],
)
def test_the_figure_is_never_rounded_up(down: timedelta, figure: str) -> None:
    began = local(3, month=8)
    assert (
        uptime_of((UP, began), (MAJOR, began + 40 * DAY), (UP, began + 40 * DAY + down), count=90).figure
        == figure
    )


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 7, 1), 24)]
)
def test_a_day_is_as_long_as_its_clock_says(day: date, hours: int) -> None:
    now = datetime.combine(day, datetime.min.time(), tzinfo=BERLIN).astimezone(UTC) + 2 * DAY
    found = uptimes([StateChange("Email", UP, local(1, month=1))], today=day, now=now, zone=BERLIN, count=1)
    assert found["Email"].days[0].minutes(UP) == hours * 60


CHANGES = st.lists(
    st.tuples(
        st.sampled_from(ComponentState),
        st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001  zone given beside
    ),
    min_size=1,
    max_size=30,
)
NOWS = st.datetimes(datetime(2026, 1, 2), datetime(2026, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001  as above


def days_of(changes: Sequence[tuple[ComponentState, datetime]], now: datetime, zone: ZoneInfo) -> Uptime:
    rows = [StateChange("Email", state, since) for state, since in changes]
    return uptimes(rows, today=now.astimezone(zone).date(), now=now, zone=zone)["Email"]


@given(CHANGES, NOWS, st.sampled_from(ZONES))
def test_the_parts_of_a_day_make_up_its_length(
    changes: list[tuple[ComponentState, datetime]], now: datetime, zone: ZoneInfo
) -> None:
    for day in days_of(changes, now, zone).days:
        assert sum(day.spans.values(), day.unknown) == day.length
        assert day.unknown >= timedelta()
        assert all(span > timedelta() for span in day.spans.values())
        assert 22 * HOUR < day.length < 26 * HOUR


@given(CHANGES, NOWS, st.sampled_from(ZONES))
def test_what_is_known_reaches_from_the_first_record_to_now(
    changes: list[tuple[ComponentState, datetime]], now: datetime, zone: ZoneInfo
) -> None:
    days = days_of(changes, now, zone).days
    start = datetime.combine(days[0].date, datetime.min.time(), tzinfo=zone).astimezone(UTC)
    first = min(since for _, since in changes)
    known = sum((span for day in days for span in day.spans.values()), timedelta())
    assert known == max(now - max(first, start), timedelta())


@given(CHANGES, NOWS)
def test_a_percentage_is_one(changes: list[tuple[ComponentState, datetime]], now: datetime) -> None:
    percent = days_of(changes, now, BERLIN).percent
    assert percent is None or 0 <= percent <= 100 + 1e-9


@given(st.permutations([(UP, local(1)), (MAJOR, local(22)), (UP, local(23)), (DEGRADED, local(24))]))
def test_the_order_in_which_changes_are_read_does_not_matter(
    changes: list[tuple[ComponentState, datetime]],
) -> None:
    assert [day.state for day in uptime_of(*changes).days] == [MAJOR, UP, DEGRADED]
