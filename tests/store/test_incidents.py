"""Incidents are saved by version, with their alerts, and shown outside only once they are published."""

from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest
from sqlalchemy import Connection, event, func, insert, select

from service.errors import IncidentChangedMeanwhile, StoreUnavailable
from service.model import Incident, JoinedAlert, Phase, TimelineEntry
from service.store import incidents, narrative, open_incidents
from service.store.database import Store
from service.store.schema import alerts as alert_rows
from service.store.schema import joined_alerts
from service.store.together import MOST_OPEN, together
from tests.store.rows import MINUTE, MONITOR, NOW, add_incident

DISK, NET = JoinedAlert("disk", NOW), JoinedAlert("net", NOW)
LATER = NOW + MINUTE
OPENED = TimelineEntry(NOW, None, Phase.WAITING, "opened", "automatic")


def changed(incident: Incident, **said: object) -> Incident:
    return replace(incident, version=incident.version + 1, **said)  # type: ignore[arg-type]  # fields of it


def count_alert_rows(connection: Connection) -> int:
    return connection.execute(select(func.count()).select_from(joined_alerts)).scalar_one()


def test_an_incident_comes_back_as_it_was_saved(store: Store) -> None:
    with store.transaction() as connection:
        saved = add_incident(
            connection,
            alerts=(DISK, NET),
            notify_employees=("jordan", "sam"),
            approved_by=("sam",),
            due_at=LATER,
            held_until=LATER,
            published_at=NOW,
            published_by="sam",
        )
        assert incidents.get(connection, saved.id) == saved


def test_a_change_is_saved_once(store: Store) -> None:
    with store.transaction() as connection:
        before = add_incident(connection)
        incidents.save(connection, before, changed(before, phase=Phase.UNPUBLISHED))
        with pytest.raises(IncidentChangedMeanwhile, match="INC-1 was changed by somebody else"):
            incidents.save(connection, before, changed(before, phase=Phase.DISCARDED))
        read = incidents.get(connection, before.id)
    assert read is not None
    assert read.phase is Phase.UNPUBLISHED


def test_a_number_is_opened_once(store: Store) -> None:
    with store.transaction() as connection:
        opened = add_incident(connection)
        with pytest.raises(IncidentChangedMeanwhile):
            incidents.save(connection, None, opened)


def test_a_number_never_comes_again(store: Store) -> None:
    with store.transaction() as connection:
        numbers = [incidents.reserve_id(connection, MONITOR, NOW) for _ in range(3)]
        connection.exec_driver_sql("DELETE FROM incidents")
        assert incidents.reserve_id(connection, MONITOR, NOW) == numbers[-1] + 1


def open_in_vain(store: Store) -> None:
    with store.transaction() as connection, together(connection):
        add_incident(connection)
        raise ZeroDivisionError


def test_numbers_that_are_counted_together_are_followed_by_the_next_and_leave_none_out(store: Store) -> None:
    with store.transaction() as connection:
        first = add_incident(connection).id
    for _ in range(2):
        with store.transaction() as connection, together(connection):
            for _ in range(2):
                add_incident(connection)
    with pytest.raises(ZeroDivisionError):
        open_in_vain(store)
    with store.transaction() as connection:
        assert add_incident(connection).id == first + 5
        assert [one.id for one in incidents.listed(connection, limit=9)] == [*range(first + 5, first - 1, -1)]


def test_what_names_a_new_incident_finds_it_however_late_it_is_written(store: Store) -> None:
    with store.transaction() as connection, together(connection):
        for number in range(2):
            opened = add_incident(connection)
            narrative.add_timeline(connection, opened.id, OPENED)
            # reads the timeline, in which the one before is named, and then all incidents
            assert len(narrative.timeline_of(connection, opened.id)) == 1
            assert len(incidents.listed(connection, limit=9)) == number + 1
        last = add_incident(connection)
        narrative.add_timeline(connection, last.id, OPENED)
        connection.execute(
            insert(alert_rows).values(
                incident_id=last.id,
                monitor_name="Email Server",
                state="firing",
                raw_state="CRITICAL",
                message="",
                received_at=NOW,
                reason="opened",
            )
        )
    with store.reading() as connection:
        assert len(narrative.timeline_of(connection, last.id)) == 1


@pytest.mark.parametrize(
    "after",
    [
        (DISK, NET, JoinedAlert(None, LATER)),
        (DISK, replace(NET, recovered_at=LATER)),
        (replace(DISK, times_fired=3), replace(NET, recovered_at=LATER), JoinedAlert("cpu", LATER)),
        (DISK, NET),
    ],
    ids=["joined", "recovered", "all at once", "unchanged"],
)
def test_what_changed_of_the_alerts_is_saved(store: Store, after: tuple[JoinedAlert, ...]) -> None:
    with store.transaction() as connection:
        before = add_incident(connection, alerts=(DISK, NET))
        incidents.save(connection, before, changed(before, alerts=after))
        read = incidents.get(connection, before.id)
        assert count_alert_rows(connection) == len(after)
    assert read is not None
    assert read.alerts == after


def test_an_alert_without_an_id_is_found_again(store: Store) -> None:
    with store.transaction() as connection:
        before = add_incident(connection, alerts=(JoinedAlert(None, NOW),))
        recovered = (JoinedAlert(None, NOW, recovered_at=LATER),)
        incidents.save(connection, before, changed(before, alerts=recovered))
        read = incidents.get(connection, before.id)
    assert read is not None
    assert read.alerts == recovered


def test_alerts_of_another_incident_are_left_alone(store: Store) -> None:
    with store.transaction() as connection:
        mine, other = add_incident(connection, alerts=(DISK,)), add_incident(connection, alerts=(DISK,))
        incidents.save(connection, mine, changed(mine, alerts=(replace(DISK, recovered_at=LATER),)))
        assert incidents.get(connection, other.id) == other


def by_number(connection: Connection) -> list[Incident | None]:
    return [incidents.get_public(connection, 1)]


def between(connection: Connection) -> tuple[Incident, ...]:
    return incidents.public_between(connection, NOW, LATER, limit=9)


PUBLIC_QUERIES: list[Callable[[Connection], object]] = [
    by_number,
    between,
    incidents.current_public,
    lambda connection: incidents.recent_public(connection, limit=9),
    incidents.first_published_at,
]


@pytest.mark.parametrize("phase", [phase for phase in Phase if not phase.is_public])
def test_what_is_not_public_is_in_no_answer_for_the_public(store: Store, phase: Phase) -> None:
    with store.transaction() as connection:
        add_incident(connection, phase=phase, published_at=NOW)
        answers = [query(connection) for query in PUBLIC_QUERIES]
    assert answers == [[None], (), (), (), None]


@pytest.mark.parametrize("phase", [phase for phase in Phase if phase.is_public])
def test_what_is_public_is_in_every_answer(store: Store, phase: Phase) -> None:
    with store.transaction() as connection:
        shown = add_incident(connection, phase=phase, published_at=NOW)
        answers = [query(connection) for query in PUBLIC_QUERIES]
    assert answers == [[shown], (shown,), (shown,) if phase.is_open else (), (shown,), NOW]


def test_only_open_incidents_of_the_monitor_take_alerts(store: Store) -> None:
    with store.transaction() as connection:
        by_phase = {phase: add_incident(connection, phase=phase) for phase in Phase}
        add_incident(connection, monitor_key="victorops:Website")
        found = open_incidents.open_of_monitor(connection, MONITOR)
    assert found == tuple(incident for phase, incident in by_phase.items() if phase.is_open)


@pytest.mark.parametrize("entity_id", ["disk", "net", None])
def test_an_alert_is_found_where_it_fires_in_what_is_open_of_the_monitor(
    store: Store, entity_id: str | None
) -> None:
    fires = (NET, replace(DISK, entity_id=entity_id))
    over = (replace(DISK, entity_id=entity_id, recovered_at=LATER),)
    with store.transaction() as connection:
        by_phase = {phase: add_incident(connection, phase=phase, alerts=fires) for phase in Phase}
        add_incident(connection, alerts=over)
        add_incident(connection, monitor_key="victorops:Website", alerts=fires)
        found = open_incidents.firing_of_monitor(connection, MONITOR, entity_id)
        nothing = open_incidents.firing_of_monitor(connection, MONITOR, "other")
    assert found == tuple(one for phase, one in by_phase.items() if phase.is_open)
    assert nothing == ()


@pytest.mark.parametrize(
    "expected", [(), ("disk", "net", "cpu"), map(str, range(open_incidents.MOST_EXPECTED + 1))]
)
def test_beside_many_open_ones_an_alert_is_found_where_it_fires_by_now(
    store: Store, monkeypatch: pytest.MonkeyPatch, expected: Iterable[str]
) -> None:
    monkeypatch.setattr(open_incidents, "FEW_OPEN", 0)
    with store.transaction() as connection:
        before = add_incident(connection, alerts=(DISK,), phase=Phase.WAITING)
        other = add_incident(connection, alerts=(DISK, NET), phase=Phase.WAITING)
        add_incident(connection, monitor_key="victorops:Website", alerts=(DISK, NET), phase=Phase.WAITING)

    def found(entity_id: str) -> list[int]:
        return [one.id for one in open_incidents.firing_of_monitor(connection, MONITOR, entity_id)]

    with store.transaction() as connection, together(connection):
        open_incidents.expect(connection, expected)
        at_first = found("disk"), found("net"), found("cpu")
        incidents.save(connection, before, changed(before, alerts=(replace(DISK, recovered_at=LATER),)))
        incidents.save(connection, other, changed(other, phase=Phase.CLOSED, due_at=None))
        new = add_incident(connection, alerts=(NET, JoinedAlert("cpu", NOW)), phase=Phase.WAITING)
        by_now = found("disk"), found("net"), found("cpu")
    assert at_first == ([before.id, other.id], [other.id], [])
    assert by_now == ([], [new.id], [new.id])


def test_beside_many_open_ones_an_alert_looks_at_no_incident_that_it_does_not_concern(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(open_incidents, "FEW_OPEN", 0)
    looked_at: list[int] = []
    fires = Incident.fires

    def looking(incident: Incident, entity_id: str | None) -> bool:
        looked_at.append(incident.id)
        return fires(incident, entity_id)

    monkeypatch.setattr(Incident, "fires", looking)
    with store.transaction() as connection, together(connection):
        for number in range(30):
            add_incident(connection, alerts=(JoinedAlert(f"disk-{number}", NOW),))
        open_incidents.firing_of_monitor(connection, MONITOR, "net")
        looked_at.clear()
        [found] = open_incidents.firing_of_monitor(connection, MONITOR, "disk-7")
    assert len(looked_at) <= 2
    assert set(looked_at) == {found.id}


def test_what_ended_with_an_alert_that_never_recovered_is_not_read_again(store: Store) -> None:
    said: list[str] = []
    with store.transaction() as connection:
        for phase in (Phase.CLOSED, Phase.DISCARDED):
            add_incident(connection, alerts=(DISK,), phase=phase)
        event.listen(connection, "before_cursor_execute", lambda *given: said.append(str(given[2])))
        assert incidents.that_fire(connection, {"disk"}) == ()
    assert len(said) == 1


def test_a_monitor_of_which_many_are_opened_together_is_asked_about_as_any_other(store: Store) -> None:
    with store.transaction() as connection, together(connection):
        assert open_incidents.newest_of_monitor(connection, MONITOR) == ()
        for number in range(MOST_OPEN + 2):
            newest = add_incident(connection, alerts=(JoinedAlert(f"disk-{number}", NOW),))
        assert open_incidents.newest_of_monitor(connection, MONITOR) == (newest,)
        for number in (0, MOST_OPEN + 1):
            [found] = open_incidents.firing_of_monitor(connection, MONITOR, f"disk-{number}")
            assert found.alerts[0].entity_id == f"disk-{number}"


def test_the_newest_open_incident_of_a_monitor_is_found(store: Store) -> None:
    with store.transaction() as connection:
        assert open_incidents.newest_of_monitor(connection, MONITOR) == ()
        _, newest = add_incident(connection), add_incident(connection)
        add_incident(connection, phase=Phase.CLOSED)
        add_incident(connection, monitor_key="victorops:Website")
        assert open_incidents.newest_of_monitor(connection, MONITOR) == (newest,)


def test_due_are_those_whose_time_has_come_longest_overdue_first(store: Store) -> None:
    with store.transaction() as connection:
        add_incident(connection, due_at=None)
        add_incident(connection, due_at=LATER)
        just, overdue = add_incident(connection, due_at=NOW), add_incident(connection, due_at=NOW - MINUTE)
        assert incidents.due_ids(connection, NOW, limit=9) == (overdue.id, just.id)
        assert incidents.due_ids(connection, NOW, limit=1) == (overdue.id,)


def test_history_is_read_page_by_page_latest_first(store: Store) -> None:
    with store.transaction() as connection:
        for minutes in range(5):
            add_incident(connection, phase=Phase.CLOSED, published_at=NOW + minutes * MINUTE)
        first = incidents.recent_public(connection, limit=3)
        second = incidents.recent_public(connection, limit=3, before=first[-1].published_at)
    assert [one.id for one in (*first, *second)] == [5, 4, 3, 2, 1]


def test_what_is_remembered_of_alerts_is_what_would_be_read(store: Store) -> None:
    with store.transaction() as connection, together(connection):
        first = add_incident(connection, alerts=(DISK,), phase=Phase.WAITING)
        again = replace(DISK, times_fired=2)
        for alerts in ((DISK, NET), (again, NET), (again, replace(NET, recovered_at=LATER))):
            [before] = open_incidents.open_of_monitor(connection, first.monitor_key)
            incidents.save(connection, before, changed(before, alerts=alerts))
        remembered = incidents.get(connection, first.id)
    with store.reading() as connection:
        assert incidents.get(connection, first.id) == remembered
    assert remembered is not None
    assert remembered.alerts == alerts


def test_alerts_are_read_once_while_they_are_remembered(store: Store) -> None:
    said: list[str] = []
    event.listen(store.engine, "before_cursor_execute", lambda _c, _cur, text, *_: said.append(text))
    with store.transaction() as connection:
        first = add_incident(connection, alerts=(DISK, NET))
        said.clear()
        with together(connection):
            for _ in range(3):
                incidents.get(connection, first.id)
        incidents.get(connection, first.id)
    assert sum("FROM joined_alerts" in text for text in said) == 2


def save_after_somebody_else(store: Store) -> None:
    with store.transaction() as connection:
        before = add_incident(connection)
        incidents.save(connection, before, changed(before, subject="theirs"))
        with together(connection):
            incidents.save(connection, before, changed(before, subject="ours"))


def test_that_somebody_else_changed_it_is_told_also_where_decisions_are_written_together(
    store: Store,
) -> None:
    with pytest.raises(IncidentChangedMeanwhile, match="INC-1 was changed by somebody else"):
        save_after_somebody_else(store)


def lose_the_connection(store: Store) -> None:
    with store.transaction() as connection, together(connection):
        connection.invalidate()
        raise StoreUnavailable("the server is gone")


def test_that_the_connection_was_lost_is_what_is_told_of_a_transaction_that_remembers(store: Store) -> None:
    with pytest.raises(StoreUnavailable, match="gone"):
        lose_the_connection(store)
    with store.transaction() as connection:
        assert incidents.get(connection, 1) is None
