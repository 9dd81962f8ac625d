"""The steps that several events lead to: asking, publishing, closing. Pure, as all of `workflow`."""

from dataclasses import replace
from datetime import datetime, timedelta

from service.model import AUTOMATIC, DeliveryKind, Incident, LastResort, Phase, UpdateStatus
from service.workflow.vocabulary import Decision, Effect, Policy, Reason, TellEmployees, TellSubscribers, Text


def changed(incident: Incident, **changes: object) -> Incident:
    """Give the next version of an incident."""
    return replace(incident, version=incident.version + 1, **changes)  # type: ignore[arg-type]


def ended(after: Incident, phase: Phase, by: str, now: datetime) -> Incident:
    """Give an incident that is over."""
    return replace(after, phase=phase, due_at=None, held_until=None, ended_at=now, ended_by=by)


def refused_as_ended(incident: Incident) -> Reason:
    """Say how an incident ended that somebody orders something about."""
    return Reason.REFUSED_CLOSED if incident.phase is Phase.CLOSED else Reason.REFUSED_DISCARDED


def asked(after: Incident, policy: Policy, now: datetime, **changes: object) -> Incident:
    """Give an incident that waits for a decision from now on, its ladder at the foot."""
    begun = replace(
        after,
        phase=Phase.UNPUBLISHED,
        notified_at=now,
        ladder_from=now,
        reminded_at=now,
        rung=0,
        **changes,  # type: ignore[arg-type]
    )
    return replace(begun, due_at=next_due_at(begun, policy))


def next_due_at(incident: Incident, policy: Policy) -> datetime | None:
    """Tell when an unpublished incident needs something done by itself: a hold's end comes before all else."""
    if incident.held_until is not None:
        return incident.held_until
    due = []
    if incident.ladder_from is not None and incident.rung < len(policy.ladder):
        due.append(incident.ladder_from + policy.ladder[incident.rung].after)
    at_top = bool(policy.ladder) and incident.rung >= len(policy.ladder)
    was_left = at_top and policy.ladder[-1].then is LastResort.LEAVE
    if incident.reminded_at is not None and policy.remind_every is not None and not was_left:
        due.append(incident.reminded_at + policy.remind_every)
    return min(due, default=None)


def next_reminder_at(policy: Policy, now: datetime) -> datetime | None:
    """Tell when a published incident is to be reminded of, if nothing is told about it from now on."""
    return None if policy.remind_every is None else now + policy.remind_every


def published(after: Incident, policy: Policy, reason: Reason, by: str, now: datetime) -> Decision:
    """Publish: as going on, or as over where everything has recovered meanwhile."""
    public = replace(
        after,
        phase=Phase.PUBLISHED,
        due_at=next_reminder_at(policy, now),
        held_until=None,
        published_at=now,
        published_by=by,
        notified_at=after.notified_at or now,
    )
    if public.has_recovered and policy.auto_close:
        effects: tuple[Effect, ...] = (
            TellSubscribers(UpdateStatus.RESOLVED, Text.MESSAGE_AND_CLOSING_COMMENT),
            TellEmployees(DeliveryKind.CLOSED),
        )
        if reason is Reason.PUBLISHED:
            reason = Reason.PUBLISHED_AS_RESOLVED
        return Decision(ended(public, Phase.CLOSED, by, now), reason, effects, by)
    if public.has_recovered:
        public = replace(public, phase=Phase.RECOVERED, due_at=None)
    effects = (
        TellSubscribers(UpdateStatus.INVESTIGATING, Text.MESSAGE),
        TellEmployees(DeliveryKind.PUBLISHED),
    )
    return Decision(public, reason, effects, by)


def recovered_in_public(after: Incident, policy: Policy, now: datetime) -> Decision:
    """Let a published incident that has recovered close, wait for its grace, or be left to the employees."""
    if not policy.auto_close:
        left_open = replace(after, phase=Phase.RECOVERED, due_at=None)
        return Decision(left_open, Reason.RECOVERED_LEFT_OPEN, (TellEmployees(DeliveryKind.RECOVERED),))
    if policy.recovery_grace > timedelta(0):
        in_grace = replace(after, phase=Phase.RECOVERED, due_at=now + policy.recovery_grace)
        return Decision(in_grace, Reason.RECOVERED_IN_GRACE)
    return closed(after, Reason.AUTO_CLOSED, Text.CLOSING_COMMENT, AUTOMATIC, now)


def closed(after: Incident, reason: Reason, text: Text | str, by: str, now: datetime) -> Decision:
    """Close a published incident, and tell everybody who heard of it."""
    effects = (TellSubscribers(UpdateStatus.RESOLVED, text), TellEmployees(DeliveryKind.CLOSED))
    return Decision(ended(after, Phase.CLOSED, by, now), reason, effects, by)
