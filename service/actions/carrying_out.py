"""Carrying a decision out within a transaction: the incident, its timeline, its update, its mails."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from service.actions.audience import count_audience, estimate_new_audience
from service.actions.house import House
from service.actions.policies import policy_for, with_approvals_that_count
from service.actions.recording_states import record_incident
from service.actions.texts import closing_variables, render
from service.mail.facts import incident_facts, update_facts
from service.mail.tokens import hash_token, make_token
from service.model import Alert, DeliveryKind, Incident, TimelineEntry, UpdateStatus
from service.store import credentials, deliveries, incidents, narrative
from service.store.audience import Reach
from service.store.credentials import Purpose, Token
from service.store.deliveries import NewDelivery
from service.workflow import Decision, TellEmployees, TellSubscribers, Text

RESOLVED_TEXT = "This incident has been resolved."
"""What subscribers read where a monitor has no closing comment."""


@dataclass(frozen=True, slots=True)
class Cause:
    """What brought a decision about, as far as texts and mails speak of it."""

    alert: Alert | None = None
    """None: no alert did; a closing comment then speaks of the incident's last one."""
    note: str = ""


def carry_out(
    connection: Connection,
    house: House,
    before: Incident | None,
    decision: Decision,
    now: datetime,
    cause: Cause | None = None,
) -> None:
    """Make a decision so. Raises IncidentChangedMeanwhile, and then nothing of it has happened."""
    after, cause = decision.incident, cause or Cause()
    if after is not before:
        incidents.save(connection, before, after)
        record_incident(connection, before, after, now)
    told = ""
    for effect in decision.effects:
        match effect:
            case TellSubscribers(status, corrects_id=corrects_id, is_sent=is_sent):
                told = _body(connection, house, effect, after, cause, now)
                narrative.add_update(
                    connection,
                    incident_id=after.id,
                    corrects_id=corrects_id,
                    status=status,
                    body=told,
                    now=now,
                    by=decision.by,
                    is_sent=is_sent,
                )
            case TellEmployees():
                _tell_employees(connection, house, effect, decision, told, cause, now)
    if not decision.reason.is_silent:
        entry = TimelineEntry(
            at=now,
            from_phase=before.phase if before else None,
            to_phase=after.phase,
            reason=decision.reason,
            by=decision.by,
            note=cause.note,
        )
        narrative.add_timeline(connection, after.id, entry)
    house.notes.decided(decision)


def _body(
    connection: Connection,
    house: House,
    effect: TellSubscribers,
    incident: Incident,
    cause: Cause,
    now: datetime,
) -> str:
    match effect.body:
        case Text.MESSAGE:
            return incident.message
        case Text.CLOSING_COMMENT:
            return closing_comment(house, incident, with_alert(connection, incident, cause), now)
        case Text.MESSAGE_AND_CLOSING_COMMENT:
            return shown_if_published(house, incident, now, with_alert(connection, incident, cause))[1]
        case given:
            return given


def with_alert(connection: Connection, incident: Incident, cause: Cause | None = None) -> Cause:
    """Give a cause that names an alert, for a closing comment may: where none did it, the incident's last one."""
    cause = cause or Cause()
    if cause.alert is not None:
        return cause
    received = narrative.last_alert_of(connection, incident.id)
    if received is None:
        return cause
    alert = Alert(
        provider=incident.monitor_key.partition(":")[0],
        monitor_name=received.monitor_name,
        state=received.state,
        entity_id=received.entity_id,
        raw_state=received.raw_state,
        message=received.message,
    )
    return replace(cause, alert=alert)


def closing_comment(house: House, incident: Incident, cause: Cause, now: datetime) -> str:
    """Give what subscribers read when it is closed now without a comment."""
    monitor = house.config.monitor_for(incident.monitor_key)
    if monitor is None:
        return RESOLVED_TEXT
    variables = closing_variables(monitor, incident, cause.alert, house.config.site, now=now)
    return render(monitor.closing_comment, variables, otherwise=RESOLVED_TEXT).text


def _tell_employees(
    connection: Connection,
    house: House,
    effect: TellEmployees,
    decision: Decision,
    told: str,
    cause: Cause,
    now: datetime,
) -> None:
    incident, kind = decision.incident, effect.kind
    reach = _reach(connection, house, kind, incident, now)
    facts: dict[str, Any] = {
        "incident": incident_facts(incident, names=house.names),
        "alert": _alert_facts(cause.alert),
        "reason": decision.reason.value,
        "by": house.name_of(decision.by),
        "recipients": reach.mails,
        "webhooks": reach.webhooks,
        "update_body": told,
    }
    if kind is DeliveryKind.APPROVAL:
        facts |= _asked(house, incident, with_alert(connection, incident, cause), now)
    if kind is DeliveryKind.REMINDER:
        told_so_far = narrative.updates_of(connection, [incident.id])[incident.id]
        facts["update"] = update_facts(told_so_far[-1]) if told_so_far else None
    concerned = incident.notify_employees if effect.to is None else effect.to
    if effect.also_who_did_it:
        concerned = tuple(dict.fromkeys((*concerned, decision.by)))
    new = [
        NewDelivery(
            public_id=house.new_id(),
            occasion=f"{incident.tag}:{incident.version}:{kind}:{employee.id}",
            kind=kind,
            recipient=employee.email,
            facts={"employee_name": employee.name, **facts},
            incident_id=incident.id,
            employee_id=employee.id,
        )
        for employee in map(house.employee, concerned)
        if employee is not None and (effect.also_who_did_it or employee.id != decision.by)
    ]
    queue_with_tokens(connection, house, new, now, text_version=incident.text_version)


def shown_if_published(
    house: House, incident: Incident, now: datetime, cause: Cause | None = None
) -> tuple[UpdateStatus, str]:
    """Give the status and the text that publishing would show now, word for word."""
    policy = policy_for(house, incident)
    if incident.has_recovered and policy.auto_close:
        closing = closing_comment(house, incident, cause or Cause(), now)
        return UpdateStatus.RESOLVED, f"{incident.message}\n\n{closing}"
    return UpdateStatus.INVESTIGATING, incident.message


def _asked(house: House, incident: Incident, cause: Cause, now: datetime) -> dict[str, Any]:
    """Give what the mail that asks needs besides: what publishing would show, word for word, and who approved."""
    policy, approved_by = policy_for(house, incident), with_approvals_that_count(house, incident).approved_by
    status, body = shown_if_published(house, incident, now, cause)
    return {
        "shown": {"status": status, "body": body},
        "approved_by": list(map(house.name_of, approved_by)),
        "approvals_missing": max(policy.approvals - len(approved_by), 0),
    }


def _reach(
    connection: Connection, house: House, kind: DeliveryKind, incident: Incident, now: datetime
) -> Reach:
    is_told_already = kind is DeliveryKind.CLOSED and incident.published_at != incident.ended_at
    if is_told_already or kind is DeliveryKind.REMINDER:
        return count_audience(connection, house, incident)
    return estimate_new_audience(connection, house, incident, now)


def queue_with_tokens(
    connection: Connection,
    house: House,
    new: Sequence[NewDelivery],
    now: datetime,
    *,
    text_version: int | None,
    confirms: int | None = None,
) -> bool:
    """Queue mails to employees, each of which can be replied to until its token expires; False: none was new.

    Where several decisions are made together, all count as new, as in `deliveries.queue`: a mail that was queued before
    leaves a token then that nobody was given.
    `text_version` is that of the text which they show; `confirms` the reply that they ask about.
    """
    queued = set(deliveries.queue(connection, new, now))
    tokens = (
        Token(
            hash=hash_token(make_token(house.key, one.public_id)),
            purpose=Purpose.REPLY,
            created_at=now,
            expires_at=now + house.config.replies.token_lifetime,
            incident_id=one.incident_id,
            employee_id=one.employee_id,
            text_version=text_version,
            confirms=confirms,
        )
        for one in new
        if one.public_id in queued and one.incident_id is not None
    )
    credentials.issue(connection, *tokens)
    return bool(queued)


def _alert_facts(alert: Alert | None) -> dict[str, str]:
    if alert is None:
        return {"monitor_name": "", "raw_state": "", "message": "", "entity_id": ""}
    return {
        "monitor_name": alert.monitor_name,
        "raw_state": alert.raw_state,
        "message": alert.message,
        "entity_id": alert.entity_id or "",
    }
