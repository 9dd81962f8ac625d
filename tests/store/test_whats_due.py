"""Whether there is anything to do is told exactly when somebody would find it."""

from collections.abc import Callable

import pytest
from sqlalchemy import Connection, update

from service.model import DeliveryKind, Maintenance, MaintenancePhase
from service.store import deliveries, inbox_rows, maintenances, narrative
from service.store.database import Store
from service.store.inbox_rows import Arrival, Door, InboxState
from service.store.schema import incidents as incident_rows
from service.store.tidings import ToSend
from service.store.whats_due import is_to_decide, to_send
from tests.store.rows import MINUTE, NOW, a_mail, add_incident, add_update, queued

LATER, BEFORE = NOW + MINUTE, NOW - MINUTE


def a_post(connection: Connection) -> None:
    inbox_rows.add_many(connection, [Arrival(Door.WEBHOOK, NOW, b"{}")])


def a_reply(connection: Connection) -> None:
    inbox_rows.add_mails(connection, [Arrival(Door.MAIL, NOW, b"")])


def a_timer(connection: Connection) -> None:
    incident = add_incident(connection)
    connection.execute(update(incident_rows).where(incident_rows.c.id == incident.id).values(due_at=NOW))


def a_maintenance(connection: Connection) -> None:
    phase = MaintenancePhase.PLANNED
    maintenances.add(connection, Maintenance(0, phase, NOW, 1, "Moving", "", (), NOW, LATER, BEFORE, "ana"))


def somebody_who_was_not_reached(connection: Connection) -> None:
    (mail,) = queued(connection, a_mail("asked", employee_id="jordan"))
    deliveries.mark_bounced(connection, mail.id, NOW, "550 unknown")


@pytest.mark.parametrize("what", [a_post, a_reply, a_timer, a_maintenance, somebody_who_was_not_reached])
def test_what_waits_for_the_decider_is_told(store: Store, what: Callable[[Connection], None]) -> None:
    with store.transaction() as connection:
        assert not is_to_decide(connection, NOW)
        what(connection)
        assert is_to_decide(connection, NOW)


def test_a_timer_is_told_once_it_has_come(store: Store) -> None:
    with store.transaction() as connection:
        a_timer(connection)
        assert not is_to_decide(connection, BEFORE)
        assert is_to_decide(connection, LATER)


def test_what_was_worked_off_waits_no_more(store: Store) -> None:
    with store.transaction() as connection:
        a_post(connection)
        inbox_rows.finish(connection, 1, InboxState.DONE, reason="opened")
        assert not is_to_decide(connection, NOW)


def test_each_kind_that_is_due_is_told_to_its_own_sender(store: Store) -> None:
    with store.transaction() as connection:
        assert to_send(connection, LATER) == frozenset()
        update_id = add_update(connection, add_incident(connection))
        assert to_send(connection, LATER) == {ToSend.UPDATES}, "which nobody has a delivery of"
        narrative.advance_fan_out(connection, update_id, cursor=0, finished_at=NOW)
        assert to_send(connection, LATER) == frozenset()
        queued(connection, a_mail("waited for"))
        assert to_send(connection, LATER) == {ToSend.MAILS}
        queued(connection, a_mail("an update", update_id=update_id, kind=DeliveryKind.SUBSCRIBER_UPDATE))
        queued(connection, a_mail("a call", update_id=update_id, kind=DeliveryKind.WEBHOOK_CALL))
        assert to_send(connection, LATER) == frozenset(ToSend)
        assert to_send(connection, BEFORE) == frozenset()
