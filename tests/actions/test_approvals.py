"""Whose approval counts where two must approve: that of a person who may still publish, at the moment of the second."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from service.actions import deciding
from service.actions.alerts import fire_timer
from service.actions.house import House
from service.actions.policies import with_approvals_that_count
from service.model import ComponentState, Incident, Phase, Role
from service.store import incidents
from tests.rooms import CONFIG, Clock, make_house
from tests.web.outages import Outages

BY_ITSELF = """\
  - provider: victorops
    alert_name: Calendar Server
    authored_by: jordan
    type: performance
    affected_components: {Calendar: degraded_performance}
    subject: "Calendars are slow"
    message: "We look into it."
    notify_employees: [jordan, sam]
    wait_time: 5m
"""
TWO = CONFIG.replace("wait_time: 5m", "wait_time: 5m\n    approvals: 2")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Give a house where two must approve."""
    made = make_house(tmp_path, TWO)
    yield made
    made.store.close()


def now_of(house: House, incident: Incident) -> Incident:
    with house.store.reading() as connection:
        found = incidents.get(connection, incident.id)
    assert found is not None
    return found


def left(house: House, employee_id: str) -> House:
    """Give the house after an employee was taken out of config.yaml."""
    others = {name: one for name, one in house.config.employees.items() if name != employee_id}
    return replace(house, config=replace(house.config, employees=others))


def only_looks(house: House, employee_id: str) -> House:
    """Give the house after an employee was made a viewer."""
    viewer = replace(house.config.employees[employee_id], role=Role.VIEWER)
    return replace(
        house, config=replace(house.config, employees={**house.config.employees, employee_id: viewer})
    )


@pytest.mark.parametrize("gone", [left, only_looks])
def test_an_approval_counts_no_more_once_its_employee_may_not_publish(
    gone: object, house: House, clock: Clock
) -> None:
    incident = Outages(house, clock).fire()
    deciding.publish(house, incident.id, house.config.employees["sam"], clock())
    later = gone(house, "sam")  # type: ignore[operator]  # one of the two above
    decision = deciding.publish(later, incident.id, house.config.employees["jordan"], clock())
    assert (decision.reason, decision.incident.approved_by) == ("approved", ("jordan",))
    assert now_of(house, incident).phase is Phase.UNPUBLISHED
    assert now_of(house, incident).approved_by == ("jordan",)


def test_whoever_approved_and_stayed_is_told_that_one_more_is_needed(house: House, clock: Clock) -> None:
    incident = Outages(house, clock).fire()
    deciding.publish(house, incident.id, house.config.employees["sam"], clock())
    decision = deciding.publish(left(house, "jordan"), incident.id, house.config.employees["sam"], clock())
    assert decision.reason == "refused_approved_before"


def test_what_a_token_approved_while_one_was_enough_counts_for_nothing(house: House, clock: Clock) -> None:
    incident = Outages(house, clock).fire()
    with house.store.transaction() as connection:
        approved = replace(incident, approved_by=("token:deploy",), version=incident.version + 1)
        incidents.save(connection, incident, approved)
    deciding.publish(house, incident.id, house.config.employees["jordan"], clock())
    assert now_of(house, incident).phase is Phase.UNPUBLISHED


def test_who_published_is_known_for_ever(house: House, clock: Clock) -> None:
    outages = Outages(house, clock)
    incident = outages.fire()
    outages.publish(incident, "sam")
    outages.publish(incident, "jordan")
    assert with_approvals_that_count(left(house, "sam"), now_of(house, incident)).approved_by == (
        "sam",
        "jordan",
    )


@pytest.mark.parametrize(
    "wish",
    [
        "auto_publish: true",
        "escalate: [{after: 1m, then: publish}]",
        "if_recovered_unpublished: publish_resolved",
    ],
)
@pytest.mark.parametrize(
    ("added", "is_public"), [({}, True), ({"Email": ComponentState.PARTIAL_OUTAGE}, False)]
)
def test_nothing_is_published_by_itself_that_was_given_a_component_of_which_two_must_approve(
    tmp_path: Path, clock: Clock, wish: str, added: dict[str, ComponentState], *, is_public: bool
) -> None:
    house = make_house(tmp_path, f"{TWO}{BY_ITSELF}    {wish}\n")
    outages = Outages(house, clock)
    incident = outages.fire("Calendar Server")
    sam, components = house.config.employees["sam"], {**incident.components, **added}
    deciding.edit(house, incident.id, sam, "Other", None, clock(), components=components)
    outages.wait(incident)
    clock.move(timedelta(minutes=1))
    fire_timer(house, incident.id, clock())
    if "recovered" in wish:
        outages.recover("Calendar Server")
    assert now_of(house, incident).phase.is_public is is_public
    house.store.close()
