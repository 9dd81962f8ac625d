"""What happens by itself when an incident's time has come: the wait, the ladder, reminders, the grace."""

from dataclasses import replace
from datetime import datetime, timedelta

from service.model import AUTOMATIC, DeliveryKind, Incident, LastResort, Phase, Rung
from service.workflow.endings import asked, changed, closed, ended, next_due_at, next_reminder_at, published
from service.workflow.vocabulary import Decision, Policy, Reason, TellEmployees, Text

_ASK = TellEmployees(DeliveryKind.APPROVAL)


def timer_elapsed(incident: Incident, policy: Policy, now: datetime) -> Decision:
    """Do what is due; the phase says which timer it is."""
    if incident.due_at is None or incident.due_at > now:
        return Decision(incident, Reason.NOTHING_DUE)
    match incident.phase:
        case Phase.WAITING:
            return wait_elapsed(incident, policy, now)
        case Phase.UNPUBLISHED:
            return _nobody_decided(incident, policy, now)
        case Phase.PUBLISHED:
            return _no_news(incident, policy, now)
        case Phase.RECOVERED:
            return closed(changed(incident), Reason.GRACE_ELAPSED, Text.CLOSING_COMMENT, AUTOMATIC, now)
        case _:
            return Decision(incident, Reason.NOTHING_DUE)


def wait_elapsed(incident: Incident, policy: Policy, now: datetime) -> Decision:
    """Ask the employees, or publish where the monitor says so."""
    if policy.auto_publish:
        return published(changed(incident), policy, Reason.AUTO_PUBLISHED, AUTOMATIC, now)
    return Decision(asked(changed(incident), policy, now), Reason.WAIT_ELAPSED, (_ASK,))


def _nobody_decided(incident: Incident, policy: Policy, now: datetime) -> Decision:
    if incident.held_until is not None:
        return _remind(incident, policy, Reason.HOLD_ENDED, now)
    if incident.ladder_from is not None and incident.rung < len(policy.ladder):
        rung = policy.ladder[incident.rung]
        if incident.ladder_from + rung.after <= now:
            return _climb(incident, rung, policy, now)
    return _remind(incident, policy, Reason.REMINDED, now)


def _no_news(incident: Incident, policy: Policy, now: datetime) -> Decision:
    """Remind those who know of a published incident that the public has heard nothing for a while."""
    after = changed(incident, due_at=next_reminder_at(policy, now))
    if policy.remind_every is None:
        # it was published while its monitor still wanted reminders: this timer is its last
        return Decision(after, Reason.NOTHING_DUE)
    return Decision(after, Reason.REMINDED_TO_UPDATE, (TellEmployees(DeliveryKind.REMINDER),))


def _remind(incident: Incident, policy: Policy, reason: Reason, now: datetime) -> Decision:
    reminded = changed(incident, reminded_at=now, held_until=None)
    return Decision(replace(reminded, due_at=next_due_at(reminded, policy)), reason, (_ASK,))


def _climb(incident: Incident, rung: Rung, policy: Policy, now: datetime) -> Decision:
    match rung.then:
        case LastResort.PUBLISH:
            return published(changed(incident), policy, Reason.LADDER_PUBLISHED, AUTOMATIC, now)
        case LastResort.DISCARD:
            gone = ended(changed(incident), Phase.DISCARDED, AUTOMATIC, now)
            return Decision(gone, Reason.LADDER_DISCARDED, (TellEmployees(DeliveryKind.DISCARDED),))
        case LastResort.LEAVE:
            return Decision(changed(incident, rung=incident.rung + 1, due_at=None), Reason.LADDER_LEFT)
        case None:
            # a rung that comes late, after an outage of ours, puts the next ones off as much
            began = incident.ladder_from or now
            late = max(now - (began + rung.after), timedelta(0))
            higher = replace(incident, rung=incident.rung + 1, ladder_from=began + late)
    newly = tuple(one for one in rung.notify if one not in incident.notify_employees)
    if not newly:
        return _remind(higher, policy, Reason.REMINDED, now)
    wider = changed(higher, notify_employees=(*incident.notify_employees, *newly))
    tell = TellEmployees(DeliveryKind.APPROVAL, to=newly)
    return Decision(replace(wider, due_at=next_due_at(wider, policy)), Reason.ESCALATED, (tell,))
