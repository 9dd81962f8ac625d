"""The outbox's rows: one per occasion, claimed by one, in order, and never lost."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest
from sqlalchemy import Connection

from service.model import DeliveryKind
from service.store import deliveries, progress, tidings
from service.store.database import Store
from service.store.together import together
from tests.store.rows import (
    MINUTE,
    NOW,
    a_mail,
    add_incident,
    add_subscriber,
    add_update,
    claim,
    delivery_again,
    queued,
)

LEASE_END = NOW + 10 * MINUTE


def test_of_one_occasion_there_is_one_mail(store: Store) -> None:
    first, second = a_mail("login:jordan", public_id="a"), a_mail("login:jordan", public_id="b")
    with store.transaction() as connection:
        assert deliveries.queue(connection, [first], NOW) == ("a",)
        assert deliveries.queue(connection, [second, a_mail("login:sam", public_id="c")], NOW) == ("c",)
        assert len(claim(connection)) == 2


def test_of_one_occasion_there_is_one_mail_among_decisions_made_together_too(store: Store) -> None:
    with store.transaction() as connection:
        queued(connection, a_mail("login:jordan", public_id="a"))
    heard: list[tidings.ToSend] = []
    store.queued = heard.append
    with store.transaction() as connection, together(connection):
        of_one = [a_mail("login:jordan", public_id="b"), a_mail("login:sam", public_id="c")]
        assert deliveries.queue(connection, of_one, NOW) == ("b", "c"), "they were not written yet"
        deliveries.queue(connection, [a_mail("login:sam", public_id="d")], NOW)
    with store.transaction() as connection:
        claimed = deliveries.claim_due(connection, NOW, urgent=True, lease=10 * MINUTE, limit=9)
    assert [mail.public_id for mail in claimed] == ["a", "c"]
    assert heard == [tidings.ToSend.MAILS], "who sends them is woken"


def test_queueing_nothing_does_nothing(store: Store) -> None:
    with store.transaction() as connection:
        assert deliveries.queue(connection, [], NOW) == ()


def test_a_claim_is_counted_and_moves_the_time_on_by_the_lease(store: Store) -> None:
    with store.transaction() as connection:
        [mail] = queued(connection, a_mail("one"))
        claim(connection)
        claimed = delivery_again(connection, mail)
    assert (claimed.attempts, claimed.due_at) == (1, LEASE_END)


def test_a_claimed_mail_is_not_claimed_again_before_the_lease_ends(store: Store) -> None:
    with store.transaction() as connection:
        [mail] = queued(connection, a_mail("one"))
        assert claim(connection) == [mail.id]
        assert claim(connection, LEASE_END - MINUTE) == []
        assert claim(connection, LEASE_END) == [mail.id]


def test_a_claim_is_made_longer_only_while_it_is_as_it_was_made(store: Store) -> None:
    with store.transaction() as connection:
        queued(connection, a_mail("one"), at=NOW)
        [mine] = deliveries.claim_due(connection, NOW, urgent=True, lease=MINUTE, limit=9)
        until = NOW + 9 * MINUTE
        assert deliveries.renew(connection, mine, until)
        assert delivery_again(connection, mine).due_at == until
        assert not deliveries.renew(connection, mine, until + MINUTE), "it is another one by now"
        assert deliveries.ended_claims(connection, [mine]) == {mine.id}
        assert deliveries.ended_claims(connection, [delivery_again(connection, mine)]) == set()


def test_threads_that_claim_at_once_share_the_mails_out(store: Store) -> None:
    with store.transaction() as connection:
        ids = [mail.id for mail in queued(connection, *(a_mail(str(number)) for number in range(40)))]

    def claim_all(_: int) -> list[int]:
        mine: list[int] = []
        while True:
            with store.transaction() as connection:
                got = claim(connection, limit=3)
            if not got:
                return mine
            mine += got

    with ThreadPoolExecutor(4) as threads:
        claimed = [one for mine in threads.map(claim_all, range(4)) for one in mine]
    assert sorted(claimed) == ids


def test_the_longest_due_go_first(store: Store) -> None:
    with store.transaction() as connection:
        [late] = queued(connection, a_mail("late"), at=NOW)
        [early] = queued(connection, a_mail("early"), at=NOW - MINUTE)
        assert claim(connection, limit=1) == [early.id]
        assert claim(connection, limit=1) == [late.id]


def test_what_is_not_due_is_not_claimed(store: Store) -> None:
    with store.transaction() as connection:
        queued(connection, a_mail("one"))
        assert claim(connection, NOW - MINUTE) == []


def test_of_one_incident_a_recipient_gets_the_mails_in_their_order(store: Store) -> None:
    with store.transaction() as connection:
        incident = add_incident(connection)
        asked, closed = queued(
            connection,
            a_mail("asked", incident_id=incident.id),
            a_mail("closed", incident_id=incident.id),
        )
        assert claim(connection) == [asked.id]
        deliveries.postpone(connection, asked.id, NOW + 2 * MINUTE, "451 later")
        assert claim(connection, NOW + MINUTE) == [], "the later one waits for the earlier"
        assert claim(connection, NOW + 2 * MINUTE) == [asked.id]
        deliveries.mark_sent(connection, asked.id, NOW)
        assert claim(connection) == [closed.id]


@pytest.mark.parametrize("urgent_first", [True, False])
def test_an_employee_who_subscribed_too_waits_for_no_update_and_no_update_for_him(
    store: Store, *, urgent_first: bool
) -> None:
    with store.transaction() as connection:
        incident = add_incident(connection)
        update_id = add_update(connection, incident)
        closed = a_mail("closed", incident_id=incident.id)
        update = a_mail("update", incident_id=incident.id, update_id=update_id)
        both = queued(connection, *((closed, update) if urgent_first else (update, closed)))
        number = {one.public_id: one.id for one in both}
        assert claim(connection) == [number[closed.public_id]]
        assert claim(connection, urgent=False) == [number[update.public_id]]


def fail(connection: Connection, delivery_id: int, now: datetime) -> None:
    deliveries.mark_failed(connection, delivery_id, now, "550 no such user")


@pytest.mark.parametrize("end", [deliveries.mark_sent, fail])
def test_a_mail_that_has_ended_holds_nobody_up(
    store: Store, end: Callable[[Connection, int, datetime], None]
) -> None:
    with store.transaction() as connection:
        incident = add_incident(connection)
        asked, closed = queued(
            connection,
            a_mail("asked", incident_id=incident.id),
            a_mail("closed", incident_id=incident.id),
        )
        end(connection, asked.id, NOW)
        assert claim(connection) == [closed.id]


def test_other_incidents_and_other_recipients_do_not_wait(store: Store) -> None:
    with store.transaction() as connection:
        one, other = add_incident(connection), add_incident(connection)
        mails = queued(
            connection,
            a_mail("one", incident_id=one.id),
            a_mail("other incident", incident_id=other.id),
            a_mail("other recipient", incident_id=one.id, recipient="sam@acme.example"),
            a_mail("no incident"),
            a_mail("no incident either"),
        )
        assert claim(connection) == [mail.id for mail in mails]


def test_updates_for_subscribers_are_not_among_the_urgent(store: Store) -> None:
    with store.transaction() as connection:
        incident = add_incident(connection)
        update_id = add_update(connection, incident)
        update, login = queued(
            connection, a_mail("update", update_id=update_id, incident_id=incident.id), a_mail("login")
        )
        assert claim(connection, urgent=True) == [login.id]
        assert claim(connection, urgent=False) == [update.id]


def test_giving_back_takes_the_attempt_back(store: Store) -> None:
    with store.transaction() as connection:
        [mail] = queued(connection, a_mail("one"))
        claim(connection)
        deliveries.give_back(connection, [mail.id], NOW + MINUTE, "connection refused")
        given_back = delivery_again(connection, mail)
    assert (given_back.attempts, given_back.due_at) == (0, NOW + MINUTE)
    assert given_back.last_error == "connection refused"


def test_a_claim_stands_until_it_is_given_back_ended_or_taken_anew_or_the_mail_is_cancelled(
    store: Store,
) -> None:
    with store.transaction() as connection:
        names = ("stands", "given back", "taken anew", "sent", "cancelled")
        cancelled = add_subscriber(connection, "ana")
        mails = queued(connection, *(a_mail(name) for name in names[:-1]))
        update_id = add_update(connection, add_incident(connection))
        mails += queued(connection, a_mail("cancelled", update_id=update_id, subscriber_id=cancelled.id))
        claim(connection)
        claim(connection, urgent=False)
        claimed = [delivery_again(connection, mail) for mail in mails]
        assert deliveries.still_claimed(connection, claimed) == [mail.id for mail in mails]
        deliveries.give_back(connection, [mails[1].id, mails[2].id], NOW + MINUTE, "connection refused")
        deliveries.postpone(connection, mails[2].id, NOW, "451 later")
        assert claim(connection, NOW + MINUTE / 2) == [mails[2].id]
        deliveries.mark_sent(connection, mails[3].id, NOW)
        deliveries.cancel_of_subscriber(connection, cancelled.id, "unsubscribed")
        assert deliveries.still_claimed(connection, claimed) == [mails[0].id]


def test_ending_the_leases_lets_everything_that_waits_fall_due(store: Store) -> None:
    with store.transaction() as connection:
        sent, claimed = queued(connection, a_mail("sent"), a_mail("claimed"))
        claim(connection)
        deliveries.mark_sent(connection, sent.id, NOW)
        deliveries.end_leases(connection, NOW + MINUTE)
        assert claim(connection, NOW + MINUTE) == [claimed.id]


def test_leaving_cancels_what_waits_even_where_it_is_claimed(store: Store) -> None:
    with store.transaction() as connection:
        ana = add_subscriber(connection, "ana")
        incident = add_incident(connection)
        update_id = add_update(connection, incident)
        said = {"subscriber_id": ana.id, "incident_id": incident.id}
        update, confirmation = queued(
            connection, a_mail("update", update_id=update_id, **said), a_mail("confirm", subscriber_id=ana.id)
        )
        claim(connection, urgent=False)
        deliveries.cancel_of_subscriber(connection, ana.id, "unsubscribed")
        deliveries.postpone(connection, update.id, NOW, "451 later")
        deliveries.give_back(connection, [update.id], NOW, "connection refused")
        cancelled = delivery_again(connection, update)
        assert (cancelled.due_at, cancelled.last_error) == (None, "unsubscribed")
        assert claim(connection) == [confirmation.id], "only updates are cancelled"


def test_of_each_kind_it_is_known_when_the_next_falls_due(store: Store) -> None:
    with store.transaction() as connection:
        assert deliveries.next_due_at(connection, urgent=True) is None
        update_id = add_update(connection, add_incident(connection))
        queued(connection, a_mail("login"), at=NOW)
        queued(connection, a_mail("update", update_id=update_id), at=NOW + MINUTE)
        call = a_mail("call", update_id=update_id, kind=DeliveryKind.WEBHOOK_CALL)
        queued(connection, call, at=NOW + 2 * MINUTE)
        assert deliveries.next_due_at(connection, urgent=True) == NOW
        assert deliveries.next_due_at(connection, urgent=False) == NOW + MINUTE
        assert deliveries.next_call_due_at(connection) == NOW + 2 * MINUTE


def test_occasions_are_counted_by_how_they_begin_and_since_when(store: Store) -> None:
    with store.transaction() as connection:
        queued(connection, a_mail("answer-error:sam:a"), at=NOW - MINUTE)
        queued(connection, a_mail("answer-error:sam:b"), a_mail("answer-error:samuel:a"), at=NOW)
        assert deliveries.count_of_occasions(connection, "answer-error:sam:", NOW - MINUTE) == 2
        assert deliveries.count_of_occasions(connection, "answer-error:sam:", NOW) == 1


def test_progress_is_counted_by_update(store: Store) -> None:
    with store.transaction() as connection:
        incident = add_incident(connection)
        first, second = add_update(connection, incident), add_update(connection, incident)
        said = {"incident_id": incident.id, "update_id": first}
        sent, failed, _ = queued(
            connection, a_mail("a", **said), a_mail("b", **said), a_mail("c", **said | {"update_id": second})
        )
        deliveries.mark_sent(connection, sent.id, NOW)
        deliveries.mark_failed(connection, failed.id, NOW, "550 no such user")
        counted = progress.of_incident(connection, incident.id)
        assert progress.of_update(connection, first) == counted[first]
        assert progress.of_update(connection, second + 1) is None
        assert [one.update_id for one in progress.latest(connection, limit=9)] == [second, first]
    assert [(one.queued, one.sent, one.failed, one.waiting) for one in counted.values()] == [
        (2, 1, 1, 0),
        (1, 0, 0, 1),
    ]


def test_of_one_delivery_the_first_bounce_counts(store: Store) -> None:
    with store.transaction() as connection:
        [mail] = queued(connection, a_mail("one", employee_id="jordan"))
        deliveries.mark_bounced(connection, mail.id, NOW, "5.1.1 no such user")
        deliveries.mark_bounced(connection, mail.id, NOW + MINUTE, "again")
        bounced = delivery_again(connection, mail)
    assert (bounced.bounced_at, bounced.last_error) == (NOW, "5.1.1 no such user")


def test_admins_are_told_once_of_an_employee_who_was_not_reached(store: Store) -> None:
    with store.transaction() as connection:
        failed, bounced, _sent, reader = queued(
            connection,
            *(a_mail(name, employee_id="jordan") for name in ("failed", "bounced", "sent")),
            a_mail("a reader's"),
        )
        deliveries.mark_failed(connection, failed.id, NOW, "550 no such user")
        deliveries.mark_failed(connection, reader.id, NOW, "550 no such user")
        deliveries.mark_bounced(connection, bounced.id, NOW, "5.1.1 no such user")
        unreached = deliveries.unreached_employees(connection, limit=9)
        assert [mail.id for mail in unreached] == [failed.id, bounced.id]
        for mail in unreached:
            deliveries.mark_alarmed(connection, mail.id, NOW)
        assert deliveries.unreached_employees(connection, limit=9) == ()
        assert len(deliveries.lately_unreached(connection, NOW, limit=9)) == 2
