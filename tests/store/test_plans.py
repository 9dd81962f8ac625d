"""How SQLite answers what is asked at every tick: by an index, however many rows have ended long ago."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import Connection, event

from service.model import DeliveryKind, JoinedAlert, Maintenance, MaintenancePhase, Update, UpdateStatus
from service.store import (
    audience,
    chosen_components,
    deliveries,
    fan_outs,
    far_ahead,
    inbox_bodies,
    inbox_firsts,
    inbox_rows,
    incidents,
    maintenances,
    narrative,
    old_deliveries,
    old_posts,
    open_incidents,
    subscribers,
    whats_due,
)
from service.store.audience import Audience, Span
from service.store.database import Store
from service.store.inbox_rows import Arrival, Door, InboxState
from tests.store.rows import (
    MINUTE,
    MONITOR,
    NOW,
    a_mail,
    add_incident,
    add_subscriber,
    add_update,
    claim,
    queued,
)

UPDATE = Update(2, 1, UpdateStatus.RESOLVED, "", NOW, "ana")
Query = Callable[[Connection], object]


HOT: dict[str, tuple[Query, set[str]]] = {
    "claim urgent": (lambda c: claim(c, urgent=True), {"ix_deliveries_urgent", "ix_deliveries_order"}),
    "claim updates": (lambda c: claim(c, urgent=False), {"ix_deliveries_updates", "ix_deliveries_order"}),
    "next mail that is urgent": (lambda c: deliveries.next_due_at(c, urgent=True), {"ix_deliveries_urgent"}),
    "next mail of an update": (lambda c: deliveries.next_due_at(c, urgent=False), {"ix_deliveries_updates"}),
    "anything far ahead": (
        lambda c: far_ahead.is_any_far_ahead(c, NOW),
        {"ix_deliveries_urgent", "ix_deliveries_updates", "ix_deliveries_calls"},
    ),
    "bring back": (
        lambda c: far_ahead.bring_back(c, NOW),
        {"ix_deliveries_urgent", "ix_deliveries_updates", "ix_deliveries_calls"},
    ),
    "next call": (deliveries.next_call_due_at, {"ix_deliveries_calls"}),
    "claim calls": (
        lambda c: deliveries.claim_calls(c, NOW, lease=MINUTE, limit=9),
        {"ix_deliveries_calls"},
    ),
    "unreached": (lambda c: deliveries.unreached_employees(c, limit=9), {"ix_deliveries_unreached"}),
    "lately unreached": (lambda c: deliveries.lately_unreached(c, NOW, limit=9), {"ix_deliveries_alarmed"}),
    "pending": (inbox_rows.next_pending, {"ix_inbox_pending"}),
    "count pending": (inbox_rows.count_pending, {"ix_inbox_pending"}),
    "timers": (lambda c: incidents.due_ids(c, NOW, limit=9), {"ix_incidents_due"}),
    "open": (lambda c: open_incidents.open_of_monitor(c, MONITOR), {"ix_incidents_open"}),
    "newest open": (lambda c: open_incidents.newest_of_monitor(c, MONITOR), {"ix_incidents_open"}),
    "firing": (
        lambda c: open_incidents.firing_of_monitor(c, MONITOR, "disk"),
        {"ix_joined_alerts_firing", "INTEGER PRIMARY KEY"},
    ),
    "firing without an id": (
        lambda c: open_incidents.firing_of_monitor(c, MONITOR, None),
        {"ix_incidents_open", "ix_joined_alerts_incident_id"},
    ),
    "is anything to decide": (
        lambda c: whats_due.is_to_decide(c, NOW),
        {"ix_inbox_pending", "ix_incidents_due", "ix_maintenances_due", "ix_deliveries_unreached"},
    ),
    "what is to send": (
        lambda c: whats_due.to_send(c, NOW),
        {"ix_deliveries_urgent", "ix_updates_to_fan_out", "ix_deliveries_updates", "ix_deliveries_calls"},
    ),
    "fan-out": (narrative.next_fan_out, {"ix_updates_to_fan_out"}),
    "current": (incidents.current_public, {"ix_incidents_going_on"}),
    "history": (lambda c: incidents.recent_public(c, limit=9), {"ix_incidents_published"}),
    "month": (lambda c: incidents.public_between(c, NOW, NOW, limit=9), {"ix_incidents_published"}),
    "first": (incidents.first_published_at, {"ix_incidents_published"}),
    "of some arrivals": (
        lambda c: inbox_firsts.first_alerts(c, [1, 2, 3], named="disk"),
        {"ix_alerts_inbox_id", "INTEGER PRIMARY KEY"},
    ),
    "of an arrival": (lambda c: narrative.incident_ids_of_arrival(c, 1), {"ix_alerts_inbox_id"}),
    "cancel": (lambda c: deliveries.cancel_of_subscriber(c, 1, ""), {"ix_deliveries_heard"}),
    "count of everybody": (lambda c: audience.count(c, Audience()), {"ix_subscribers_reached"}),
    "count of choosers": (
        lambda c: audience.count(c, Audience(components=("Shop",), groups=("vip",))),
        {"ix_subscribers_reached", "sqlite_autoindex_choices_1"},
    ),
    "end of an incident": (
        lambda c: fan_outs.cancel_unsent(c, UPDATE, "", limit=9),
        {"ix_deliveries_updates", "ix_deliveries_calls"},
    ),
    "queue an update": (lambda c: queue(c, UPDATE), {"ix_deliveries_updates"}),
    "queue a further update": (lambda c: queue(c, UPDATE, Audience(1)), {"ix_deliveries_updates"}),
    "queue a maintenance": (
        lambda c: queue(c, replace(UPDATE, incident_id=None, maintenance_id=1)),
        {"ix_deliveries_updates"},
    ),
    "everybody": (lambda c: next_to_tell(c, Audience(None)), {"INTEGER PRIMARY KEY"}),
    "who heard": (lambda c: next_to_tell(c, Audience(1)), {"INTEGER PRIMARY KEY", "ix_deliveries_heard"}),
    "last alert": (lambda c: narrative.last_alert_of(c, 1), {"ix_alerts_incident_id"}),
    "last UID": (lambda c: inbox_rows.last_uid(c, "a/INBOX/1/"), {"uq_inbox_uid_key"}),
    "occasions": (
        lambda c: deliveries.count_of_occasions(c, "answer-error:", NOW - MINUTE),
        {"sqlite_autoindex_deliveries_1"},
    ),
}


def next_to_tell(connection: Connection, wanted: Audience) -> object:
    return audience.next_to_tell(connection, wanted, posted_at=NOW, after_id=0, limit=9)


def queue(connection: Connection, said: Update, wanted: Audience = Audience()) -> object:  # noqa: B008  frozen
    hearing = audience.hearing(wanted, posted_at=NOW, after_id=0)
    span = Span(1, 9, 9, hearing)
    kind = DeliveryKind.SUBSCRIBER_UPDATE
    return fan_outs.queue(connection, said, kind, span, NOW, lease=MINUTE)


def plan_of(connection: Connection, query: Query) -> list[str]:
    """Let a query run and say, step by step, how SQLite goes about it."""
    asked: list[tuple[str, object]] = []

    def listen(*given: object) -> None:
        asked.append((str(given[2]), given[3]))

    event.listen(connection, "before_cursor_execute", listen)
    query(connection)
    event.remove(connection, "before_cursor_execute", listen)
    explained = ((f"EXPLAIN QUERY PLAN {text}", values) for text, values in asked)
    return [
        str(step.detail)
        for text, values in explained
        for step in connection.exec_driver_sql(text, values)  # type: ignore[arg-type]  # as SQLAlchemy gave it
    ]


@pytest.mark.parametrize("name", HOT)
def test_a_hot_query_goes_by_its_index(sqlite: Store, name: str) -> None:
    query, wanted = HOT[name]
    with sqlite.transaction() as connection:
        steps = plan_of(connection, query)
    whole_tables = [step for step in steps if re.fullmatch(r"SCAN (?!anon_)\w+", step)]
    used = set(re.findall(r"ix_\w+|uq_\w+|sqlite_autoindex_\w+|INTEGER PRIMARY KEY", " ".join(steps)))
    assert not whole_tables
    assert wanted <= used
    assert not [step for step in steps if "TEMP B-TREE FOR ORDER BY" in step]


def test_what_fires_of_many_entity_ids_is_read_by_their_index(sqlite: Store) -> None:
    with sqlite.transaction() as connection:
        add_incident(connection, alerts=(JoinedAlert("disk", NOW),))
        steps = plan_of(connection, lambda c: incidents.that_fire(c, {"disk", "net"}))
    said = " ".join(steps)
    assert "SCAN" not in said
    assert all(index in said for index in ("ix_joined_alerts_firing", "INTEGER PRIMARY KEY"))


def test_what_fires_under_a_name_is_read_by_its_index_however_many_are_open(sqlite: Store) -> None:
    with sqlite.transaction() as connection:
        add_incident(connection, alerts=(JoinedAlert("api-1", NOW, name="api-1"),))
        steps = plan_of(connection, lambda c: open_incidents.firing_by_name(c, "victorops:Email", "api-1"))
    said = " ".join(steps)
    assert "SCAN" not in said
    assert all(index in said for index in ("ix_joined_alerts_named (name=?)", "INTEGER PRIMARY KEY"))


def test_who_heard_an_update_is_counted_by_its_index(sqlite: Store) -> None:
    with sqlite.transaction() as connection:
        update_id = add_update(connection, add_incident(connection))
        ana = add_subscriber(connection, "ana")
        queued(connection, a_mail("update", update_id=update_id, subscriber_id=ana.id))
        assert audience.count(connection, Audience(update_id)).total == 1
        steps = " ".join(plan_of(connection, lambda c: audience.count(c, Audience(update_id))))
    assert "ix_deliveries_heard (subscriber_id=? AND update_id=?)" in steps
    assert "ix_subscribers_reached" in steps


def test_the_names_that_were_chosen_are_found_by_their_index_however_many_chose(sqlite: Store) -> None:
    with sqlite.transaction() as connection:
        subscribers.choose(connection, add_subscriber(connection, "ana").id, components=["Shop"], groups=())
        wanted = Audience(components=("API",), known=("API",))
        counted = " ".join(plan_of(connection, lambda c: audience.count(c, wanted)))
        steps = " ".join(plan_of(connection, lambda c: chosen_components.besides(c, ())))
    assert "SCAN choices" not in steps + counted
    assert "sqlite_autoindex_choices_1 (subscriber_id=? AND kind=? AND name=?)" in counted
    assert "ix_choices_name (kind=? AND name>?)" in steps
    assert "ix_choices_name (kind=? AND name=?)" in steps


def test_all_that_a_reader_was_to_hear_is_called_off_by_its_index(sqlite: Store) -> None:
    with sqlite.transaction() as connection:
        incident = add_incident(connection)
        told, ana = add_update(connection, incident), add_subscriber(connection, "ana")
        end = replace(UPDATE, id=add_update(connection, incident), incident_id=incident.id)
        queued(connection, a_mail("told", update_id=told, subscriber_id=ana.id))
        steps = plan_of(connection, lambda c: fan_outs.cancel_unsent(c, end, "", limit=9))
    said = " ".join(steps)
    assert "SCAN" not in said
    assert "TEMP B-TREE" not in said
    assert "SEARCH deliveries USING INDEX ix_deliveries_heard (subscriber_id=? AND update_id=?)" in said
    assert "SEARCH original USING INDEX ix_deliveries_heard (subscriber_id=? AND update_id=?)" in said


def test_old_deliveries_are_removed_by_their_numbers(sqlite: Store) -> None:
    with sqlite.transaction() as connection:
        told = add_update(connection, add_incident(connection))
        for one in queued(connection, a_mail("asked"), a_mail("told", update_id=told), at=NOW - MINUTE):
            deliveries.mark_sent(connection, one.id, NOW)
        steps = plan_of(connection, lambda c: old_deliveries.remove(c, NOW, NOW, limit=9))
    assert "SEARCH deliveries USING INTEGER PRIMARY KEY (rowid>?)" in steps
    assert not [step for step in steps if step.startswith("SCAN")]


SWEEPS: dict[str, Query] = {
    "posts": lambda c: old_posts.remove(c, NOW, limit=9),
    "bodies": lambda c: inbox_bodies.remove(c, NOW, NOW, limit=9),
}


@pytest.mark.parametrize("name", SWEEPS)
def test_what_arrived_long_ago_is_removed_by_its_number_also_while_a_maintenance_is_on(
    sqlite: Store, name: str
) -> None:
    with sqlite.transaction() as connection:
        arrival = Arrival(Door.WEBHOOK, NOW - MINUTE, b"{}", state=InboxState.DONE)
        inbox_rows.add_many(connection, [arrival])
        on = MaintenancePhase.ON
        maintenances.add(connection, Maintenance(0, on, NOW, 1, "Moving", "", (), NOW, NOW, NOW, "ana"))
        steps = plan_of(connection, SWEEPS[name])
    assert "SEARCH inbox USING INTEGER PRIMARY KEY (rowid>?)" in steps
    assert "SEARCH alerts USING INDEX ix_alerts_inbox_id (inbox_id>? AND inbox_id<?)" in steps
    assert not [step for step in steps if step.startswith("SCAN")]
