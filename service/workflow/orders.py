"""What employees order: publish, discard, hold, edit, update, close, tell why; and when that is refused."""

from dataclasses import replace
from datetime import datetime, timedelta

from service.model import DeliveryKind, Incident, Phase, UpdateStatus
from service.workflow.edits import edited
from service.workflow.endings import (
    asked,
    changed,
    closed,
    ended,
    next_due_at,
    next_reminder_at,
    published,
    refused_as_ended,
)
from service.workflow.vocabulary import (
    Close,
    Correct,
    Decision,
    Discard,
    Edit,
    Hold,
    Policy,
    PostMortem,
    PostUpdate,
    Publish,
    Reason,
    TellEmployees,
    TellSubscribers,
    Text,
)

_UNDECIDED = {Phase.WAITING, Phase.UNPUBLISHED}
_GOING_ON = {Phase.PUBLISHED, Phase.RECOVERED}


Order = Publish | Discard | Hold | Edit | PostUpdate | Correct | PostMortem | Close
"""What an employee may order."""


def ordered(incident: Incident, order: Order, policy: Policy, now: datetime) -> Decision:
    """Decide what an employee's order does to an incident."""
    match order:
        case Publish():
            return publish(incident, order, policy, now)
        case Discard():
            return discard(incident, order, now)
        case Hold():
            return hold(incident, order, policy, now)
        case Edit():
            return edit(incident, order)
        case PostUpdate():
            return post_update(incident, order, policy, now)
        case Correct():
            return correct(incident, order)
        case PostMortem():
            return post_mortem(incident, order)
        case Close():
            return close(incident, order, now)


def publish(incident: Incident, event: Publish, policy: Policy, now: datetime) -> Decision:
    """Publish, once as many employees as the monitor wants have said so about this very text."""
    if incident.phase not in _UNDECIDED:
        return Decision(incident, _refused_as_decided(incident), by=event.by)
    if event.text_version not in {None, incident.text_version}:
        return Decision(incident, Reason.REFUSED_TEXT_CHANGED, by=event.by)
    approved_by = tuple(dict.fromkeys((*incident.approved_by, event.by)))
    if len(approved_by) >= policy.approvals:
        after = changed(incident, approved_by=approved_by)
        return published(after, policy, Reason.PUBLISHED, event.by, now)
    if approved_by == incident.approved_by:
        return Decision(incident, Reason.REFUSED_APPROVED_BEFORE, by=event.by)
    after = changed(incident, approved_by=approved_by)
    if incident.phase is Phase.WAITING:
        after = asked(after, policy, now)
    return Decision(after, Reason.APPROVED, (TellEmployees(DeliveryKind.APPROVAL),), event.by)


def discard(incident: Incident, event: Discard, now: datetime) -> Decision:
    """Let an unpublished incident go."""
    if incident.phase not in _UNDECIDED:
        return Decision(incident, _refused_as_decided(incident), by=event.by)
    gone = ended(changed(incident), Phase.DISCARDED, event.by, now)
    # employees who never heard of it need not hear that it is gone
    tell = (TellEmployees(DeliveryKind.DISCARDED),) if incident.notified_at else ()
    return Decision(gone, Reason.DISCARDED, tell, event.by)


def hold(incident: Incident, event: Hold, policy: Policy, now: datetime) -> Decision:
    """Put everything that would happen by itself off; the ladder goes on from where it stood."""
    until = now + event.span
    match incident.phase:
        case Phase.WAITING:
            due_at = max(incident.due_at or until, until)
            return Decision(changed(incident, due_at=due_at), Reason.HELD, by=event.by)
        case Phase.UNPUBLISHED:
            # from where an earlier hold ended, for time that was held already is not held again
            held_from = max(now, incident.held_until or now)
            later = (incident.ladder_from or now) + max(until - held_from, timedelta(0))
            held = changed(incident, held_until=max(until, held_from), ladder_from=later)
            return Decision(replace(held, due_at=next_due_at(held, policy)), Reason.HELD, by=event.by)
        case _:
            return Decision(incident, _refused_as_decided(incident), by=event.by)


def edit(incident: Incident, event: Edit) -> Decision:
    """Give an unpublished incident other words, another type or other components."""
    if incident.phase not in _UNDECIDED:
        return Decision(incident, _refused_as_decided(incident), by=event.by)
    return edited(incident, event)


def post_update(incident: Incident, event: PostUpdate, policy: Policy, now: datetime) -> Decision:
    """Tell the public more about a published incident, which is reminded of later then; `resolved` closes it."""
    if incident.phase.is_public and event.said_last == (event.status, event.body):
        return Decision(incident, Reason.REFUSED_TEXT_THE_SAME, by=event.by)
    match incident.phase:
        case Phase.PUBLISHED | Phase.RECOVERED if event.status is UpdateStatus.RESOLVED:
            return closed(changed(incident), Reason.CLOSED, event.body, event.by, now)
        case Phase.PUBLISHED | Phase.RECOVERED:
            tell = (TellSubscribers(event.status, event.body),)
            is_firing = incident.phase is Phase.PUBLISHED
            # what has recovered keeps the end of its grace
            due_at = next_reminder_at(policy, now) if is_firing else incident.due_at
            return Decision(changed(incident, due_at=due_at), Reason.UPDATE_POSTED, tell, event.by)
        case Phase.CLOSED if event.seen_open:
            return Decision(incident, Reason.REFUSED_CLOSED, by=event.by)
        case Phase.CLOSED:
            # what is closed stays closed: a later word about it reads as resolved, whatever was asked for
            tell = (TellSubscribers(UpdateStatus.RESOLVED, event.body),)
            return Decision(changed(incident), Reason.CORRECTION_POSTED, tell, event.by)
        case Phase.WAITING | Phase.UNPUBLISHED:
            return Decision(incident, Reason.REFUSED_NOT_PUBLISHED, by=event.by)
        case Phase.DISCARDED:
            return Decision(incident, Reason.REFUSED_DISCARDED, by=event.by)


def correct(incident: Incident, event: Correct) -> Decision:
    """Put right what was said of a published incident, also when it is over; nothing else of it changes."""
    if incident.phase in _UNDECIDED:
        return Decision(incident, Reason.REFUSED_NOT_PUBLISHED, by=event.by)
    if incident.phase is Phase.DISCARDED:
        return Decision(incident, Reason.REFUSED_DISCARDED, by=event.by)
    if event.body.strip() == event.stands.strip():
        # a form that was sent twice, or two employees of one mind: subscribers are told once
        return Decision(incident, Reason.REFUSED_TEXT_THE_SAME, by=event.by)
    tell = (TellSubscribers(event.status, event.body, corrects_id=event.update_id),)
    return Decision(changed(incident), Reason.UPDATE_CORRECTED, tell, event.by)


def post_mortem(incident: Incident, event: PostMortem) -> Decision:
    """Tell why a closed incident happened, once where the same is said twice; nothing else of it changes."""
    if incident.phase in _UNDECIDED:
        return Decision(incident, Reason.REFUSED_NOT_PUBLISHED, by=event.by)
    if incident.phase in _GOING_ON:
        return Decision(incident, Reason.REFUSED_STILL_OPEN, by=event.by)
    if incident.phase is Phase.DISCARDED:
        return Decision(incident, Reason.REFUSED_DISCARDED, by=event.by)
    if event.stands is not None and event.body.strip() == event.stands.strip():
        return Decision(incident, Reason.REFUSED_TEXT_THE_SAME, by=event.by)
    tell = (TellSubscribers(UpdateStatus.POSTMORTEM, event.body, is_sent=event.is_sent),)
    return Decision(changed(incident), Reason.POSTMORTEM_POSTED, tell, event.by)


def close(incident: Incident, event: Close, now: datetime) -> Decision:
    """Close a published incident, with a comment or the monitor's closing comment."""
    if incident.phase in _GOING_ON:
        text = event.comment or Text.CLOSING_COMMENT
        return closed(changed(incident), Reason.CLOSED, text, event.by, now)
    if incident.phase in _UNDECIDED:
        return Decision(incident, Reason.REFUSED_NOT_PUBLISHED, by=event.by)
    return Decision(incident, refused_as_ended(incident), by=event.by)


def _refused_as_decided(incident: Incident) -> Reason:
    if incident.phase in _GOING_ON:
        return Reason.REFUSED_ALREADY_PUBLISHED
    return refused_as_ended(incident)
