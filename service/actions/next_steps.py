"""What will become of an incident if nobody does anything. Pure: the state machine itself is asked, so none differs."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from service.model import Incident
from service.workflow import Decision, Policy, Reason, TimerElapsed, decide

STEP_WORDS: Final[Mapping[Reason, str]] = {
    Reason.WAIT_ELAPSED: "the employees are asked",
    Reason.AUTO_PUBLISHED: "published automatically",
    Reason.HOLD_ENDED: "the hold ends and the employees are asked again",
    Reason.REMINDED: "the employees are asked again",
    Reason.ESCALATED: "further employees are asked",
    Reason.LADDER_PUBLISHED: "published automatically",
    Reason.LADDER_DISCARDED: "discarded automatically",
    Reason.LADDER_LEFT: "nobody is asked any more",
    Reason.REMINDED_TO_UPDATE: "the employees are reminded to tell more",
    Reason.GRACE_ELAPSED: "closed automatically",
}
_FATES: Final = frozenset({Reason.LADDER_PUBLISHED, Reason.LADDER_DISCARDED})


@dataclass(frozen=True, slots=True)
class NextStep:
    """Something that happens by itself unless somebody decides before, or it recovers."""

    at: datetime
    reason: Reason
    newly: tuple[str, ...] = ()
    """Ids of the employees who are asked as well from then on."""

    @property
    def words(self) -> str:
        """Say what happens."""
        return STEP_WORDS[self.reason]


def next_steps(incident: Incident, policy: Policy) -> tuple[NextStep, ...]:
    """Give what happens next, and then how the ladder ends it, where it does and that is not the next."""
    first = _step(incident, policy)
    if first is None:
        return ()
    fate = _fate(incident, policy)
    return (first[0],) if fate is None or fate == first[0] else (first[0], fate)


def _step(incident: Incident, policy: Policy) -> tuple[NextStep, Decision] | None:
    if incident.due_at is None:
        return None
    decision = decide(incident, TimerElapsed(), policy, incident.due_at)
    if decision.reason not in STEP_WORDS:
        return None
    newly = tuple(one for one in decision.incident.notify_employees if one not in incident.notify_employees)
    return NextStep(incident.due_at, decision.reason, newly), decision


def _fate(incident: Incident, policy: Policy) -> NextStep | None:
    without_reminders = replace(policy, remind_every=None)
    # the wait, a hold, a reminder that is due already, and the rungs
    for _ in range(len(policy.ladder) + 3):
        found = _step(incident, without_reminders)
        if found is None:
            return None
        step, decision = found
        if step.reason in _FATES:
            return step
        incident = decision.incident
    return None
