"""The state machine: the only place where an incident's fate is decided.

Pure: standard library only, no I/O, no clock of its own, and every step has a named reason. It says what
shall happen (effects); `actions` makes it happen. Its table of phases stands in docs/architecture.md.
"""

from datetime import datetime

from service.model import Incident
from service.workflow import alerts, orders, timers
from service.workflow.alerts import open_by_hand, open_incident
from service.workflow.edits import differences
from service.workflow.vocabulary import (
    AlertFired,
    AlertRecovered,
    Close,
    Correct,
    Decision,
    Discard,
    Draft,
    Edit,
    Effect,
    Event,
    Hold,
    Policy,
    PostMortem,
    PostUpdate,
    Publish,
    Reason,
    TellEmployees,
    TellSubscribers,
    Text,
    TimerElapsed,
)

__all__ = [
    "AlertFired",
    "AlertRecovered",
    "Close",
    "Correct",
    "Decision",
    "Discard",
    "Draft",
    "Edit",
    "Effect",
    "Event",
    "Hold",
    "Policy",
    "PostMortem",
    "PostUpdate",
    "Publish",
    "Reason",
    "TellEmployees",
    "TellSubscribers",
    "Text",
    "TimerElapsed",
    "decide",
    "differences",
    "open_by_hand",
    "open_incident",
]


def decide(incident: Incident, event: Event, policy: Policy, now: datetime) -> Decision:
    """Decide what an event does to an incident; the same event a second time has no second effect."""
    match event:
        case AlertFired():
            return alerts.fired(incident, event, policy, now)
        case AlertRecovered():
            return alerts.recovered(incident, event, policy, now)
        case TimerElapsed():
            return timers.timer_elapsed(incident, policy, now)
        case _:
            return orders.ordered(incident, event, policy, now)
