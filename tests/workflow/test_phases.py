"""All transitions of the state machine together: the table of the design, row by row."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from service.model import AUTOMATIC, ComponentState, DeliveryKind, Incident, Phase, UpdateStatus
from service.workflow import (
    AlertFired,
    AlertRecovered,
    Close,
    Decision,
    Discard,
    Draft,
    Event,
    Policy,
    PostMortem,
    PostUpdate,
    Publish,
    Reason,
    TellEmployees,
    TellSubscribers,
    Text,
    TimerElapsed,
    decide,
    open_incident,
)

T0 = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
WAIT = timedelta(minutes=5)
GRACE = timedelta(minutes=10)
DRAFT = Draft(
    id=12,
    monitor_key="victorops:Email Server",
    subject="Email is unavailable",
    message="We are looking into it.",
    type="service_unavailable",
    components={"Email": ComponentState.MAJOR_OUTAGE},
    authored_by="jordan",
    notify_employees=("jordan", "sam"),
    entity_id=None,
)
ASK = Policy(wait=WAIT)
AUTO = Policy(wait=WAIT, auto_publish=True)
BY_HAND = Policy(wait=WAIT, auto_close=False)
WITH_GRACE = Policy(wait=WAIT, recovery_grace=GRACE)
REMIND = Policy(wait=WAIT, remind_every=timedelta(minutes=30), recovery_grace=GRACE)


def live(*events: tuple[Event, timedelta], policy: Policy = ASK) -> Incident:
    """Open an incident and let events happen to it, each so long after the start."""
    incident = open_incident(DRAFT, policy, T0).incident
    for event, after in events:
        incident = decide(incident, event, policy, T0 + after).incident
    return incident


WAITED = (TimerElapsed(), WAIT)
PUBLISHED = (Publish("jordan"), WAIT * 2)
RECOVERED = (AlertRecovered(), WAIT * 3)

WAITING = live()
UNPUBLISHED = live(WAITED)
OPEN = live(WAITED, PUBLISHED)
OPEN_TO_REMIND = live(WAITED, PUBLISHED, policy=REMIND)
LEFT_OPEN = live(WAITED, PUBLISHED, RECOVERED, policy=BY_HAND)
IN_GRACE = live(WAITED, PUBLISHED, RECOVERED, policy=WITH_GRACE)
CLOSED = live(WAITED, PUBLISHED, RECOVERED)
DISCARDED = live(WAITED, (Discard("sam"), WAIT * 2))

WHY = PostMortem("sam", "A disk was full.")
OPENED_TEXT = TellSubscribers(UpdateStatus.INVESTIGATING, Text.MESSAGE)
CLOSED_TEXT = TellSubscribers(UpdateStatus.RESOLVED, Text.CLOSING_COMMENT)


def mail(kind: DeliveryKind) -> TellEmployees:
    """Give the effect of a mail of a kind to the employees."""
    return TellEmployees(kind)


UPDATE = PostUpdate("sam", UpdateStatus.IDENTIFIED, "We know why.")

TABLE = [
    # phase before, event, policy, phase after, reason, effects
    (WAITING, AlertFired("disk"), ASK, Phase.WAITING, Reason.ALERT_JOINED, ()),
    (WAITING, AlertFired(), ASK, Phase.WAITING, Reason.ALERT_REPEATED, ()),
    (WAITING, AlertRecovered(), ASK, Phase.DISCARDED, Reason.RECOVERED_WITHIN_WAIT, ()),
    (WAITING, TimerElapsed(), ASK, Phase.UNPUBLISHED, Reason.WAIT_ELAPSED, (mail(DeliveryKind.APPROVAL),)),
    (
        WAITING,
        TimerElapsed(),
        AUTO,
        Phase.PUBLISHED,
        Reason.AUTO_PUBLISHED,
        (OPENED_TEXT, mail(DeliveryKind.PUBLISHED)),
    ),
    (
        WAITING,
        Publish("sam"),
        ASK,
        Phase.PUBLISHED,
        Reason.PUBLISHED,
        (OPENED_TEXT, mail(DeliveryKind.PUBLISHED)),
    ),
    (WAITING, Discard("sam"), ASK, Phase.DISCARDED, Reason.DISCARDED, ()),
    (WAITING, UPDATE, ASK, Phase.WAITING, Reason.REFUSED_NOT_PUBLISHED, ()),
    (WAITING, Close("sam"), ASK, Phase.WAITING, Reason.REFUSED_NOT_PUBLISHED, ()),
    (UNPUBLISHED, AlertFired("disk"), ASK, Phase.UNPUBLISHED, Reason.ALERT_JOINED, ()),
    (
        UNPUBLISHED,
        AlertRecovered(),
        ASK,
        Phase.DISCARDED,
        Reason.RECOVERED_UNPUBLISHED,
        (mail(DeliveryKind.DISCARDED),),
    ),
    (UNPUBLISHED, TimerElapsed(), ASK, Phase.UNPUBLISHED, Reason.NOTHING_DUE, ()),
    (
        UNPUBLISHED,
        Publish("sam"),
        ASK,
        Phase.PUBLISHED,
        Reason.PUBLISHED,
        (OPENED_TEXT, mail(DeliveryKind.PUBLISHED)),
    ),
    (
        UNPUBLISHED,
        Discard("sam"),
        ASK,
        Phase.DISCARDED,
        Reason.DISCARDED,
        (mail(DeliveryKind.DISCARDED),),
    ),
    (UNPUBLISHED, UPDATE, ASK, Phase.UNPUBLISHED, Reason.REFUSED_NOT_PUBLISHED, ()),
    (UNPUBLISHED, Close("sam"), ASK, Phase.UNPUBLISHED, Reason.REFUSED_NOT_PUBLISHED, ()),
    (OPEN, AlertFired("disk"), ASK, Phase.PUBLISHED, Reason.ALERT_JOINED, ()),
    (
        OPEN,
        AlertRecovered(),
        ASK,
        Phase.CLOSED,
        Reason.AUTO_CLOSED,
        (CLOSED_TEXT, mail(DeliveryKind.CLOSED)),
    ),
    (OPEN, AlertRecovered(), WITH_GRACE, Phase.RECOVERED, Reason.RECOVERED_IN_GRACE, ()),
    (
        OPEN,
        AlertRecovered(),
        BY_HAND,
        Phase.RECOVERED,
        Reason.RECOVERED_LEFT_OPEN,
        (mail(DeliveryKind.RECOVERED),),
    ),
    (OPEN, TimerElapsed(), ASK, Phase.PUBLISHED, Reason.NOTHING_DUE, ()),
    (
        OPEN_TO_REMIND,
        TimerElapsed(),
        REMIND,
        Phase.PUBLISHED,
        Reason.REMINDED_TO_UPDATE,
        (mail(DeliveryKind.REMINDER),),
    ),
    # its monitor wants no reminders any more, or is no longer configured
    (OPEN_TO_REMIND, TimerElapsed(), ASK, Phase.PUBLISHED, Reason.NOTHING_DUE, ()),
    (OPEN, Publish("sam"), ASK, Phase.PUBLISHED, Reason.REFUSED_ALREADY_PUBLISHED, ()),
    (OPEN, Discard("sam"), ASK, Phase.PUBLISHED, Reason.REFUSED_ALREADY_PUBLISHED, ()),
    (
        OPEN,
        UPDATE,
        ASK,
        Phase.PUBLISHED,
        Reason.UPDATE_POSTED,
        (TellSubscribers(UpdateStatus.IDENTIFIED, "We know why."),),
    ),
    (
        OPEN,
        PostUpdate("sam", UpdateStatus.RESOLVED, "Over."),
        ASK,
        Phase.CLOSED,
        Reason.CLOSED,
        (TellSubscribers(UpdateStatus.RESOLVED, "Over."), mail(DeliveryKind.CLOSED)),
    ),
    (OPEN, Close("sam"), ASK, Phase.CLOSED, Reason.CLOSED, (CLOSED_TEXT, mail(DeliveryKind.CLOSED))),
    (LEFT_OPEN, AlertFired(), BY_HAND, Phase.PUBLISHED, Reason.FIRED_AGAIN, ()),
    (LEFT_OPEN, AlertRecovered(), BY_HAND, Phase.RECOVERED, Reason.NOTHING_TO_RECOVER, ()),
    (LEFT_OPEN, TimerElapsed(), BY_HAND, Phase.RECOVERED, Reason.NOTHING_DUE, ()),
    (
        LEFT_OPEN,
        Close("sam", "Fine."),
        BY_HAND,
        Phase.CLOSED,
        Reason.CLOSED,
        (TellSubscribers(UpdateStatus.RESOLVED, "Fine."), mail(DeliveryKind.CLOSED)),
    ),
    (IN_GRACE, AlertFired(), WITH_GRACE, Phase.PUBLISHED, Reason.FIRED_AGAIN, ()),
    (
        IN_GRACE,
        TimerElapsed(),
        WITH_GRACE,
        Phase.CLOSED,
        Reason.GRACE_ELAPSED,
        (CLOSED_TEXT, mail(DeliveryKind.CLOSED)),
    ),
    (IN_GRACE, Publish("sam"), WITH_GRACE, Phase.RECOVERED, Reason.REFUSED_ALREADY_PUBLISHED, ()),
    (IN_GRACE, Discard("sam"), WITH_GRACE, Phase.RECOVERED, Reason.REFUSED_ALREADY_PUBLISHED, ()),
    (CLOSED, AlertFired(), ASK, Phase.CLOSED, Reason.ALREADY_ENDED, ()),
    (CLOSED, AlertRecovered(), ASK, Phase.CLOSED, Reason.ALREADY_ENDED, ()),
    (CLOSED, TimerElapsed(), ASK, Phase.CLOSED, Reason.NOTHING_DUE, ()),
    (CLOSED, Publish("sam"), ASK, Phase.CLOSED, Reason.REFUSED_CLOSED, ()),
    (CLOSED, Discard("sam"), ASK, Phase.CLOSED, Reason.REFUSED_CLOSED, ()),
    (CLOSED, Close("sam"), ASK, Phase.CLOSED, Reason.REFUSED_CLOSED, ()),
    (
        CLOSED,
        UPDATE,
        ASK,
        Phase.CLOSED,
        Reason.CORRECTION_POSTED,
        (TellSubscribers(UpdateStatus.RESOLVED, "We know why."),),
    ),
    (CLOSED, replace(UPDATE, seen_open=True), ASK, Phase.CLOSED, Reason.REFUSED_CLOSED, ()),
    (
        CLOSED,
        WHY,
        ASK,
        Phase.CLOSED,
        Reason.POSTMORTEM_POSTED,
        (TellSubscribers(UpdateStatus.POSTMORTEM, "A disk was full."),),
    ),
    (
        CLOSED,
        replace(WHY, is_sent=False),
        ASK,
        Phase.CLOSED,
        Reason.POSTMORTEM_POSTED,
        (TellSubscribers(UpdateStatus.POSTMORTEM, "A disk was full.", is_sent=False),),
    ),
    (
        CLOSED,
        replace(WHY, stands="A disk was full.\n"),
        ASK,
        Phase.CLOSED,
        Reason.REFUSED_TEXT_THE_SAME,
        (),
    ),
    (IN_GRACE, WHY, WITH_GRACE, Phase.RECOVERED, Reason.REFUSED_STILL_OPEN, ()),
    (DISCARDED, WHY, ASK, Phase.DISCARDED, Reason.REFUSED_DISCARDED, ()),
    (DISCARDED, AlertFired(), ASK, Phase.DISCARDED, Reason.ALREADY_ENDED, ()),
    (DISCARDED, Publish("sam"), ASK, Phase.DISCARDED, Reason.REFUSED_DISCARDED, ()),
    (DISCARDED, Discard("sam"), ASK, Phase.DISCARDED, Reason.REFUSED_DISCARDED, ()),
    (DISCARDED, UPDATE, ASK, Phase.DISCARDED, Reason.REFUSED_DISCARDED, ()),
    (DISCARDED, Close("sam"), ASK, Phase.DISCARDED, Reason.REFUSED_DISCARDED, ()),
]


@pytest.mark.parametrize(
    ("incident", "event", "policy", "phase", "reason", "effects"),
    TABLE,
    ids=[f"{row[0].phase}-{type(row[1]).__name__}-{row[4]}" for row in TABLE],
)
def test_the_table_of_phases(
    incident: Incident,
    event: Event,
    policy: Policy,
    phase: Phase,
    reason: Reason,
    effects: tuple[object, ...],
) -> None:
    decision = decide(incident, event, policy, T0 + timedelta(hours=1))
    assert (decision.incident.phase, decision.reason, decision.effects) == (phase, reason, effects)


def test_an_incident_waits_for_the_wait_time() -> None:
    decision = open_incident(DRAFT, ASK, T0)
    assert (decision.incident.phase, decision.incident.due_at) == (Phase.WAITING, T0 + WAIT)
    assert decision.reason is Reason.OPENED


@pytest.mark.parametrize(
    ("policy", "phase", "reason"),
    [
        (Policy(), Phase.UNPUBLISHED, Reason.OPENED_AND_ASKED),
        (Policy(auto_publish=True), Phase.PUBLISHED, Reason.OPENED_AND_PUBLISHED),
    ],
)
def test_without_a_wait_time_it_is_decided_at_once(policy: Policy, phase: Phase, reason: Reason) -> None:
    decision = open_incident(DRAFT, policy, T0)
    assert (decision.incident.phase, decision.reason, decision.incident.version) == (phase, reason, 1)


def test_a_timer_that_is_early_does_nothing() -> None:
    decision = decide(WAITING, TimerElapsed(), ASK, T0 + WAIT - timedelta(microseconds=1))
    assert decision == Decision(WAITING, Reason.NOTHING_DUE)


def test_one_of_two_alerts_recovered_leaves_the_incident_as_it_is() -> None:
    both = live((AlertFired("disk"), WAIT / 2))
    decision = decide(both, AlertRecovered(frozenset({"disk"})), ASK, T0 + WAIT)
    assert (decision.incident.phase, decision.reason) == (Phase.WAITING, Reason.ALERT_RECOVERED)


def test_an_incident_that_fires_again_in_its_grace_has_no_timer_left() -> None:
    assert decide(IN_GRACE, AlertFired(), WITH_GRACE, T0 + WAIT * 4).incident.due_at is None


def test_it_remembers_who_published_and_who_ended_it() -> None:
    assert (CLOSED.published_by, CLOSED.ended_by) == ("jordan", AUTOMATIC)
    assert (DISCARDED.published_by, DISCARDED.ended_by) == (None, "sam")
