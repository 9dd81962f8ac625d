"""Admins try again what failed and give up what waits, and nobody hears an end alone."""

import pytest
from sqlalchemy import select

from service.actions.house import House
from service.actions.redelivering import give_up, try_again
from service.errors import NotAllowed, NotFound
from service.model import Delivery, DeliveryKind, Incident
from service.store import audit, deliveries, incidents, progress, subscribers
from service.store.access_schema import audit as audit_table
from tests.rooms import Clock
from tests.store.rows import (
    MINUTE,
    NOW,
    a_mail,
    add_incident,
    add_subscriber,
    add_update,
    delivery_again,
    queued,
)
from tests.web.outages import Outages

UPDATE = DeliveryKind.SUBSCRIBER_UPDATE


def failed(house: House, **said: object) -> Delivery:
    """Queue a mail that failed for good."""
    with house.store.transaction() as connection:
        (mail,) = queued(connection, a_mail("x", **{"kind": DeliveryKind.APPROVAL, **said}))
        deliveries.mark_failed(connection, mail.id, NOW, "550 no such user")
        return delivery_again(connection, mail)


def to_ana(house: House) -> tuple[int, int, int]:
    """Give an incident, an update of it and a subscriber."""
    with house.store.transaction() as connection:
        incident = add_incident(connection)
        return incident.id, add_update(connection, incident), add_subscriber(connection, "ana").id


def now_is(house: House, mail: Delivery) -> Delivery:
    with house.store.reading() as connection:
        return delivery_again(connection, mail)


def test_what_failed_falls_due_once_more_as_if_new(house: House, clock: Clock) -> None:
    mail = failed(house)
    try_again(house, mail.id, house.config.employees["jordan"], clock())
    again = now_is(house, mail)
    assert (again.due_at, again.failed_at, again.attempts, again.last_error) == (clock(), None, 0, "")
    with house.store.reading() as connection:
        (act,) = audit.listed(connection, act="delivery_revived", limit=9)
    assert (act.by, act.note) == ("jordan", "550 no such user")


def test_counters_follow(house: House, clock: Clock) -> None:
    incident, update, ana = to_ana(house)
    said = {"kind": UPDATE, "incident_id": incident, "update_id": update, "subscriber_id": ana}
    mail, jordan = failed(house, **said), house.config.employees["jordan"]
    try_again(house, mail.id, jordan, clock())
    with house.store.reading() as connection:
        done = progress.of_update(connection, update)
    assert done is not None
    assert (done.failed, done.waiting) == (0, 1)
    give_up(house, mail.id, jordan, clock())
    with house.store.reading() as connection:
        done = progress.of_update(connection, update)
    assert done is not None
    assert (done.cancelled, done.waiting) == (1, 0)


def test_what_was_followed_by_more_is_not_tried_again(house: House, clock: Clock) -> None:
    incident, update, ana = to_ana(house)
    mail = failed(house, kind=UPDATE, incident_id=incident, update_id=update, subscriber_id=ana)
    with house.store.transaction() as connection:
        same = incidents.get(connection, incident)
        assert same is not None
        add_update(connection, same)
    with pytest.raises(NotAllowed, match="more was told since"):
        try_again(house, mail.id, house.config.employees["jordan"], clock())


def test_nothing_is_tried_again_for_who_is_not_reached(house: House, clock: Clock) -> None:
    incident, update, ana = to_ana(house)
    mail = failed(house, kind=UPDATE, incident_id=incident, update_id=update, subscriber_id=ana)
    with house.store.transaction() as connection:
        subscribers.suppress(connection, ana, NOW, "550")
    with pytest.raises(NotAllowed, match="let the subscriber hear again"):
        try_again(house, mail.id, house.config.employees["jordan"], clock())


def test_who_did_not_hear_the_beginning_does_not_hear_the_end(house: House, clock: Clock) -> None:
    incident, update, ana = to_ana(house)
    of_it = {"kind": UPDATE, "incident_id": incident, "subscriber_id": ana, "recipient": "ana@reader.example"}
    with house.store.transaction() as connection:
        same = incidents.get(connection, incident)
        assert same is not None
        end = add_update(connection, same)
        mails = queued(
            connection,
            a_mail("begin", update_id=update, **of_it),
            a_mail("end", update_id=end, **of_it),
        )
    give_up(house, mails[0].id, house.config.employees["jordan"], clock())
    assert [now_is(house, mail).due_at for mail in mails] == [None, None]


@pytest.mark.parametrize("who", ["sam", "vera"])
def test_only_admins_may(house: House, clock: Clock, who: str) -> None:
    mail = failed(house)
    for order in (try_again, give_up):
        with pytest.raises(NotAllowed, match="for admins"):
            order(house, mail.id, house.config.employees[who], clock())
    assert now_is(house, mail) == mail


def test_a_link_to_log_in_is_not_tried_again(house: House, clock: Clock) -> None:
    mail = failed(house, kind=DeliveryKind.LOGIN_LINK)
    with pytest.raises(NotAllowed, match="asks for a new one"):
        try_again(house, mail.id, house.config.employees["jordan"], clock())


def test_what_does_not_wait_or_did_not_fail_is_left(house: House, clock: Clock) -> None:
    mail, jordan = failed(house), house.config.employees["jordan"]
    with pytest.raises(NotAllowed, match="does not wait any more"):
        give_up(house, mail.id, jordan, clock())
    try_again(house, mail.id, jordan, clock())
    with pytest.raises(NotAllowed, match="has not failed"):
        try_again(house, mail.id, jordan, clock())
    with pytest.raises(NotFound):
        give_up(house, 10**6, jordan, clock())
    with house.store.reading() as connection:
        assert len(connection.execute(select(audit_table)).all()) == 1


def asked(
    house: House, clock: Clock, kind: DeliveryKind = DeliveryKind.APPROVAL
) -> tuple[Outages, Incident, Delivery]:
    """Let an incident be asked about, and the mail of a kind to Jordan fail."""
    outages = Outages(house, clock)
    incident = outages.fire()
    outages.wait(incident)
    if kind is not DeliveryKind.APPROVAL:
        outages.publish(incident)
    with house.store.transaction() as connection:
        theirs = deliveries.of_incident_to_employees(connection, incident.id)
        [mail] = [one for one in theirs if (one.employee_id, one.kind) == ("jordan", kind)]
        deliveries.mark_failed(connection, mail.id, clock(), "550 5.7.1 blocked")
    return outages, incident, mail


def test_a_question_that_is_still_open_is_asked_again(house: House, clock: Clock) -> None:
    *_, mail = asked(house, clock)
    clock.move(house.config.replies.token_lifetime - MINUTE)
    try_again(house, mail.id, house.config.employees["jordan"], clock())
    assert now_is(house, mail).due_at == clock()


@pytest.mark.parametrize("decision", ["publish", "discard"])
def test_what_was_decided_is_not_asked_about_again(house: House, clock: Clock, decision: str) -> None:
    outages, incident, mail = asked(house, clock)
    getattr(outages, decision)(incident, by="jordan")
    with pytest.raises(NotAllowed, match="its incident went on since"):
        try_again(house, mail.id, house.config.employees["jordan"], clock())
    assert now_is(house, mail).due_at is None


def test_a_question_that_nobody_can_answer_any_more_is_not_asked_again(house: House, clock: Clock) -> None:
    *_, mail = asked(house, clock)
    clock.move(house.config.replies.token_lifetime)
    with pytest.raises(NotAllowed, match="nobody can answer it any more"):
        try_again(house, mail.id, house.config.employees["jordan"], clock())


def test_an_employee_is_not_told_what_more_was_told_after(house: House, clock: Clock) -> None:
    outages, incident, mail = asked(house, clock, DeliveryKind.PUBLISHED)
    outages.close(incident)
    with pytest.raises(NotAllowed, match="more was told since"):
        try_again(house, mail.id, house.config.employees["jordan"], clock())


def test_an_employee_may_be_told_later_what_was_told_last(house: House, clock: Clock) -> None:
    *_, mail = asked(house, clock, DeliveryKind.PUBLISHED)
    try_again(house, mail.id, house.config.employees["jordan"], clock())
    assert now_is(house, mail).due_at == clock()
