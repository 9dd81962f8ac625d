"""What is recorded of components, and when: each change of what the public reads, and nothing else."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import event

from service.actions import maintaining
from service.actions.alerts import fire_timer
from service.actions.house import House
from service.actions.recording_states import record, record_at_start
from service.model import ComponentState, Maintenance
from service.store import component_states
from service.store.component_states import StateChange
from service.workflow.maintenance import Plan
from tests.rooms import CONFIG, Clock, make_house
from tests.web.outages import ECHO, ECHO_MONITOR, Outages

UP = ComponentState.OPERATIONAL
MAINTENANCE = ComponentState.UNDER_MAINTENANCE
DEGRADED = ComponentState.DEGRADED_PERFORMANCE
PARTIAL = ComponentState.PARTIAL_OUTAGE
MAJOR = ComponentState.MAJOR_OUTAGE

SLOW_MAIL = ECHO_MONITOR.replace("Echo", "Slow").replace("Calendar: degraded", "Email: degraded")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Give a house in which mail may be slow as well as away."""
    made = make_house(tmp_path, CONFIG + ECHO_MONITOR + SLOW_MAIL)
    yield made
    made.store.close()


@pytest.fixture
def outages(house: House, clock: Clock) -> Outages:
    """Give what may go wrong."""
    return Outages(house, clock)


def recorded(house: House, component: str = "Email") -> list[ComponentState]:
    return [one.state for one in changes(house) if one.component == component]


def changes(house: House) -> tuple[StateChange, ...]:
    with house.store.reading() as connection:
        return component_states.history_since(connection, Clock().now - timedelta(days=90))


def start(house: House, clock: Clock) -> None:
    with house.store.transaction() as connection:
        record_at_start(connection, house.config, clock())


def plan(house: House, clock: Clock, *components: str, hours: int = 2) -> Maintenance:
    starts_at = clock() + timedelta(hours=1)
    wanted = Plan("Work", "Work is done.", components, starts_at, starts_at + timedelta(hours=hours))
    return maintaining.plan(house, wanted, house.config.employees["jordan"], clock()).maintenance


def pass_time(house: House, clock: Clock, maintenance: Maintenance, **span: float) -> None:
    clock.move(timedelta(**span))
    maintaining.fire_maintenance_timer(house, maintenance.id, clock())


@contextmanager
def statements(house: House) -> Iterator[list[str]]:
    """Note what the database is asked about component states."""
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        if "component_states" in statement:
            asked.append(statement)

    event.listen(house.store.engine, "before_cursor_execute", note)
    yield asked
    event.remove(house.store.engine, "before_cursor_execute", note)


def test_a_published_incident_is_recorded_with_its_time_and_its_end(
    house: House, clock: Clock, outages: Outages
) -> None:
    incident = outages.published()
    began = clock()
    clock.move(timedelta(hours=1))
    outages.close(incident)
    assert changes(house) == (
        StateChange("Email", MAJOR, began),
        StateChange("Email", UP, began + timedelta(hours=1)),
    )


@pytest.mark.parametrize("end", ["wait", "discard"])
def test_what_is_not_published_is_not_recorded(end: str, house: House, outages: Outages) -> None:
    incident = outages.fire()
    outages.wait(incident)
    if end == "discard":
        outages.discard(incident)
    assert changes(house) == ()


def test_a_recovery_alone_changes_nothing(house: House, clock: Clock, outages: Outages) -> None:
    outages.published(ECHO, subject="x", message="x")
    outages.recover(ECHO)
    assert recorded(house, "Calendar") == [DEGRADED]


def test_of_two_incidents_the_worse_is_recorded_and_what_remains_after_it(
    house: House, outages: Outages
) -> None:
    slow = outages.published("Slow", subject="x", message="x")
    gone = outages.published()
    assert recorded(house) == [DEGRADED, MAJOR]
    outages.close(gone)
    assert recorded(house) == [DEGRADED, MAJOR, DEGRADED]
    outages.close(slow)
    assert recorded(house) == [DEGRADED, MAJOR, DEGRADED, UP]


def test_a_milder_incident_beside_a_worse_one_is_no_change(house: House, outages: Outages) -> None:
    outages.published()
    outages.close(outages.published("Slow", subject="x", message="x"))
    assert recorded(house) == [MAJOR]


def test_a_maintenance_is_recorded_while_it_is_on(house: House, clock: Clock) -> None:
    work = plan(house, clock, "Email", "API")
    assert changes(house) == ()
    pass_time(house, clock, work, hours=1)
    assert (recorded(house), recorded(house, "API")) == ([MAINTENANCE], [MAINTENANCE])
    pass_time(house, clock, work, hours=2)
    assert (recorded(house), recorded(house, "API")) == ([MAINTENANCE, UP], [MAINTENANCE, UP])


def test_an_incident_during_a_maintenance_says_worse(house: House, clock: Clock, outages: Outages) -> None:
    incident = outages.fire()
    work = plan(house, clock, "Email")
    pass_time(house, clock, work, hours=1)
    outages.publish(incident)
    outages.close(incident)
    assert recorded(house) == [MAINTENANCE, MAJOR, MAINTENANCE]


def test_of_two_maintenances_the_longer_one_remains(house: House, clock: Clock) -> None:
    short, long = plan(house, clock, "Email"), plan(house, clock, "Email", hours=5)
    pass_time(house, clock, short, hours=1)
    maintaining.fire_maintenance_timer(house, long.id, clock())
    pass_time(house, clock, short, hours=2)
    assert recorded(house) == [MAINTENANCE]
    pass_time(house, clock, long, hours=3)
    assert recorded(house) == [MAINTENANCE, UP]


def test_a_change_is_never_recorded_before_the_one_before_it(
    house: House, clock: Clock, outages: Outages
) -> None:
    outages.close(outages.published())
    before = clock()
    clock.move(-timedelta(minutes=10))
    outages.published()
    assert [one.since for one in changes(house)] == [before] * 3


def test_nothing_is_asked_where_nothing_changes_in_public(
    house: House, clock: Clock, outages: Outages
) -> None:
    with statements(house) as asked:
        incident = outages.fire()
        clock.move(timedelta(minutes=5))
        fire_timer(house, incident.id, clock())
    assert asked == []
    outages.publish(incident)
    with statements(house) as asked:
        outages.tell(incident, "More")
    assert asked == []


def test_a_change_costs_two_statements(house: House, outages: Outages) -> None:
    incident = outages.fire()
    with statements(house) as asked:
        outages.publish(incident)
    assert len(asked) == 2


def test_components_that_are_new_in_the_configuration_begin_at_the_start(house: House, clock: Clock) -> None:
    start(house, clock)
    began = clock()
    assert changes(house) == tuple(StateChange(name, UP, began) for name in ("API", "Calendar", "Email"))
    clock.move(timedelta(days=1))
    start(house, clock)
    assert len(changes(house)) == 3
    more = replace(
        house.config, components=(*house.config.components, replace(house.config.components[0], name="Web"))
    )
    start(replace(house, config=more), clock)
    assert changes(house)[-1] == StateChange("Web", UP, clock())


def test_a_start_records_what_is_going_on_and_was_not_recorded(
    house: House, clock: Clock, outages: Outages
) -> None:
    outages.published()
    with house.store.transaction() as connection:
        component_states.append(connection, [StateChange("Email", UP, clock())])
    start(house, clock)
    assert recorded(house) == [MAJOR, UP, MAJOR]


def test_nothing_is_recorded_of_no_component(house: House, clock: Clock) -> None:
    with house.store.transaction() as connection:
        record(connection, [], clock())
    assert changes(house) == ()
