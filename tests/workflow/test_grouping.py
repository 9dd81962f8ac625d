"""Which incident an alert belongs to."""

from dataclasses import replace

import pytest

from service.grouping import Firing, ended_by, incident_for_firing, incidents_for_recovery
from service.model import Incident, JoinedAlert, KnownAs
from tests.workflow.test_phases import OPEN, T0, WAITING


def incident(number: int, *entities: str | None, recovered: bool = False) -> Incident:
    """Make an open incident in which alerts of these entities fired."""
    alerts = tuple(JoinedAlert(entity, T0, T0 if recovered else None) for entity in entities)
    return replace(WAITING, id=number, alerts=alerts)


def test_with_combine_an_alert_joins_the_newest_open_incident() -> None:
    assert incident_for_firing(None, [incident(1, None), incident(2, None)], combine=True) == incident(
        2, None
    )


def test_with_combine_the_incident_where_it_already_fires_is_preferred() -> None:
    assert incident_for_firing("disk", [incident(1, "disk"), incident(2, "net")], combine=True) == incident(
        1, "disk"
    )


def test_without_combine_each_alert_opens_an_incident_of_its_own() -> None:
    assert incident_for_firing(None, [OPEN], combine=False) is None
    assert incident_for_firing("net", [incident(1, "disk")], combine=False) is None


def test_without_combine_a_repetition_of_the_same_entity_is_no_new_incident() -> None:
    assert incident_for_firing("disk", [incident(1, "disk")], combine=False) == incident(1, "disk")


def test_an_alert_that_had_recovered_opens_anew_without_combine() -> None:
    assert incident_for_firing("disk", [incident(1, "disk", recovered=True)], combine=False) is None


def meant(recovery: KnownAs, *among: Incident) -> dict[int, set[str | None]]:
    """Give which alerts of which incidents a recovery means."""
    return {one.id: set(keys) for one, keys in incidents_for_recovery(recovery, among)}


def test_a_recovery_without_an_id_means_all_of_a_monitor_of_one_name() -> None:
    assert meant(KnownAs(None, "email", is_one_of_several=False), incident(1, "disk"), incident(2, None)) == {
        1: {"disk"},
        2: {None},
    }


def test_a_recovery_with_an_id_means_this_alert_alone() -> None:
    disk = KnownAs("disk", "email", is_one_of_several=False)
    assert meant(disk, incident(1, "disk"), incident(2, "net"), incident(3, None)) == {1: {"disk"}}


def test_a_recovery_with_an_id_means_alerts_without_one_where_nothing_of_the_id_fires() -> None:
    disk = KnownAs("disk", "email", is_one_of_several=False)
    assert meant(disk, incident(1, None), incident(2, "net")) == {1: {None}}


def test_a_recovery_of_what_has_recovered_means_nothing() -> None:
    assert meant(KnownAs(None, "email", is_one_of_several=False), incident(1, None, recovered=True)) == {}
    assert meant(KnownAs("disk", "email", is_one_of_several=False), incident(1, "net")) == {}


API_1, API_2, E_1, E_2 = (
    Firing("api-1", "api-1"),
    Firing("api-2", "api-2"),
    Firing("e1", "api-1"),
    Firing("e2", "api-2"),
)
UNKNOWN = Firing(None, "")
"""What was opened by hand, or fired before alerts had names."""


@pytest.mark.parametrize(
    ("entity_id", "firing", "ended"),
    [
        (None, [API_1, API_2], [API_1]),
        (None, [API_1, E_1, E_2], [API_1, E_1]),
        (None, [API_2, E_2], []),
        ("e1", [API_1, E_1, E_2], [E_1]),
        ("e1", [API_1, API_2], [API_1]),
        ("e1", [API_2, E_2], []),
        # what has no name ends with the last that has one, and alone by any recovery
        (None, [API_1, UNKNOWN], [API_1, UNKNOWN]),
        ("e1", [E_1, UNKNOWN], [E_1, UNKNOWN]),
        (None, [API_1, API_2, UNKNOWN], [API_1]),
        (None, [API_2, UNKNOWN], []),
        (None, [UNKNOWN], [UNKNOWN]),
        (None, [], []),
    ],
)
def test_under_a_monitor_of_several_names_a_recovery_ends_what_has_its_name(
    entity_id: str | None, firing: list[Firing], ended: list[Firing]
) -> None:
    recovery = KnownAs(entity_id, "api-1", is_one_of_several=True)
    assert ended_by(recovery, firing) == frozenset(ended)
