"""Taking in the alerts of one webhook post: which monitor, which incident, what becomes of it."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from service import grouping, workflow
from service.actions.alert_words import is_news, why_no_effect, why_no_monitor
from service.actions.carrying_out import Cause, carry_out, with_alert
from service.actions.house import House
from service.actions.outcomes import AlertReason, Outcome, outcome_of_post
from service.actions.policies import policy_by, policy_for, policy_of
from service.actions.suppressing import suppressing
from service.actions.texts import opening_variables, render
from service.model import Alert, AlertState, Incident, KnownAs, Monitor
from service.providers.matching import known_as, match_monitor, state_for
from service.store import inbox_rows, incidents, narrative, open_incidents
from service.store.suppression import SUPPRESSED


def take_alerts(
    house: House, inbox_id: int, alerts: Sequence[Alert], received_at: datetime, *, complaint: str = ""
) -> None:
    """Let the alerts of one post have their effect and finish its inbox row, all in one transaction.

    The time of receipt counts, not that of working it off, so that a backlog tells when things happened. `complaint`
    says what is wrong with others of the post, which cannot be read.
    """
    with house.store.transaction() as connection:
        outcomes = [take_alert(connection, house, inbox_id, alert, received_at) for alert in alerts]
        lost = [Outcome(AlertReason.UNREADABLE, complaint)] if complaint else []
        told = outcome_of_post([*outcomes, *lost])
        inbox_rows.finish(connection, inbox_id, told.state, reason=told.reason, explanation=told.explanation)
    for alert, outcome in zip(alerts, outcomes, strict=True):
        house.notes.took_alert(alert.provider, outcome.reason)
    if complaint and alerts:
        house.notes.took_alert(alerts[0].provider, AlertReason.UNREADABLE)


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
        reason = AlertReason.NO_EFFECT if is_news(alert) else AlertReason.NO_MONITOR
        return Outcome(reason, why_no_monitor(alert, house.config.monitors))
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
            reason = AlertReason.NO_EFFECT if alert.is_state_known else AlertReason.UNKNOWN_STATE
            return Outcome(reason, why_no_effect(alert, monitor))


def _fire(connection: Connection, house: House, monitor: Monitor, alert: Alert, now: datetime) -> Outcome:
    known = known_as(alert, monitor)
    # with *combine alerts* off only an id says that it is the same one
    same = known.key if monitor.combine_alerts else known.entity_id
    open_ones = _that_it_may_join(connection, monitor, same)
    incident = grouping.incident_for_firing(same, open_ones, combine=monitor.combine_alerts)
    if incident is None:
        decision, note = _open(connection, house, monitor, alert, known, now)
        carry_out(connection, house, None, decision, now, Cause(alert, note))
    else:
        event = workflow.AlertFired(known.key, known.name)
        decision = workflow.decide(incident, event, policy_by(house, monitor, incident), now)
        carry_out(connection, house, incident, decision, now, Cause(alert))
    return _told([decision])


def _that_it_may_join(connection: Connection, monitor: Monitor, key: str | None) -> tuple[Incident, ...]:
    """Read of a monitor's open incidents those that `incident_for_firing` chooses among: very many may be open."""
    same = () if key is None else open_incidents.firing_of_monitor(connection, monitor.key, key)
    if same or not monitor.combine_alerts:
        return same
    return open_incidents.newest_of_monitor(connection, monitor.key)


def _that_it_may_end(connection: Connection, monitor: Monitor, known: KnownAs) -> tuple[Incident, ...]:
    """Read of a monitor's open incidents those that `incidents_for_recovery` chooses among."""
    if known.entity_id is not None:
        same = open_incidents.firing_of_monitor(connection, monitor.key, known.entity_id)
        if same:
            return same
        if not known.is_one_of_several:
            without = (None, known.name)
            found = [open_incidents.firing_of_monitor(connection, monitor.key, key) for key in without]
            return tuple({one.id: one for some in found for one in some}.values())
    if known.is_one_of_several:
        return open_incidents.firing_by_name(connection, monitor.key, known.name)
    return open_incidents.open_of_monitor(connection, monitor.key)


def _open(
    connection: Connection, house: House, monitor: Monitor, alert: Alert, known: KnownAs, now: datetime
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
        entity_id=known.key,
        alert_name=known.name,
        audience=monitor.audience,
    )
    faults = dict.fromkeys(text.fault for text in (subject, message) if text.fault)
    return workflow.open_incident(draft, policy_of(monitor), now), "; ".join(faults)


def _recover(connection: Connection, house: House, monitor: Monitor, alert: Alert, now: datetime) -> Outcome:
    known = known_as(alert, monitor)
    concerned = grouping.incidents_for_recovery(known, _that_it_may_end(connection, monitor, known))
    if not concerned:
        said = f"nothing of `{alert.monitor_name}` was firing{_what_fires(connection, monitor, known)}"
        return Outcome(AlertReason.NOTHING_OPEN, said)
    decisions = [
        (one, workflow.decide(one, workflow.AlertRecovered(meant), policy_by(house, monitor, one), now))
        for one, meant in concerned
    ]
    for incident, decision in decisions:
        carry_out(connection, house, incident, decision, now, Cause(alert))
    return _told([decision for _, decision in decisions])


def _what_fires(connection: Connection, monitor: Monitor, known: KnownAs) -> str:
    """Name something of the monitor that does fire: its recovery may be called otherwise, and then never ends it."""
    newest = open_incidents.newest_of_monitor(connection, monitor.key)
    firing = (one for incident in newest for one in incident.alerts if one.recovered_at is None)
    # under the same name it is another thing by its id
    names = (one.entity_id if one.name == known.name else one.name for one in firing)
    called = next(filter(None, names), None)
    return f"; `{called}` is, and a recovery must have the same name or entity id" if called else ""


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
