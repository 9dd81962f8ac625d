"""Incidents are found by phase, words, component and time, page by page, and never by looking through all of them."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, insert

from service.model import ComponentState, Incident, Phase
from service.store import incident_search
from service.store.database import Store
from service.store.incident_search import Wanted, search
from service.store.schema import alerts
from tests.store.rows import NOW, add_incident

DAY = timedelta(days=1)


def named(connection: Connection, incident: Incident, *names: str) -> None:
    """Let alerts of some names belong to an incident."""
    row = {"state": "firing", "raw_state": "", "message": "", "received_at": NOW, "reason": "alert_joined"}
    for name in names:
        connection.execute(insert(alerts), row | {"incident_id": incident.id, "monitor_name": name})


def ids(connection: Connection, **wanted: Any) -> list[int]:  # noqa: ANN401  any field of Wanted
    return [one.id for one in search(connection, Wanted(**wanted), limit=50).rows]


def looks(connection: Connection, wanted: Wanted, limit: int) -> Iterator[tuple[list[int], bool]]:
    """Give what each look found, one after the other, and whether it was cut."""
    before = None
    while True:
        found = search(connection, wanted, before_id=before, limit=limit)
        yield [one.id for one in found.rows], found.is_cut
        before = found.next_before
        if before is None:
            return


@pytest.fixture
def connection(store: Store) -> Iterator[Connection]:
    """Give a transaction in which four incidents were opened."""
    with store.transaction() as opened:
        add_incident(opened, subject="Disk 100% full", started_at=NOW - 9 * DAY, phase=Phase.CLOSED)
        add_incident(opened, subject="Mail is slow", started_at=NOW - 3 * DAY, phase=Phase.UNPUBLISHED)
        states = {'Büro "A": x': ComponentState.PARTIAL_OUTAGE}
        third = add_incident(opened, subject="No calendar", components=states, phase=Phase.DISCARDED)
        named(opened, third, "Host of the 7th floor")
        add_incident(opened, monitor_key="victorops:Web_1", subject="Nothing 2 see", phase=Phase.PUBLISHED)
        yield opened


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("", [4, 3, 2, 1]),
        ("MAIL", [3, 2, 1]),
        ("mail slow", [2]),
        ("slow calendar", []),
        ("100%", [1]),
        ("%", [1]),
        ("web_1", [4]),
        ("_", [4]),
        ("host 7th", [3]),
        ("INC-3", [3]),
        ("inc3", [3]),
        ("#3", [3]),
        ("inc-33", []),
        ("2", [2, 4]),
    ],
)
def test_they_are_found_by_words_and_tag(connection: Connection, words: str, found: list[int]) -> None:
    assert ids(connection, words=words) == found


def test_they_are_found_by_phase(connection: Connection) -> None:
    assert ids(connection, phases=(Phase.UNPUBLISHED,)) == [2]
    assert ids(connection, phases=(Phase.CLOSED, Phase.DISCARDED)) == [3, 1]
    assert ids(connection, phases=(Phase.CLOSED,), words="INC-3") == []
    assert ids(connection, phases=(Phase.CLOSED, Phase.DISCARDED), words="calendar") == [3]


@pytest.mark.parametrize(
    ("component", "found"), [("Email", [4, 2, 1]), ("Mail", []), ("major_outage", []), ('Büro "A": x', [3])]
)
def test_they_are_found_by_component(connection: Connection, component: str, found: list[int]) -> None:
    assert ids(connection, component=component) == found


def test_they_are_found_by_when_they_started(connection: Connection) -> None:
    assert ids(connection, since=NOW - 3 * DAY) == [4, 3, 2]
    assert ids(connection, until=NOW - 3 * DAY) == [1]
    assert ids(connection, since=NOW - 9 * DAY, until=NOW - DAY) == [2, 1]
    assert ids(connection, since=NOW, until=NOW) == []
    assert ids(connection, since=NOW + DAY) == []


def test_one_whose_alert_was_worked_off_late_is_found_by_when_it_fired(connection: Connection) -> None:
    late = add_incident(connection, started_at=NOW - 5 * DAY - timedelta(hours=23))
    for hours in range(1, 5):
        add_incident(connection, started_at=NOW - 5 * DAY + timedelta(hours=hours))
    assert ids(connection, since=NOW - 6 * DAY, until=NOW - 5 * DAY) == [late.id]


def test_no_time_is_too_far_away(connection: Connection) -> None:
    assert ids(connection, since=NOW.replace(year=2), until=NOW.replace(year=9998)) == [4, 3, 2, 1]


def test_only_the_first_alerts_are_looked_at(connection: Connection) -> None:
    flood = add_incident(connection)
    many = incident_search.ALERTS_SEARCHED
    named(connection, flood, *["Router"] * (many - 1), "Switch", "Bridge")
    assert ids(connection, words="router") == [flood.id]
    assert ids(connection, words="switch") == [flood.id]
    assert ids(connection, words="bridge") == []


def test_what_one_look_did_not_come_to_the_next_does(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incident_search, "SEARCHED", 2)
    assert list(looks(connection, Wanted(words="disk"), 5)) == [([], True), ([1], False)]
    assert list(looks(connection, Wanted(words="mail"), 1)) == [([3], True), ([2], False), ([1], False)]
    # without anything to look for nothing is looked through
    assert list(looks(connection, Wanted(), 5)) == [([4, 3, 2, 1], False)]
    assert list(looks(connection, Wanted((Phase.CLOSED,)), 5)) == [([1], False)]


def test_of_several_phases_none_is_passed_over(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incident_search, "SEARCHED", 1)
    for number in range(5, 12):
        phase = Phase.CLOSED if number % 3 else Phase.DISCARDED
        add_incident(connection, subject="Cable", phase=phase)
    wanted = Wanted((Phase.CLOSED, Phase.DISCARDED), words="cable")
    assert [one for found, _ in looks(connection, wanted, 3) for one in found] == list(range(11, 4, -1))


def test_what_has_the_tag_comes_first_and_once(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        add_incident(connection, subject="Rack 1")
    monkeypatch.setattr(incident_search, "SEARCHED", 3)
    found = list(looks(connection, Wanted(words="1"), 2))
    assert found == [([1, 7], False), ([6, 5], False), ([4], True), ([], False)]
    assert list(looks(connection, Wanted(words="1"), 1))[:2] == [([1], False), ([7], False)]
