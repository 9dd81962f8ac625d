"""Taking in the alerts of one webhook post: which monitor, which incident, what becomes of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection

from service import grouping, workflow
from service.actions.carrying_out import Cause, carry_out, with_alert
from service.actions.house import House
from service.actions.policies import policy_by, policy_for, policy_of
from service.actions.suppressing import SUPPRESSED, suppressing
from service.actions.texts import opening_variables, render
from service.model import Alert, AlertState, Incident, Monitor
from service.providers.matching import match_monitor, near_names, state_for
from service.store import inbox_rows, incidents, narrative, open_incidents
from service.store.inbox_rows import InboxState


class AlertReason(StrEnum):
    """Why an alert had no effect on any incident."""

    NO_MONITOR = "no_monitor"
    NO_EFFECT = "state_without_effect"
    NOTHING_OPEN = "nothing_open"
    NO_ALERTS = "no_alerts"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one alert: the reasons, one per incident that it concerned."""

    reason: str
    explanation: str
    incident_ids: tuple[int, ...] = ()
    is_unmatched: bool = False


def take_alerts(house: House, inbox_id: int, alerts: Sequence[Alert], received_at: datetime) -> None:
    """Let the alerts of one post have their effect and finish its inbox row, all in one transaction.

    The time of receipt counts, not that of working it off, so that a backlog tells when things happened.
    """
    with house.store.transaction() as connection:
        outcomes = [take_alert(connection, house, inbox_id, alert, received_at) for alert in alerts]
        if not outcomes:
            outcomes = [Outcome(AlertReason.NO_ALERTS, "the post holds no alert")]
        unmatched = all(outcome.is_unmatched for outcome in outcomes)
        inbox_rows.finish(
            connection,
            inbox_id,
            InboxState.REFUSED if unmatched else InboxState.DONE,
            reason=outcomes[-1].reason,
            explanation="; ".join(outcome.explanation for outcome in outcomes),
        )
    for alert, outcome in zip(alerts, outcomes, strict=False):
        house.notes.took_alert(alert.provider, outcome.reason)


def take_alert(
    connection: Connection, house: House, inbox_id: int | None, alert: Alert, now: datetime
) -> Outcome:
    """Let one alert have its effect as of a time and note it, within a transaction that does more than this."""
    outcome = _effect(connection, house, alert, now)
    for incident_id in outcome.incident_ids or (None,):
        narrative.add_alert(
            connection,
            alert,
            inbox_id=inbox_id,
            incident_id=incident_id,
            reason=outcome.reason,
            now=now,
        )
    return outcome


def _effect(connection: Connection, house: House, alert: Alert, now: datetime) -> Outcome:
    monitor = match_monitor(alert.monitor_name, alert.provider, house.config.monitors)
    if monitor is None:
        if alert.state is AlertState.INFO and alert.raw_state:
            said = f"`{alert.monitor_name}` is no monitor, and `{alert.raw_state}` opens and closes nothing"
            return Outcome(AlertReason.NO_EFFECT, said)
        near = near_names(alert.monitor_name, house.config.monitors)
        hint = f", did you mean {' or '.join(f'`{name}`' for name in near)}?" if near else ""
        explanation = f"no monitor is configured for `{alert.monitor_name}`{hint}"
        return Outcome(AlertReason.NO_MONITOR, explanation, is_unmatched=True)
    match state_for(alert, monitor):
        case AlertState.FIRING:
            if maintenance := suppressing(connection, monitor, now):
                said = (
                    f"the maintenance `{maintenance.subject}` is on; it counts at its end if it still fires"
                )
                return Outcome(SUPPRESSED, said)
            return _fire(connection, house, monitor, alert, now)
        case AlertState.RECOVERED:
            return _recover(connection, house, monitor, alert, now)
        case _:
            said = f"the state `{alert.raw_state}` opens and closes nothing"
            missing = "it has no state, and so opens and closes nothing: let the webhook send one"
            return Outcome(AlertReason.NO_EFFECT, said if alert.raw_state else missing)


def _fire(connection: Connection, house: House, monitor: Monitor, alert: Alert, now: datetime) -> Outcome:
    open_ones = _that_it_may_join(connection, monitor, alert.entity_id)
    incident = grouping.incident_for_firing(alert.entity_id, open_ones, combine=monitor.combine_alerts)
    if incident is None:
        decision, note = _open(connection, house, monitor, alert, now)
        carry_out(connection, house, None, decision, now, Cause(alert, note))
    else:
        event = workflow.AlertFired(alert.entity_id)
        decision = workflow.decide(incident, event, policy_by(house, monitor, incident), now)
        carry_out(connection, house, incident, decision, now, Cause(alert))
    return _told([decision])


def _that_it_may_join(
    connection: Connection, monitor: Monitor, entity_id: str | None
) -> tuple[Incident, ...]:
    """Read of a monitor's open incidents those that `incident_for_firing` chooses among: very many may be open."""
    same = () if entity_id is None else open_incidents.firing_of_monitor(connection, monitor.key, entity_id)
    if same or not monitor.combine_alerts:
        return same
    return open_incidents.newest_of_monitor(connection, monitor.key)


def _that_it_may_end(connection: Connection, monitor: Monitor, entity_id: str | None) -> tuple[Incident, ...]:
    """Read of a monitor's open incidents those that `incidents_for_recovery` chooses among."""
    if entity_id is None:
        return open_incidents.open_of_monitor(connection, monitor.key)
    same = open_incidents.firing_of_monitor(connection, monitor.key, entity_id)
    return same or open_incidents.firing_of_monitor(connection, monitor.key, None)


def _open(
    connection: Connection, house: House, monitor: Monitor, alert: Alert, now: datetime
) -> tuple[workflow.Decision, str]:
    incident_id = incidents.reserve_id(connection, monitor.key, now)
    variables = opening_variables(monitor, alert, house.config.site, incident_id=incident_id, started_at=now)
    subject = render(monitor.subject, variables, otherwise=alert.monitor_name)
    message = render(monitor.message, variables, otherwise=subject.text)
    draft = workflow.Draft(
        id=incident_id,
        monitor_key=monitor.key,
        subject=" ".join(subject.text.split()),
        message=message.text,
        type=monitor.type,
        components=monitor.affected_components,
        authored_by=monitor.authored_by,
        notify_employees=monitor.notify_employees,
        entity_id=alert.entity_id,
        audience=monitor.audience,
    )
    faults = dict.fromkeys(text.fault for text in (subject, message) if text.fault)
    return workflow.open_incident(draft, policy_of(monitor), now), "; ".join(faults)


def _recover(connection: Connection, house: House, monitor: Monitor, alert: Alert, now: datetime) -> Outcome:
    open_ones = _that_it_may_end(connection, monitor, alert.entity_id)
    concerned, entity_ids = grouping.incidents_for_recovery(alert.entity_id, open_ones)
    if not concerned:
        return Outcome(AlertReason.NOTHING_OPEN, f"nothing of `{alert.monitor_name}` was firing")
    event = workflow.AlertRecovered(entity_ids)
    decisions = [(one, workflow.decide(one, event, policy_by(house, monitor, one), now)) for one in concerned]
    for incident, decision in decisions:
        carry_out(connection, house, incident, decision, now, Cause(alert))
    return _told([decision for _, decision in decisions])


def _told(decisions: list[workflow.Decision]) -> Outcome:
    told = ", ".join(f"{one.incident.tag}: {one.reason.replace('_', ' ')}" for one in decisions)
    return Outcome(decisions[-1].reason, told, tuple(one.incident.id for one in decisions))


def fire_timer(house: House, incident_id: int, now: datetime) -> workflow.Reason | None:
    """Let an incident's timer have its effect if it is due; None where there is no such incident."""
    with house.store.transaction() as connection:
        incident = incidents.get(connection, incident_id)
        if incident is None:
            return None
        policy = policy_for(house, incident)
        decision = workflow.decide(incident, workflow.TimerElapsed(), policy, now)
        carry_out(connection, house, incident, decision, now, with_alert(connection, incident))
        return decision.reason
