"""Deciding by the link in a notification, for those who cannot reply: the same tokens and rules as replies.

A link has no sender. Where replies need proof of theirs, it decides only for the employee whom it was sent to, logged
in; it shows to everybody who holds it what is at stake.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection

from service import workflow
from service.actions.audience import count_audience
from service.actions.carrying_out import shown_if_published, with_alert
from service.actions.deciding import order_within
from service.actions.house import House
from service.actions.telling import describe, explain
from service.errors import NotAllowed, TokenInvalid
from service.mail.tokens import hash_token
from service.model import Employee, Incident
from service.store import credentials, incidents
from service.store.audience import Reach
from service.store.credentials import Purpose, Token


class LinkOrder(StrEnum):
    """What the page behind the link lets an employee order."""

    PUBLISH = "publish"
    DISCARD = "discard"


class Admission(StrEnum):
    """Whether whoever opens a link may decide there."""

    OPEN = "open"
    LOG_IN = "log_in"
    """The employee whom it was sent to must log in first."""
    SOMEBODY_ELSES = "somebody_elses"
    """Another employee is logged in, for whom the dashboard is the place."""


@dataclass(frozen=True, slots=True)
class LinkView:
    """What the page behind a link shows."""

    incident: Incident
    employee: Employee
    recipients: Reach
    status: str
    body: str
    """What publishing would show, word for word."""
    sentences: tuple[str, ...]
    """How the incident stands."""
    is_open_to_decision: bool
    admission: Admission
    why_not: str = ""


def look_at_link(house: House, token: str, now: datetime, *, by: Employee | None = None) -> LinkView:
    """Show what a link is about to whom is logged in as `by`, changing nothing; raises TokenInvalid."""
    with house.store.reading() as connection:
        found, employee, incident = _find(connection, house, token, now)
        recipients = count_audience(connection, house, incident)
        cause = with_alert(connection, incident)
    status, body = shown_if_published(house, incident, now, cause)
    undecided = incident.phase.is_open and not incident.phase.is_public
    why_not = _why_not(found, incident) if undecided else ""
    return LinkView(
        incident=incident,
        employee=employee,
        recipients=recipients,
        status=status,
        body=body,
        sentences=describe(house, incident, recipients),
        is_open_to_decision=undecided and not why_not,
        admission=_admission(house, employee, by),
        why_not=why_not,
    )


def act_by_link(
    house: House, token: str, order: LinkOrder, now: datetime, *, by: Employee | None = None
) -> str:
    """Publish or discard in the name of whom the link was mailed to; returns what came of it, in a sentence.

    `by` is who is logged in. Raises TokenInvalid where the link is unknown, too old, was used or is about an older
    text, and NotAllowed.
    """
    with house.store.transaction() as connection:
        found, employee, incident = _find(connection, house, token, now)
        undecided = incident.phase.is_open and not incident.phase.is_public
        if undecided and (why_not := _why_not(found, incident)):
            raise TokenInvalid(why_not)
        if _admission(house, employee, by) is not Admission.OPEN:
            raise NotAllowed(explain_admission(employee, by))
        if order is LinkOrder.PUBLISH:
            event: workflow.Event = workflow.Publish(employee.id, found.text_version)
        else:
            event = workflow.Discard(employee.id)
        decision = order_within(connection, house, incident.id, employee, event, now)
        if not decision.reason.is_refusal:
            credentials.use(connection, found.hash, now)
        return explain(house, decision)


def _admission(house: House, owner: Employee, by: Employee | None) -> Admission:
    if house.believes_token_alone or (by is not None and by.id == owner.id):
        return Admission.OPEN
    return Admission.LOG_IN if by is None else Admission.SOMEBODY_ELSES


def explain_admission(owner: Employee, by: Employee | None) -> str:
    """Say whose link it is, to whom is logged in as somebody else or as nobody."""
    who = f"You are logged in as {by.name}" if by else "You are not logged in"
    return f"{who}; this link was sent to {owner.name}, and only {owner.name} can decide with it."


def _find(
    connection: Connection, house: House, token: str, now: datetime
) -> tuple[Token, Employee, Incident]:
    found = credentials.find(connection, hash_token(token), Purpose.REPLY)
    employee = house.employee(found.employee_id) if found else None
    incident = incidents.get(connection, found.incident_id or 0) if found else None
    if found is None or employee is None or incident is None:
        raise TokenInvalid("this link is not one of ours; log in to the dashboard instead")
    if found.expires_at <= now:
        raise TokenInvalid("this link is too old; log in to the dashboard instead")
    return found, employee, incident


def _why_not(token: Token, incident: Incident) -> str:
    if token.used_at is not None:
        return "this link was used before; use the one in the newest mail, or log in to the dashboard"
    if token.text_version not in {None, incident.text_version}:
        return "it was changed since this link was mailed; use the one in the newest mail"
    return ""
