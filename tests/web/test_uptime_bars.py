"""Bars of days: one image per component, each day told by shape and words as well as by colour."""

import re
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

import pytest

from service.model import ComponentState
from service.store.component_states import StateChange
from service.web.public.uptime import Uptime, uptimes
from service.web.public.uptime_bars import SHAPES, UNKNOWN, describe, draw, trouble
from tests.web.test_uptime import BERLIN, DEGRADED, MAINTENANCE, MAJOR, UP, local

NOW = datetime(2026, 11, 24, 11, tzinfo=UTC)


def lived(*changes: tuple[ComponentState, datetime]) -> Uptime:
    rows = [StateChange("x", state, since) for state, since in changes]
    return uptimes(rows, today=NOW.astimezone(BERLIN).date(), now=NOW, zone=BERLIN, count=4)["x"]


EVENTFUL = lived(
    (UP, local(22)),
    (DEGRADED, local(23, 8)),
    (MAJOR, local(23, 9)),
    (UP, local(23, 11) + timedelta(minutes=5)),
    (MAINTENANCE, local(24, 3)),
    (UP, local(24, 4)),
)


def test_each_day_says_what_it_was() -> None:
    assert re.findall("<title>(.*?)</title>", draw("Email", EVENTFUL)) == [
        "21 Nov 2026: no data",
        "22 Nov 2026: operational",
        "23 Nov 2026: major outage for 2 h 5 min, degraded performance for 1 h",
        "24 Nov 2026: under maintenance for 1 h",
    ]


def test_each_state_has_a_shape_of_its_own() -> None:
    assert set(SHAPES) == {*ComponentState, UNKNOWN}
    assert len(set(SHAPES.values())) == len(SHAPES)


def test_the_days_in_detail_are_those_not_operational_throughout() -> None:
    assert [(day.day, words) for day, words in trouble(EVENTFUL)] == [
        (24, "under maintenance for 1 h"),
        (23, "major outage for 2 h 5 min, degraded performance for 1 h"),
    ]


@pytest.mark.parametrize(
    ("uptime", "said"),
    [
        (lived((UP, local(20))), "the last 4 days: 100 % uptime. Operational throughout."),
        (lived((UP, local(21, 23))), "the last 4 days: 100 % uptime. Operational throughout."),
        (
            lived((UP, local(22)), (MAJOR, local(24, 11))),
            "since 22 Nov 2026: 98.33 % uptime. Not operational throughout on one day.",
        ),
        (EVENTFUL, "since 22 Nov 2026: 96.52 % uptime. Not operational throughout on 2 days."),
        (lived((UP, local(25))), "the last 4 days: no data yet."),
    ],
)
def test_one_description_stands_for_all_bars(uptime: Uptime, said: str) -> None:
    assert describe("Email", uptime) == f"Email, {said}"


def test_a_moment_is_not_told_as_no_time_at_all() -> None:
    moment = lived((UP, local(22)), (MAJOR, local(23)), (UP, local(23) + timedelta(seconds=9)))
    assert trouble(moment)[0][1] == "major outage for less than a minute"


@pytest.mark.parametrize("name", ['"><script>alert(1)</script>', "<b>&amp;", "Müller & Söhne"])
def test_a_name_becomes_no_markup(name: str) -> None:
    drawn = ET.fromstring(draw(name, EVENTFUL))  # noqa: S314  our own text
    image = drawn[0]
    assert image.get("aria-label") == describe(name, EVENTFUL)
    assert image.get("role") == "img"
    assert len(image) == 4
