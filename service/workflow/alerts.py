"""What alerts do to an incident: open it, join it, recover it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from service.model import AUTOMATIC, DeliveryKind, IfRecovered, Incident, JoinedAlert, Phase
from service.workflow.endings import changed, ended, next_reminder_at, published, recovered_in_public
from service.workflow.timers import wait_elapsed
from service.workflow.vocabulary import (
    AlertFired,
    AlertRecovered,
    Decision,
    Draft,
    Policy,
    Reason,
    TellEmployees,
)


def open_incident(draft: Draft, policy: Policy, now: datetime) -> Decision:
    """Open an incident for a first firing alert: it waits or, without a wait time, is decided at once."""
    incident = Incident(
        id=draft.id,
        monitor_key=draft.monitor_key,
        phase=Phase.WAITING,
        due_at=now + policy.wait,
        version=1,
        subject=draft.subject,
        message=draft.message,
        type=draft.type,
        components=draft.components,
        started_at=now,
        alerts=(JoinedAlert(draft.entity_id, fired_at=now, name=draft.alert_name),),
        authored_by=draft.authored_by,
        notify_employees=draft.notify_employees,
        audience=draft.audience,
    )
    if policy.wait > timedelta(0):
        return Decision(incident, Reason.OPENED)
    elapsed = wait_elapsed(incident, policy, now)
    reason = Reason.OPENED_AND_PUBLISHED if policy.auto_publish else Reason.OPENED_AND_ASKED
    return replace(elapsed, incident=replace(elapsed.incident, version=1), reason=reason)


def open_by_hand(draft: Draft, by: str, now: datetime) -> Decision:
    """Open an incident that an employee writes: nothing is waited for, and nothing is published by itself."""
    return replace(open_incident(draft, Policy(), now), reason=Reason.OPENED_BY_HAND, by=by)


def fired(incident: Incident, event: AlertFired, policy: Policy, now: datetime) -> Decision:
    """Let a firing alert join; one that fires already is only counted."""
    if not incident.phase.is_open:
        return Decision(incident, Reason.ALREADY_ENDED)
    known = [alert for alert in incident.alerts if alert.entity_id == event.entity_id]
    if known:
        alerts = _each(incident, event.entity_id, partial(_fire_again, event.name))
    else:
        alerts = (*incident.alerts, JoinedAlert(event.entity_id, fired_at=now, name=event.name))
    if any(alert.recovered_at is None for alert in known):
        return Decision(changed(incident, alerts=alerts), Reason.ALERT_REPEATED)
    if incident.phase is Phase.RECOVERED:
        # silently: the page never said that it had recovered, so there is nothing to take back
        due_at = next_reminder_at(policy, now)
        back = changed(incident, alerts=alerts, phase=Phase.PUBLISHED, due_at=due_at)
        return Decision(back, Reason.FIRED_AGAIN)
    after = changed(incident, alerts=alerts)
    if incident.phase is Phase.UNPUBLISHED and incident.has_recovered:
        # it was kept, and shown as it would be published resolved: what was shown and approved holds no more
        after = replace(after, text_version=after.text_version + 1, approved_by=())
        return Decision(after, Reason.FIRED_AGAIN_UNPUBLISHED, (TellEmployees(DeliveryKind.APPROVAL),))
    return Decision(after, Reason.ALERT_JOINED)


def _fire_again(name: str, alert: JoinedAlert) -> JoinedAlert:
    # an older version may have noted it, which knew no names
    return replace(alert, recovered_at=None, times_fired=alert.times_fired + 1, name=alert.name or name)


def _each(
    incident: Incident, entity_id: str | None, change: Callable[[JoinedAlert], JoinedAlert]
) -> tuple[JoinedAlert, ...]:
    return tuple([change(alert) if alert.entity_id == entity_id else alert for alert in incident.alerts])


def recovered(incident: Incident, event: AlertRecovered, policy: Policy, now: datetime) -> Decision:
    """Let alerts recover; once all have, the phase says what becomes of the incident."""
    if not incident.phase.is_open:
        return Decision(incident, Reason.ALREADY_ENDED)

    def is_meant(alert: JoinedAlert) -> bool:
        return alert.entity_id in event.entity_ids and alert.recovered_at is None

    if not any(map(is_meant, incident.alerts)):
        return Decision(incident, Reason.NOTHING_TO_RECOVER)
    alerts = tuple(
        replace(alert, recovered_at=now) if is_meant(alert) else alert for alert in incident.alerts
    )
    after = changed(incident, alerts=alerts)
    if not after.has_recovered:
        return Decision(after, Reason.ALERT_RECOVERED)
    match incident.phase:
        case Phase.WAITING:
            return Decision(ended(after, Phase.DISCARDED, AUTOMATIC, now), Reason.RECOVERED_WITHIN_WAIT)
        case Phase.UNPUBLISHED:
            return _recovered_unpublished(after, policy, now)
        case _:
            return recovered_in_public(after, policy, now)


def _recovered_unpublished(after: Incident, policy: Policy, now: datetime) -> Decision:
    choice = policy.if_recovered
    if choice is IfRecovered.PUBLISH_RESOLVED and after.held_until is not None:
        choice = IfRecovered.KEEP  # somebody holds it: nothing is published by itself
    match choice:
        case IfRecovered.KEEP:
            kept = replace(after, text_version=after.text_version + 1, approved_by=())
            return Decision(kept, Reason.RECOVERED_KEPT, (TellEmployees(DeliveryKind.APPROVAL),))
        case IfRecovered.PUBLISH_RESOLVED:
            # it is told as over, so it is over, whether later recoveries would close or not
            over = replace(policy, auto_close=True)
            return published(after, over, Reason.RECOVERED_AND_PUBLISHED, AUTOMATIC, now)
        case IfRecovered.DISCARD:
            gone = ended(after, Phase.DISCARDED, AUTOMATIC, now)
            return Decision(gone, Reason.RECOVERED_UNPUBLISHED, (TellEmployees(DeliveryKind.DISCARDED),))
