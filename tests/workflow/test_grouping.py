"""Which incident an alert belongs to."""

from dataclasses import replace

from service.grouping import incident_for_firing, incidents_for_recovery
from service.model import Incident, JoinedAlert
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


def test_a_recovery_without_an_id_means_all_of_the_monitor() -> None:
    both = [incident(1, "disk"), incident(2, None)]
    assert incidents_for_recovery((None,), both) == (tuple(both), None)


def test_a_recovery_with_an_id_means_this_alert_alone() -> None:
    found, ids = incidents_for_recovery(("disk", None), [incident(1, "disk"), incident(2, "net")])
    assert (found, ids) == ((incident(1, "disk"),), frozenset({"disk"}))


def test_a_recovery_with_an_id_means_alerts_without_one_where_nothing_of_the_id_fires() -> None:
    found, ids = incidents_for_recovery(("disk", None), [incident(1, None), incident(2, "net")])
    assert (found, ids) == ((incident(1, None),), frozenset({None}))


def test_a_recovery_means_what_is_known_by_the_surest_of_its_names_alone() -> None:
    both = [incident(1, "api-1", None), incident(2, "api-2")]
    assert incidents_for_recovery(("e1", "api-2", None), both) == ((both[1],), frozenset({"api-2"}))
    assert incidents_for_recovery(("e1", "api-3", None), both) == ((both[0],), frozenset({None}))
    assert incidents_for_recovery(("api-3", None), [both[1]])[0] == ()


def test_a_recovery_of_what_has_recovered_means_nothing() -> None:
    assert incidents_for_recovery((None,), [incident(1, None, recovered=True)]) == ((), None)
    assert incidents_for_recovery(("disk", None), [incident(1, "net")])[0] == ()
