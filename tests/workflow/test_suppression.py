"""Which alerts a maintenance keeps back, and which of them still count at its end."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.grouping import SeenAlert, maintenance_over, still_firing
from service.model import KnownAs, Maintenance, MaintenancePhase

START = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
END = START + timedelta(hours=2)
INSTANT = timedelta.resolution
ON = Maintenance(
    id=1,
    phase=MaintenancePhase.ON,
    due_at=END,
    version=2,
    subject="Upgrade",
    message="We upgrade.",
    components=("Email", "Calendar"),
    starts_at=START,
    ends_at=END,
    planned_at=START,
    planned_by="jordan",
)
AHEAD = replace(ON, phase=MaintenancePhase.PLANNED)


@pytest.mark.parametrize(
    ("maintenance", "components", "at", "is_kept"),
    [
        (ON, ["Email"], START, True),
        (ON, ["API", "Calendar"], START, True),
        (ON, ["API"], START, False),
        (ON, [], START, False),
        (replace(ON, components=()), ["Email"], START, False),
        # begun before its time, or at it though the timer has not fired yet
        (ON, ["Email"], START - timedelta(minutes=1), True),
        (AHEAD, ["Email"], START, True),
        (AHEAD, ["Email"], START - INSTANT, False),
        # over by the clock though the timer has not fired yet
        (ON, ["Email"], END - INSTANT, True),
        (ON, ["Email"], END, False),
        (AHEAD, ["Email"], END, False),
        (replace(ON, phase=MaintenancePhase.DONE), ["Email"], START, False),
        (replace(ON, phase=MaintenancePhase.CANCELLED), ["Email"], START, False),
    ],
)
def test_an_alert_is_kept_back_while_one_of_its_components_is_worked_on(
    maintenance: Maintenance, components: list[str], at: datetime, *, is_kept: bool
) -> None:
    assert maintenance_over(components, [maintenance], at) == (maintenance if is_kept else None)


def known(thing: str) -> KnownAs:
    return KnownAs(thing or None, "email", is_one_of_several=False)


def seen(*what: str) -> list[SeenAlert]:
    """Read `suppressed mx1`, `recovered`, `taken mx1` as alerts of one monitor, numbered from 0."""
    split = [one.partition(" ") for one in what]
    return [
        SeenAlert(number, "m", known(thing), kind == "suppressed", kind == "recovered")
        for number, (kind, _, thing) in enumerate(split)
    ]


@pytest.mark.parametrize(
    ("what", "left"),
    [
        ([], ()),
        (["suppressed"], (0,)),
        (["suppressed", "suppressed"], (0,)),
        (["suppressed", "recovered"], ()),
        (["recovered", "suppressed"], (1,)),
        (["suppressed", "recovered", "suppressed"], (2,)),
        (["suppressed mx1", "suppressed mx2", "recovered mx1"], (1,)),
        (["suppressed mx1", "suppressed mx2", "recovered"], ()),
        # the id was added to one of the two webhooks only
        (["suppressed", "recovered mx1"], ()),
        (["suppressed", "suppressed mx1", "recovered mx1"], (0,)),
        # what an incident has taken since is not left
        (["suppressed mx1", "taken mx1"], ()),
        (["suppressed mx1", "taken mx2"], (0,)),
    ],
)
def test_what_nothing_took_back_is_left(what: list[str], left: tuple[int, ...]) -> None:
    assert still_firing(seen(*what)) == left


def test_another_monitors_recovery_takes_nothing_back() -> None:
    other = SeenAlert(1, "another", known(""), is_suppressed=False, is_recovery=True)
    assert still_firing([*seen("suppressed"), other]) == (0,)


THINGS = st.sampled_from(["", " mx1", " mx2"])
KINDS = st.sampled_from(["suppressed", "recovered", "taken"])


@given(st.lists(st.tuples(KINDS, THINGS).map("".join), max_size=20))
def test_only_suppressed_alerts_are_left_each_thing_once_and_in_order(what: list[str]) -> None:
    left = still_firing(seen(*what))
    assert {what[number].partition(" ")[0] for number in left} <= {"suppressed"}
    things = [what[number] for number in left]
    assert len(things) == len(set(things))
    assert still_firing(seen(*what, "recovered")) == ()
    assert still_firing(seen(*what, "suppressed mx3")) == (*left, len(what))
