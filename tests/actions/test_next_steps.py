"""What a page foretells of an incident is what the state machine then does."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.actions.next_steps import STEP_WORDS, NextStep, next_steps
from service.model import Incident, JoinedAlert, LastResort, Phase, Rung
from service.workflow import Decision, Hold, Policy, Reason, TimerElapsed, decide

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
LADDER = (Rung(10 * MINUTE, ("vera",)), Rung(30 * MINUTE, then=LastResort.PUBLISH))
WAITING = Incident(
    1,
    "victorops:x",
    Phase.WAITING,
    NOW + 5 * MINUTE,
    1,
    "s",
    "m",
    "performance",
    {},
    NOW,
    alerts=(JoinedAlert(None, NOW),),
    notify_employees=("sam",),
)


def step(incident: Incident, policy: Policy) -> Decision:
    """Let the incident's time come."""
    assert incident.due_at is not None
    return decide(incident, TimerElapsed(), policy, incident.due_at)


def test_the_wait_and_then_the_ladders_end_are_foretold() -> None:
    policy = Policy(ladder=LADDER, remind_every=2 * MINUTE)
    assert next_steps(WAITING, policy) == (
        NextStep(NOW + 5 * MINUTE, Reason.WAIT_ELAPSED),
        NextStep(NOW + 35 * MINUTE, Reason.LADDER_PUBLISHED),
    )


def test_a_rung_names_whom_it_brings_in() -> None:
    policy = Policy(ladder=LADDER)
    asked = step(WAITING, policy).incident
    assert next_steps(asked, policy)[0] == NextStep(NOW + 15 * MINUTE, Reason.ESCALATED, ("vera",))


def test_the_last_rung_stands_alone() -> None:
    policy = Policy(ladder=LADDER[1:])
    asked = step(WAITING, policy).incident
    assert [one.reason for one in next_steps(asked, policy)] == [Reason.LADDER_PUBLISHED]


def test_a_hold_puts_the_end_off() -> None:
    policy = Policy(ladder=LADDER[1:])
    asked = step(WAITING, policy).incident
    held = decide(asked, Hold(by="sam", span=15 * MINUTE), policy, NOW + 5 * MINUTE).incident
    assert next_steps(held, policy) == (
        NextStep(NOW + 20 * MINUTE, Reason.HOLD_ENDED),
        NextStep(NOW + 50 * MINUTE, Reason.LADDER_PUBLISHED),
    )


@pytest.mark.parametrize("phase", [Phase.UNPUBLISHED, Phase.PUBLISHED, Phase.CLOSED, Phase.DISCARDED])
def test_without_a_timer_nothing_is_foretold(phase: Phase) -> None:
    assert next_steps(replace(WAITING, phase=phase, due_at=None), Policy(ladder=LADDER)) == ()


rungs = st.builds(
    Rung,
    st.just(timedelta(0)),
    st.sampled_from([(), ("vera",), ("sam", "vera")]),
    st.none(),
)


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """Any ladder, in the order of its times, with any last resort or none."""
    times = sorted(draw(st.sets(st.integers(1, 300), max_size=5)))
    ladder = [replace(draw(rungs), after=minutes * MINUTE) for minutes in times]
    last = draw(st.sampled_from([None, *LastResort]))
    if ladder and last is not None:
        ladder[-1] = Rung(ladder[-1].after, then=last)
    remind = draw(st.none() | st.integers(1, 90).map(lambda one: one * MINUTE))
    return Policy(auto_publish=draw(st.booleans()), ladder=tuple(ladder), remind_every=remind)


@given(policies())
def test_what_is_foretold_comes_to_pass(policy: Policy) -> None:
    incident, ends, foretold = WAITING, set(), set()
    for _ in range(400):
        steps = next_steps(incident, policy)
        if incident.due_at is None or not incident.phase.is_open or incident.phase.is_public:
            break
        decision = step(incident, policy)
        assert steps[0].reason is decision.reason
        assert steps[0].words == STEP_WORDS[decision.reason]
        ends = {(incident.due_at, decision.reason)}
        foretold |= {(one.at, one.reason) for one in steps[1:]}
        incident = decision.incident
    assert foretold <= ends, "the end that was told from the first is the one that came"
