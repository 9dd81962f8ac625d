"""Which incident an alert belongs to."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


@pytest.mark.parametrize("fired_without_id", [Firing(None, "api-1"), Firing("api-1", "api-1")])
@pytest.mark.parametrize("is_one_of_several", [False, True])
def test_it_does_so_whether_its_monitor_has_one_name_by_now_or_several(
    fired_without_id: Firing, *, is_one_of_several: bool
) -> None:
    recovery = KnownAs("e1", "api-1", is_one_of_several=is_one_of_several)
    other = Firing("e2", "api-1")
    assert ended_by(recovery, [fired_without_id, other]) == {fired_without_id}
    assert ended_by(recovery._replace(name="api-2"), [Firing("api-1", "api-1"), other]) == frozenset()


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
"""What was opened by hand, or fired under a monitor of one name that has several by now."""
UNNAMED_1, UNNAMED_E_1, UNNAMED_E_2 = Firing("API-1", ""), Firing("e1", ""), Firing("e2", "")
"""What an older version noted, which knew no names: of what came without an id it took the name for one."""


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
        # what has no name is told from others by its id
        (None, [UNNAMED_E_1, UNNAMED_E_2], []),
        ("e1", [UNNAMED_E_1, UNNAMED_E_2], [UNNAMED_E_1]),
        ("e9", [UNNAMED_E_1], []),
        ("e1", [UNNAMED_E_1, UNKNOWN], [UNNAMED_E_1, UNKNOWN]),
        (None, [UNNAMED_E_2, UNKNOWN], []),
        # or by the name that stands for one
        (None, [UNNAMED_1, UNNAMED_E_2], [UNNAMED_1]),
        (None, [UNNAMED_1, API_1, API_2], [UNNAMED_1, API_1]),
        ("e1", [UNNAMED_1, API_2], [UNNAMED_1]),
        ("e1", [UNNAMED_1, UNNAMED_E_1], [UNNAMED_E_1]),
    ],
)
def test_under_a_monitor_of_several_names_a_recovery_ends_what_has_its_name(
    entity_id: str | None, firing: list[Firing], ended: list[Firing]
) -> None:
    recovery = KnownAs(entity_id, "api-1", is_one_of_several=True)
    assert ended_by(recovery, firing) == frozenset(ended)


NAMES = ["api-1", "api-2", "web"]
THINGS = st.builds(
    lambda entity_id, name: KnownAs(entity_id, name, is_one_of_several=True),
    st.sampled_from([None, "e1", "e2"]),
    st.sampled_from(NAMES),
)


@given(
    fired=st.lists(THINGS, max_size=5, unique_by=lambda one: one.key),
    before=st.sets(st.integers(0, 4)),
    recovery=THINGS,
    by_hand=st.booleans(),
)
def test_what_fired_before_an_upgrade_is_ended_by_nothing_that_would_not_end_it_after_one(
    fired: list[KnownAs], before: set[int], recovery: KnownAs, *, by_hand: bool
) -> None:
    known = [Firing(one.key, one.name) for one in fired]
    noted = [one._replace(name="") if at in before else one for at, one in enumerate(known)]
    without_upgrade, with_one = (
        {one.key for one in ended_by(recovery, [*firing, UNKNOWN] if by_hand else firing)}
        for firing in (known, noted)
    )
    assert with_one <= without_upgrade
    if recovery.entity_id is not None or all(one.name or one.key in NAMES for one in noted):
        assert with_one == without_upgrade  # ids and names leave no doubt
