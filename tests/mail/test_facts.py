"""What facts say of incidents and updates."""

import json
from dataclasses import replace

import pytest

from service.mail.facts import incident_facts, update_facts
from service.model import AUTOMATIC, ComponentState
from tests.mail.compose_samples import INCIDENT, NAMES, UPDATE


def test_facts_come_back_from_json_as_they_were() -> None:
    facts = [incident_facts(INCIDENT, names=NAMES), update_facts(UPDATE)]
    assert json.loads(json.dumps(facts)) == facts


@pytest.mark.parametrize(
    ("by", "shown"),
    [("ana", "Ana Müller"), (AUTOMATIC, "automatically"), ("gone", "gone"), (None, None)],
)
def test_whoever_acted_is_shown_by_name(by: str | None, shown: str | None) -> None:
    incident = replace(INCIDENT, published_by=by, ended_by=by)
    facts = incident_facts(incident, names=NAMES)
    assert (facts["published_by"], facts["ended_by"]) == (shown, shown)


def test_times_are_iso_strings_with_their_offset() -> None:
    facts = incident_facts(replace(INCIDENT, ended_at=None), names={})
    assert facts["started_at"] == "2026-11-24T13:02:00+00:00"
    assert facts["ended_at"] is None


def test_components_come_in_words_and_in_the_order_of_the_monitor() -> None:
    components = {"B": ComponentState.MAJOR_OUTAGE, "A": ComponentState.UNDER_MAINTENANCE}
    facts = incident_facts(replace(INCIDENT, components=components), names={})
    assert facts["components"] == [
        {"name": "B", "state": "major_outage", "state_words": "major outage"},
        {"name": "A", "state": "under_maintenance", "state_words": "under maintenance"},
    ]


def test_alerts_and_their_firings_are_counted_apart() -> None:
    facts = incident_facts(INCIDENT, names={})
    assert (facts["alerts"], facts["times_fired"]) == (2, 4)


def test_an_incident_knows_its_paths() -> None:
    facts = incident_facts(INCIDENT, names={})
    assert (facts["tag"], facts["public_path"], facts["dashboard_path"]) == (
        "INC-12",
        "/incidents/12",
        "/dashboard/incidents/12",
    )


def test_who_posted_an_update_stays_out_of_it() -> None:
    assert "ana" not in json.dumps(update_facts(replace(UPDATE, posted_by="ana")))
