"""What happens while nobody decides: reminders, the ladder, holds, approvals, edits, and late recoveries."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from service.model import (
    AUTOMATIC,
    DeliveryKind,
    IfRecovered,
    Incident,
    LastResort,
    Phase,
    Rung,
    UpdateStatus,
)
from service.workflow import (
    AlertFired,
    AlertRecovered,
    Decision,
    Discard,
    Edit,
    Event,
    Hold,
    Policy,
    Publish,
    Reason,
    TellEmployees,
    TellSubscribers,
    Text,
    TimerElapsed,
    decide,
    open_incident,
)
from tests.workflow.test_phases import CLOSED, DISCARDED, DRAFT, OPEN, T0, WAITING

ASK = TellEmployees(DeliveryKind.APPROVAL)
MINUTES = timedelta(minutes=1)
LADDER = (Rung(10 * MINUTES, notify=("ana",)), Rung(30 * MINUTES, then=LastResort.PUBLISH))


def asked(policy: Policy) -> Incident:
    """Give an incident about which the employees are asked at T0."""
    return open_incident(DRAFT, policy, T0).incident


def tick(incident: Incident, policy: Policy) -> Decision:
    """Let the timer of an incident elapse, at its time."""
    assert incident.due_at is not None
    return decide(incident, TimerElapsed(), policy, incident.due_at)


def test_those_who_were_asked_are_reminded_again_and_again() -> None:
    policy = Policy(remind_every=10 * MINUTES)
    first = tick(asked(policy), policy)
    second = tick(first.incident, policy)
    assert (first.reason, first.effects) == (Reason.REMINDED, (ASK,))
    assert second.incident.due_at == T0 + 30 * MINUTES


def test_the_next_rung_asks_others_and_only_them() -> None:
    policy = Policy(ladder=LADDER)
    decision = tick(asked(policy), policy)
    assert decision.reason is Reason.ESCALATED
    assert decision.effects == (TellEmployees(DeliveryKind.APPROVAL, to=("ana",)),)
    assert decision.incident.notify_employees == ("jordan", "sam", "ana")
    assert decision.incident.due_at == T0 + 30 * MINUTES


def test_a_rung_that_names_nobody_new_reminds() -> None:
    policy = Policy(ladder=(Rung(10 * MINUTES, notify=("sam",)), Rung(20 * MINUTES)))
    first = tick(asked(policy), policy)
    second = tick(first.incident, policy)
    assert [first.reason, second.reason] == [Reason.REMINDED, Reason.REMINDED]
    assert second.incident.due_at is None


@pytest.mark.parametrize(
    ("then", "phase", "reason", "due_at"),
    [
        # the reminder that it is open without an update
        (LastResort.PUBLISH, Phase.PUBLISHED, Reason.LADDER_PUBLISHED, T0 + 70 * MINUTES),
        (LastResort.DISCARD, Phase.DISCARDED, Reason.LADDER_DISCARDED, None),
        (LastResort.LEAVE, Phase.UNPUBLISHED, Reason.LADDER_LEFT, None),
    ],
)
def test_the_last_rung_ends_it(
    then: LastResort, phase: Phase, reason: Reason, due_at: datetime | None
) -> None:
    policy = Policy(ladder=(Rung(10 * MINUTES, then=then),), remind_every=timedelta(hours=1))
    decision = tick(asked(policy), policy)
    assert (decision.incident.phase, decision.reason, decision.by) == (phase, reason, AUTOMATIC)
    assert decision.incident.due_at == due_at


def test_a_decision_takes_the_ladder_away() -> None:
    for policy in (Policy(ladder=LADDER), Policy(ladder=LADDER, remind_every=MINUTES)):
        discarded = decide(asked(policy), Discard("sam"), policy, T0 + MINUTES).incident
        published = decide(asked(policy), Publish("sam"), policy, T0 + MINUTES).incident
        assert discarded.due_at is None
        assert published.due_at == (T0 + 2 * MINUTES if policy.remind_every else None)
        assert decide(published, TimerElapsed(), policy, T0 + 30 * MINUTES).incident.phase is Phase.PUBLISHED


def test_a_hold_puts_the_ladder_off_and_asks_at_its_end() -> None:
    policy = Policy(ladder=LADDER)
    held = decide(asked(policy), Hold("sam", 20 * MINUTES), policy, T0 + 5 * MINUTES)
    assert (held.reason, held.effects, held.by) == (Reason.HELD, (), "sam")
    assert held.incident.due_at == T0 + 25 * MINUTES
    over = tick(held.incident, policy)
    assert (over.reason, over.effects) == (Reason.HOLD_ENDED, (ASK,))
    assert over.incident.due_at == T0 + 30 * MINUTES, "the first rung, as much later as it was held"


def test_the_same_hold_again_puts_nothing_off_twice() -> None:
    policy = Policy(ladder=LADDER)
    once = decide(asked(policy), Hold("sam", 20 * MINUTES), policy, T0).incident
    twice = decide(once, Hold("sam", 20 * MINUTES), policy, T0).incident
    assert (twice.held_until, twice.ladder_from) == (once.held_until, once.ladder_from)


def test_a_rung_that_comes_late_puts_the_next_off_as_much() -> None:
    policy = Policy(ladder=LADDER)
    late = decide(asked(policy), TimerElapsed(), policy, T0 + 60 * MINUTES)
    assert (late.reason, late.incident.due_at) == (Reason.ESCALATED, T0 + 80 * MINUTES)


def test_what_was_left_is_not_reminded_of_after_a_hold() -> None:
    policy = Policy(ladder=(Rung(10 * MINUTES, then=LastResort.LEAVE),), remind_every=20 * MINUTES)
    left = tick(asked(policy), policy).incident
    held = decide(left, Hold("sam", MINUTES), policy, T0 + 30 * MINUTES).incident
    assert tick(held, policy).incident.due_at is None


def test_what_was_kept_and_fires_again_is_asked_about_anew() -> None:
    policy = Policy(if_recovered=IfRecovered.KEEP)
    kept = decide(asked(policy), AlertRecovered(), policy, T0).incident
    again = decide(kept, AlertFired(), policy, T0)
    assert (again.reason, again.effects) == (Reason.FIRED_AGAIN_UNPUBLISHED, (ASK,))
    assert again.incident.text_version == kept.text_version + 1


def test_a_hold_without_a_ladder_is_a_reminder() -> None:
    held = decide(asked(Policy()), Hold("sam", 20 * MINUTES), Policy(), T0)
    over = tick(held.incident, Policy())
    assert (over.reason, over.incident.due_at) == (Reason.HOLD_ENDED, None)


def test_a_hold_lengthens_the_wait_and_never_shortens_it() -> None:
    policy = Policy(wait=5 * MINUTES)
    assert decide(WAITING, Hold("sam", MINUTES), policy, T0).incident.due_at == T0 + 5 * MINUTES
    assert decide(WAITING, Hold("sam", 9 * MINUTES), policy, T0).incident.due_at == T0 + 9 * MINUTES


TWO = Policy(approvals=2)


def test_the_first_of_two_approvals_asks_the_others() -> None:
    decision = decide(asked(TWO), Publish("sam"), TWO, T0)
    assert (decision.incident.phase, decision.reason) == (Phase.UNPUBLISHED, Reason.APPROVED)
    assert decision.effects == (ASK,)


def test_the_second_approval_publishes() -> None:
    first = decide(asked(TWO), Publish("sam"), TWO, T0).incident
    second = decide(first, Publish("jordan"), TWO, T0)
    assert (second.incident.phase, second.incident.published_by) == (Phase.PUBLISHED, "jordan")
    assert second.incident.approved_by == ("sam", "jordan")


def test_nobody_approves_twice() -> None:
    first = decide(asked(TWO), Publish("sam"), TWO, T0).incident
    assert decide(first, Publish("sam"), TWO, T0) == Decision(first, Reason.REFUSED_APPROVED_BEFORE, by="sam")


def test_an_approval_within_the_wait_asks_the_others_at_once() -> None:
    policy = Policy(wait=5 * MINUTES, approvals=2, remind_every=MINUTES)
    decision = decide(WAITING, Publish("sam"), policy, T0)
    assert (decision.incident.phase, decision.incident.due_at) == (Phase.UNPUBLISHED, T0 + MINUTES)


def test_an_edit_makes_a_version_that_nobody_has_approved() -> None:
    first = decide(asked(TWO), Publish("sam"), TWO, T0).incident
    edited = decide(first, Edit("jordan", subject="Mail is slow", text_version=1), TWO, T0)
    assert (edited.incident.subject, edited.incident.message) == ("Mail is slow", DRAFT.message)
    assert (edited.incident.text_version, edited.incident.approved_by) == (2, ())
    assert edited.effects == (TellEmployees(DeliveryKind.APPROVAL, also_who_did_it=True),)


@pytest.mark.parametrize("order", [Publish("sam", text_version=1), Edit("sam", "x", text_version=1)])
def test_an_order_about_an_older_text_is_refused(order: Event) -> None:
    edited = decide(asked(Policy()), Edit("jordan", subject="Mail is slow"), Policy(), T0).incident
    assert decide(edited, order, Policy(), T0).reason is Reason.REFUSED_TEXT_CHANGED


def test_an_edit_that_changes_nothing_is_refused() -> None:
    same = Edit("jordan", subject=DRAFT.subject)
    assert decide(asked(Policy()), same, Policy(), T0).reason is Reason.REFUSED_TEXT_THE_SAME


@pytest.mark.parametrize("order", [Hold("sam", MINUTES), Edit("sam", "x")])
@pytest.mark.parametrize(
    ("incident", "reason"),
    [
        (OPEN, Reason.REFUSED_ALREADY_PUBLISHED),
        (CLOSED, Reason.REFUSED_CLOSED),
        (DISCARDED, Reason.REFUSED_DISCARDED),
    ],
)
def test_what_is_decided_is_neither_held_nor_edited(incident: Incident, order: Event, reason: Reason) -> None:
    assert decide(incident, order, Policy(), T0) == Decision(incident, reason, by="sam")


def test_what_recovered_unpublished_is_kept_where_the_monitor_says_so() -> None:
    policy = Policy(if_recovered=IfRecovered.KEEP, ladder=LADDER)
    kept = decide(asked(policy), AlertRecovered(), policy, T0 + MINUTES)
    assert (kept.incident.phase, kept.reason, kept.effects) == (
        Phase.UNPUBLISHED,
        Reason.RECOVERED_KEPT,
        (ASK,),
    )
    assert kept.incident.due_at == T0 + 10 * MINUTES


def test_what_recovered_and_was_kept_is_published_as_resolved() -> None:
    policy = Policy(if_recovered=IfRecovered.KEEP)
    kept = decide(asked(policy), AlertRecovered(), policy, T0).incident
    decision = decide(kept, Publish("sam"), policy, T0)
    assert (decision.incident.phase, decision.reason) == (Phase.CLOSED, Reason.PUBLISHED_AS_RESOLVED)
    assert decision.effects[0] == TellSubscribers(UpdateStatus.RESOLVED, Text.MESSAGE_AND_CLOSING_COMMENT)


def test_what_recovered_and_was_kept_stays_open_without_auto_close() -> None:
    policy = Policy(if_recovered=IfRecovered.KEEP, auto_close=False)
    kept = decide(asked(policy), AlertRecovered(), policy, T0).incident
    assert decide(kept, Publish("sam"), policy, T0).incident.phase is Phase.RECOVERED


@pytest.mark.parametrize("auto_close", [True, False])
def test_what_recovered_unpublished_may_be_published_as_resolved_by_itself(*, auto_close: bool) -> None:
    policy = Policy(if_recovered=IfRecovered.PUBLISH_RESOLVED, auto_close=auto_close)
    decision = decide(asked(policy), AlertRecovered(), policy, T0)
    assert (decision.incident.phase, decision.incident.published_by) == (Phase.CLOSED, AUTOMATIC)
    assert decision.reason is Reason.RECOVERED_AND_PUBLISHED


def test_what_recovers_within_its_wait_is_discarded_in_any_case() -> None:
    for choice in IfRecovered:
        policy = replace(Policy(wait=5 * MINUTES), if_recovered=choice)
        assert decide(WAITING, AlertRecovered(), policy, T0).reason is Reason.RECOVERED_WITHIN_WAIT
