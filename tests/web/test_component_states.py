"""What the public reads of the components, by what is going on."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.model import (
    SEVERITY_ORDER,
    Component,
    ComponentState,
    Incident,
    Maintenance,
    MaintenancePhase,
    Phase,
)
from service.web.public.component_states import grouped, overall
from service.workflow.components import affected, worst

OPERATIONAL = ComponentState.OPERATIONAL
MAINTENANCE = ComponentState.UNDER_MAINTENANCE
DEGRADED = ComponentState.DEGRADED_PERFORMANCE
PARTIAL = ComponentState.PARTIAL_OUTAGE
MAJOR = ComponentState.MAJOR_OUTAGE

STATES = st.sampled_from(ComponentState)


def incident(**components: ComponentState) -> Incident:
    return Incident(
        id=1,
        monitor_key="victorops:Email",
        phase=Phase.PUBLISHED,
        due_at=None,
        version=1,
        subject="",
        message="",
        type="performance",
        components=components,
        started_at=datetime(2026, 11, 24, tzinfo=UTC),
    )


def maintenance(*components: str) -> Maintenance:
    began = datetime(2026, 11, 24, tzinfo=UTC)
    return Maintenance(
        id=1,
        phase=MaintenancePhase.ON,
        due_at=began,
        version=1,
        subject="",
        message="",
        components=components,
        starts_at=began,
        ends_at=began,
        planned_at=began,
        planned_by="jordan",
    )


@given(st.lists(STATES))
def test_the_worst_is_never_better_than_any(states: list[ComponentState]) -> None:
    found = worst(states)
    assert all(SEVERITY_ORDER.index(state) <= SEVERITY_ORDER.index(found) for state in states)


@given(st.lists(STATES, min_size=1))
def test_the_worst_is_one_of_them(states: list[ComponentState]) -> None:
    assert worst(states) in states


def test_nothing_affected_is_operational() -> None:
    assert worst([]) is OPERATIONAL


def test_a_component_of_two_incidents_shows_the_worse_state() -> None:
    current = [incident(Email=DEGRADED, API=MAINTENANCE), incident(Email=MAJOR), incident(Email=PARTIAL)]
    assert affected(current) == {"Email": MAJOR, "API": MAINTENANCE}


@given(st.permutations([incident(Email=DEGRADED), incident(Email=MAJOR), incident(API=PARTIAL)]))
def test_the_order_of_incidents_does_not_matter(current: list[Incident]) -> None:
    assert affected(current) == {"Email": MAJOR, "API": PARTIAL}


def test_groups_and_components_keep_the_order_of_the_config() -> None:
    components = [Component("Web", "Platform"), Component("Mail", "Office"), Component("API", "Platform")]
    groups = grouped(components, {"API": MAJOR})
    names = [(group.name, [shown.name for shown in group.components]) for group in groups]
    assert names == [("Platform", ["Web", "API"]), ("Office", ["Mail"])]
    assert [shown.state for shown in groups[0].components] == [OPERATIONAL, MAJOR]


def test_a_group_is_as_its_worst_component_is() -> None:
    components = [Component("Mail", "Office"), Component("Files", "Office"), Component("API", "Platform")]
    office, platform = grouped(components, {"Files": PARTIAL})
    assert (office.state, platform.state) == (PARTIAL, OPERATIONAL)


def test_a_maintenance_counts_where_no_incident_says_worse() -> None:
    on = [maintenance("Email", "API")]
    assert affected([incident(Email=DEGRADED)], on) == {"Email": DEGRADED, "API": MAINTENANCE}
    assert overall([], on).sentence == "Under maintenance: Email and API"


@pytest.mark.parametrize(
    ("current", "state", "sentence"),
    [
        ([], OPERATIONAL, "All systems operational"),
        ([incident()], OPERATIONAL, "All components operational, one incident open"),
        (
            [incident(), incident(Email=OPERATIONAL)],
            OPERATIONAL,
            "All components operational, 2 incidents open",
        ),
        ([incident(Email=MAJOR)], MAJOR, "Major outage: Email"),
        ([incident(Email=MAJOR), incident(API=DEGRADED)], MAJOR, "Major outage: Email"),
        ([incident(Email=PARTIAL, API=PARTIAL)], PARTIAL, "Partial outage: Email and API"),
        ([incident(A=DEGRADED, B=DEGRADED, C=DEGRADED)], DEGRADED, "Degraded performance: A, B and 1 more"),
        ([incident(Email=MAINTENANCE)], MAINTENANCE, "Under maintenance: Email"),
    ],
)
def test_one_sentence_says_how_the_whole_does(
    current: list[Incident], state: ComponentState, sentence: str
) -> None:
    assert (overall(current).state, overall(current).sentence) == (state, sentence)


def test_a_component_that_is_no_longer_configured_still_counts_in_the_whole() -> None:
    assert grouped([Component("Web")], affected([incident(Old=MAJOR)]))[0].components[0].state is OPERATIONAL
    assert overall([incident(Old=MAJOR)]).state is MAJOR
