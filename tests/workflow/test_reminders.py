"""While a published incident stays open and nothing is told: reminders, what puts them off, and what ends them."""

from datetime import timedelta

import pytest

from service.model import AUTOMATIC, DeliveryKind, Incident, Phase, UpdateStatus
from service.workflow import (
    AlertFired,
    AlertRecovered,
    Close,
    Decision,
    Event,
    Hold,
    Policy,
    PostUpdate,
    Publish,
    Reason,
    TellEmployees,
    TimerElapsed,
    decide,
    open_incident,
)
from tests.workflow.test_phases import DRAFT, T0

MINUTES = timedelta(minutes=1)
EVERY = 30 * MINUTES
POLICY = Policy(remind_every=EVERY, recovery_grace=10 * MINUTES)
REMINDER = TellEmployees(DeliveryKind.REMINDER)
MORE = PostUpdate("sam", UpdateStatus.IDENTIFIED, "We know why.")


def published(policy: Policy = POLICY) -> Incident:
    """Give an incident that was published at T0."""
    return decide(open_incident(DRAFT, policy, T0).incident, Publish("sam"), policy, T0).incident


def tick(incident: Incident, policy: Policy = POLICY) -> Decision:
    """Let the timer of an incident elapse, at its time."""
    assert incident.due_at is not None
    return decide(incident, TimerElapsed(), policy, incident.due_at)


@pytest.mark.parametrize(
    "incident",
    [published(), open_incident(DRAFT, Policy(auto_publish=True, remind_every=EVERY), T0).incident],
    ids=["by a person", "automatically"],
)
def test_whoever_published_it_a_reminder_comes_so_long_after(incident: Incident) -> None:
    assert incident.due_at == T0 + EVERY
    decision = tick(incident)
    assert (decision.reason, decision.effects, decision.by) == (
        Reason.REMINDED_TO_UPDATE,
        (REMINDER,),
        AUTOMATIC,
    )


def test_it_comes_again_and_again() -> None:
    first = tick(published()).incident
    assert (first.due_at, first.version) == (T0 + 2 * EVERY, published().version + 1)
    assert tick(first).effects == (REMINDER,)


def test_after_an_outage_of_ours_it_comes_once_and_not_for_each_time_missed() -> None:
    late = decide(published(), TimerElapsed(), POLICY, T0 + 10 * EVERY)
    assert (late.effects, late.incident.due_at) == ((REMINDER,), T0 + 11 * EVERY)


def test_an_early_tick_reminds_nobody() -> None:
    early = decide(published(), TimerElapsed(), POLICY, T0 + EVERY - timedelta(microseconds=1))
    assert early == Decision(published(), Reason.NOTHING_DUE)


def test_an_update_puts_it_off() -> None:
    told = decide(published(), MORE, POLICY, T0 + 20 * MINUTES).incident
    assert told.due_at == T0 + 50 * MINUTES


def test_without_remind_every_there_is_none() -> None:
    incident = published(Policy())
    assert incident.due_at is None
    assert decide(incident, MORE, Policy(), T0).incident.due_at is None


def test_what_a_monitor_no_longer_wants_leaves_no_timer_that_ticks_for_ever() -> None:
    decision = tick(published(), Policy())
    assert (decision.reason, decision.effects, decision.incident.due_at) == (Reason.NOTHING_DUE, (), None)


@pytest.mark.parametrize("order", [Close("sam"), PostUpdate("sam", UpdateStatus.RESOLVED, "Over.")])
def test_the_close_ends_it(order: Event) -> None:
    assert decide(published(), order, POLICY, T0).incident.due_at is None


def test_a_recovery_ends_it_and_leaves_the_grace() -> None:
    recovered = decide(published(), AlertRecovered(), POLICY, T0 + 29 * MINUTES).incident
    assert recovered.due_at == T0 + 39 * MINUTES
    assert tick(recovered).reason is Reason.GRACE_ELAPSED


def test_an_update_within_the_grace_does_not_lengthen_it() -> None:
    recovered = decide(published(), AlertRecovered(), POLICY, T0).incident
    assert decide(recovered, MORE, POLICY, T0 + 5 * MINUTES).incident.due_at == T0 + 10 * MINUTES


def test_what_recovered_and_is_left_open_is_not_reminded_of() -> None:
    policy = Policy(remind_every=EVERY, auto_close=False)
    recovered = decide(published(policy), AlertRecovered(), policy, T0).incident
    assert recovered.due_at is None
    assert decide(recovered, MORE, policy, T0).incident.due_at is None


def test_what_fires_again_is_reminded_of_anew() -> None:
    recovered = decide(published(), AlertRecovered(), POLICY, T0 + 29 * MINUTES).incident
    again = decide(recovered, AlertFired(), POLICY, T0 + 35 * MINUTES)
    assert (again.incident.phase, again.effects) == (Phase.PUBLISHED, ())
    assert again.incident.due_at == T0 + 35 * MINUTES + EVERY


def test_further_alerts_change_nothing_about_it() -> None:
    joined = decide(published(), AlertFired("disk"), POLICY, T0 + 20 * MINUTES).incident
    part = decide(joined, AlertRecovered(frozenset({"disk"})), POLICY, T0 + 25 * MINUTES).incident
    assert (joined.due_at, part.due_at) == (T0 + EVERY, T0 + EVERY)


def test_a_hold_is_refused_as_before_and_puts_no_reminder_off() -> None:
    decision = decide(published(), Hold("sam", 9 * EVERY), POLICY, T0)
    assert decision == Decision(published(), Reason.REFUSED_ALREADY_PUBLISHED, by="sam")
