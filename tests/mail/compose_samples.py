"""Facts of every kind of mail, and short ways from them to a parsed mail."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any
from zoneinfo import ZoneInfo

from service.config.settings import Site
from service.mail.compose import PostOffice, compose
from service.mail.facts import incident_facts, maintenance_facts, maintenance_update_facts, update_facts
from service.model import (
    ComponentState,
    Delivery,
    DeliveryKind,
    Incident,
    JoinedAlert,
    Maintenance,
    MaintenancePhase,
    Phase,
    Update,
    UpdateStatus,
)

AT = datetime(2026, 11, 24, 13, 2, tzinfo=UTC)
PUBLIC_ID = "0123456789abcdef" * 2
SITE = Site("Acme Status", "https://status.acme.example", ZoneInfo("Europe/Berlin"), hide_authors=True)
OFFICE = PostOffice(SITE, "Acme Status", "status@acme.example", "instance-1", b"k" * 32)
NAMES = {"jordan": "Jordan Ray", "ana": "Ana Müller"}
ABOUT_AN_INCIDENT = (
    DeliveryKind.APPROVAL,
    DeliveryKind.PUBLISHED,
    DeliveryKind.RECOVERED,
    DeliveryKind.REMINDER,
    DeliveryKind.CLOSED,
    DeliveryKind.DISCARDED,
)
TO_REPLY_TO = (*ABOUT_AN_INCIDENT, DeliveryKind.ANSWER, DeliveryKind.CONFIRM_REPLY)
TO_SUBSCRIBERS = (
    DeliveryKind.SUBSCRIBER_UPDATE,
    DeliveryKind.SUBSCRIBER_POSTMORTEM,
    DeliveryKind.MAINTENANCE_UPDATE,
)
INCIDENT = Incident(
    id=12,
    monitor_key="victorops:Mail-Monitor",
    phase=Phase.CLOSED,
    due_at=None,
    version=4,
    subject="Email is unavailable",
    message="We are looking into **failures** of our mail servers.",
    type="service_unavailable",
    components={"Email": ComponentState.MAJOR_OUTAGE, "Calendar": ComponentState.PARTIAL_OUTAGE},
    started_at=AT,
    alerts=(JoinedAlert("mx1", AT, times_fired=3), JoinedAlert("mx2", AT)),
    authored_by="jordan",
    published_at=AT + timedelta(minutes=5),
    published_by="ana",
    ended_at=AT + timedelta(minutes=43),
    ended_by="ana",
)
UPDATE = Update(1, 12, UpdateStatus.IDENTIFIED, "A disk was full.", AT + timedelta(minutes=9), "ana")


ANNOUNCED = Update(2, None, UpdateStatus.SCHEDULED, "We **change** a disk.", AT, "ana", maintenance_id=12)


def maintenance_like(incident: Incident = INCIDENT) -> Maintenance:
    """Give a maintenance of the same number, texts and components."""
    return Maintenance(
        id=incident.id,
        phase=MaintenancePhase.PLANNED,
        due_at=AT,
        version=1,
        subject=incident.subject,
        message=incident.message,
        components=tuple(incident.components),
        starts_at=AT + timedelta(hours=24),
        ends_at=AT + timedelta(hours=26),
        planned_at=AT,
        planned_by="ana",
    )


def facts_of(kind: DeliveryKind, shown: Incident = INCIDENT, /, **changes: object) -> dict[str, Any]:
    """Give whole facts of a kind, with some of them changed."""
    about = incident_facts(shown, names=NAMES)
    match kind:
        case DeliveryKind.SUBSCRIBER_UPDATE | DeliveryKind.SUBSCRIBER_POSTMORTEM:
            facts: dict[str, Any] = {
                "incident": about,
                "update": update_facts(UPDATE),
                "subscriber_public_id": "f" * 32,
                "is_first": True,
                "corrected_at": None,
            }
        case DeliveryKind.MAINTENANCE_UPDATE:
            maintenance = maintenance_like(shown)
            facts = {
                "maintenance": maintenance_facts(maintenance),
                "update": maintenance_update_facts(ANNOUNCED, maintenance),
                "subscriber_public_id": "f" * 32,
                "is_first": True,
            }
        case DeliveryKind.SUBSCRIBER_CONFIRM:
            facts = {"path": "/subscribe/confirm/", "is_known": False}
        case DeliveryKind.LOGIN_LINK:
            facts = {"employee_name": "Jordan Ray", "minutes": 15}
        case DeliveryKind.ANSWER:
            facts = {
                "employee_name": "Jordan Ray",
                "first_line": "publish?",
                "outcome": "question",
                "sentences": ["Nothing was published.", "It still waits for a decision."],
                "valid_line": "publish",
                "incident": about,
                "subject": "Re: [INC-12] Email is unavailable",
                "in_reply_to": "<question@mail.example>",
                "references": ["<first@mail.example>"],
            }
        case DeliveryKind.CONFIRM_REPLY:
            facts = {
                "employee_name": "Jordan Ray",
                "first_line": "publish",
                "evidence": "no Authentication-Results of mx.acme.example",
                "has_button": True,
                "incident": about,
            }
        case DeliveryKind.ALARM:
            facts = {
                "employee_name": "Jordan Ray",
                "title": "Sam Lee cannot be reached by mail",
                "sentences": ["The mail to Sam Lee could not be delivered: 550 no such user"],
                "incident": about,
            }
        case _:
            facts = {
                "employee_name": "Jordan Ray",
                "incident": about,
                "alert": {
                    "monitor_name": "Email Server",
                    "raw_state": "CRITICAL",
                    "message": "Queue is full.",
                    "entity_id": "host-mx1",
                },
                "reason": "published",
                "by": "Ana Müller",
                "recipients": 1204,
                "webhooks": 31,
                "update_body": "It **works** again.",
            }
            if kind is DeliveryKind.REMINDER:
                facts["update"] = update_facts(UPDATE)
            if kind is DeliveryKind.APPROVAL:
                shown_text = {"status": "investigating", "body": shown.message}
                facts |= {"shown": shown_text, "approved_by": ["Ana Müller"], "approvals_missing": 1}
    return facts | changes


def minimal_facts(kind: DeliveryKind) -> dict[str, Any]:
    """Give facts in which everything is missing that may be."""
    bare = replace(INCIDENT, message="", type="", components={}, published_at=None, ended_at=None, alerts=())
    changes: dict[str, object] = {"employee_name": ""}
    if kind in ABOUT_AN_INCIDENT:
        changes |= {"alert": None, "reason": "", "by": "automatically", "recipients": 0, "update_body": ""}
    if kind is DeliveryKind.REMINDER:
        changes["update"] = None
    if kind is DeliveryKind.APPROVAL:
        changes |= {
            "shown": {"status": "investigating", "body": ""},
            "approved_by": [],
            "approvals_missing": 0,
        }
    if kind is DeliveryKind.ALARM:
        changes |= {"title": "", "sentences": [], "incident": None}
    if kind is DeliveryKind.ANSWER:
        changes |= {"incident": None, "first_line": "", "valid_line": "", "sentences": [], "subject": ""}
        changes |= {"in_reply_to": None, "references": []}
    return facts_of(kind, bare, **changes)


def raw_mail(
    kind: DeliveryKind, facts: Mapping[str, Any] | None = None, office: PostOffice = OFFICE
) -> bytes:
    """Compose a mail as it goes to the relay."""
    known = facts_of(kind) if facts is None else facts
    delivery = Delivery(1, PUBLIC_ID, kind, "jordan@acme.example", created_at=AT, due_at=AT, facts=known)
    return compose(delivery, office).message


def mail(
    kind: DeliveryKind, facts: Mapping[str, Any] | None = None, office: PostOffice = OFFICE
) -> EmailMessage:
    """Compose a mail and read it back."""
    return message_from_bytes(raw_mail(kind, facts, office), policy=default)


def text_of(message: EmailMessage, subtype: str = "plain") -> str:
    """Give the text or the HTML of a mail, lines ending in LF."""
    part = message.get_body((subtype,))
    assert isinstance(part, EmailMessage)
    return "\n".join(part.get_content().splitlines())
