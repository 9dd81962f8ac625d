"""What mails say, as plain dicts that JSON can hold: built from the model when a delivery is queued.

The TypedDicts name every variable that a template in mail_templates/ may use; besides these it has only what
`compose` adds (`MailSurroundings`). It never formats: times stay ISO strings, texts stay Markdown.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypedDict

from service.model import AUTOMATIC, Incident, Maintenance, Update

AUTOMATICALLY = "automatically"
"""Stands where a person's name would, if a rule of config.yaml acted."""


class ComponentFacts(TypedDict):
    """A component that the incident affects."""

    name: str
    state: str
    """`major_outage`."""
    state_words: str
    """`major outage`."""


class IncidentFacts(TypedDict):
    """An incident as it was when the mail was queued; times are ISO strings with their offset, or None."""

    id: int
    tag: str
    """`INC-12`."""
    monitor: str
    """The alert name in config.yaml; for employees' eyes only."""
    subject: str
    message: str
    """Markdown."""
    type: str
    components: list[ComponentFacts]
    started_at: str
    published_at: str | None
    ended_at: str | None
    published_by: str | None
    """A name, `automatically`, or None while it is not published; `ended_by` likewise."""
    ended_by: str | None
    alerts: int
    """How many different alerts belong to it."""
    times_fired: int
    """How many firing messages these were together."""
    public_path: str
    dashboard_path: str


class UpdateFacts(TypedDict):
    """One published text."""

    status: str
    status_words: str
    body: str
    """Markdown."""
    posted_at: str


class AlertFacts(TypedDict):
    """The alert that led to this mail; all empty where it was none, but a timer or a person."""

    monitor_name: str
    raw_state: str
    message: str
    entity_id: str | None


class EmployeeFacts(TypedDict):
    """Mails about an incident to an employee: published, recovered, closed, discarded."""

    employee_name: str
    incident: IncidentFacts
    alert: AlertFacts | None
    """For employees' eyes only."""
    reason: str
    """A `workflow.Reason`."""
    by: str
    """A name, or `automatically`."""
    recipients: int
    """How many subscribers have heard or would hear of it by mail."""
    webhooks: int
    """And how many by webhook."""
    update_body: str
    """Markdown: the text published with this step, or the closing comment; may be empty."""


class ShownFacts(TypedDict):
    """What would be published."""

    status: str
    body: str
    """Markdown."""


class ApprovalFacts(EmployeeFacts):
    """The mail that asks for a decision."""

    shown: ShownFacts
    approved_by: list[str]
    """Names of those who said publish already."""
    approvals_missing: int


class ReminderFacts(EmployeeFacts):
    """The reminder of a published incident about which nothing was told for a while."""

    update: UpdateFacts | None
    """What was told last."""


class ConfirmReplyFacts(TypedDict):
    """The question whether a reply was really the employee's."""

    employee_name: str
    first_line: str
    evidence: str
    """Why that cannot be told."""
    incident: IncidentFacts


class AlarmFacts(TypedDict):
    """What keeps the service from doing its work, to an admin."""

    employee_name: str
    title: str
    sentences: list[str]
    incident: IncidentFacts | None


class AnswerFacts(TypedDict):
    """The answer to an employee's reply."""

    employee_name: str
    first_line: str
    """What was read, at most 80 characters; may be empty."""
    outcome: str
    """A short code that names what became of the reply."""
    sentences: list[str]
    """What happened, for a person."""
    valid_line: str
    """The one line to send instead; empty where nothing is to be sent."""
    incident: IncidentFacts | None
    subject: str
    """Of the mail that is answered."""
    in_reply_to: str | None
    """The Message-ID of the mail that is answered."""
    references: list[str]


class SubscriberUpdateFacts(TypedDict):
    """An update to a subscriber; it never names an employee, an alert or a monitor."""

    incident: IncidentFacts
    update: UpdateFacts
    subscriber_public_id: str
    is_first: bool
    """Whether this is the first mail about the incident."""
    corrected_at: str | None
    """When the update was posted that this one puts right; None: it puts none right."""


class MaintenanceFacts(TypedDict):
    """A maintenance; times are ISO strings with their offset, or None."""

    id: int
    subject: str
    message: str
    """Markdown."""
    components: list[str]
    starts_at: str
    ends_at: str
    """As planned; `started_at` and `ended_at` say when it was so."""
    started_at: str | None
    ended_at: str | None
    public_path: str


class MaintenanceUpdateFacts(TypedDict):
    """An update of a maintenance to a subscriber; it never names an employee."""

    maintenance: MaintenanceFacts
    update: UpdateFacts
    """`status_words` may be `cancelled` as well."""
    subscriber_public_id: str
    is_first: bool
    """Whether this is the first mail about the maintenance."""


class SubscriberConfirmFacts(TypedDict):
    """The question to a new address whether it wants our mails."""

    path: str
    """`/subscribe/confirm/`."""
    is_known: bool
    """Whether the address has confirmed before: then the link shows its subscription."""


class LoginLinkFacts(TypedDict):
    """The link that lets an employee in."""

    employee_name: str
    minutes: int
    """How long the link can be used."""


def incident_facts(incident: Incident, *, names: Mapping[str, str]) -> dict[str, Any]:
    """Say of an incident what mails need; `names` gives employees' names by id (unknown: the id stands)."""
    facts: IncidentFacts = {
        "id": incident.id,
        "tag": incident.tag,
        "monitor": incident.monitor_key.partition(":")[2],
        "subject": incident.subject,
        "message": incident.message,
        "type": incident.type,
        "components": [
            {"name": name, "state": state.value, "state_words": _words(state.value)}
            for name, state in incident.components.items()
        ],
        "started_at": incident.started_at.isoformat(),
        "published_at": _iso(incident.published_at),
        "ended_at": _iso(incident.ended_at),
        "published_by": _name(incident.published_by, names),
        "ended_by": _name(incident.ended_by, names),
        "alerts": len(incident.alerts),
        "times_fired": sum(alert.times_fired for alert in incident.alerts),
        "public_path": f"/incidents/{incident.id}",
        "dashboard_path": f"/dashboard/incidents/{incident.id}",
    }
    return dict(facts)


def update_facts(update: Update) -> dict[str, Any]:
    """Say of an update what subscribers read; who posted it stays out."""
    facts: UpdateFacts = {
        "status": update.status.value,
        "status_words": _words(update.status.value),
        "body": update.body,
        "posted_at": update.posted_at.isoformat(),
    }
    return dict(facts)


def maintenance_facts(maintenance: Maintenance) -> dict[str, Any]:
    """Say of a maintenance what subscribers read; who planned it stays out."""
    facts: MaintenanceFacts = {
        "id": maintenance.id,
        "subject": maintenance.subject,
        "message": maintenance.message,
        "components": list(maintenance.components),
        "starts_at": maintenance.starts_at.isoformat(),
        "ends_at": maintenance.ends_at.isoformat(),
        "started_at": _iso(maintenance.started_at),
        "ended_at": _iso(maintenance.ended_at),
        "public_path": f"/maintenance/{maintenance.id}",
    }
    return dict(facts)


def maintenance_update_facts(update: Update, maintenance: Maintenance) -> dict[str, Any]:
    """Say of a maintenance's update what subscribers read."""
    return update_facts(update) | {"status_words": maintenance.words_of(update.status)}


def _words(value: str) -> str:
    return value.replace("_", " ")


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _name(employee_id: str | None, names: Mapping[str, str]) -> str | None:
    if employee_id is None:
        return None
    return AUTOMATICALLY if employee_id == AUTOMATIC else names.get(employee_id, employee_id)
