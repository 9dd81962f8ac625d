"""What is told: updates to the public, deliveries to each recipient."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class UpdateStatus(StrEnum):
    """What the public reads of the progress of an incident, and of a maintenance."""

    INVESTIGATING = "investigating"
    IDENTIFIED = "identified"
    MONITORING = "monitoring"
    RESOLVED = "resolved"
    POSTMORTEM = "postmortem"
    """Why it happened and what is done about it, told once it is over; it changes nothing of how it stands."""
    SCHEDULED = "scheduled"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"

    @property
    def is_of_maintenance(self) -> bool:
        """Whether it is said of a maintenance, and never of an incident."""
        return self in {UpdateStatus.SCHEDULED, UpdateStatus.IN_PROGRESS, UpdateStatus.COMPLETED}


INCIDENT_STATUSES = tuple(
    status
    for status in UpdateStatus
    if not status.is_of_maintenance and status is not UpdateStatus.POSTMORTEM
)
"""How an employee may say that an incident stands."""


@dataclass(frozen=True, slots=True)
class Update:
    """Published text about an incident; never changed, only followed by another."""

    id: int
    incident_id: int | None
    status: UpdateStatus
    body: str
    """Markdown."""
    posted_at: datetime
    posted_by: str
    maintenance_id: int | None = None
    """Given where it is about a maintenance and not about an incident."""
    corrects_id: int | None = None
    """The update that it puts right; it goes to exactly those who were sent that one."""


class DeliveryKind(StrEnum):
    """Which mail a delivery is; each but a webhook call has a folder of this name in mail_templates/."""

    APPROVAL = "approval"
    """To employees: decide about this unpublished incident."""
    PUBLISHED = "published"
    """To employees: it was published, by whom or automatically."""
    RECOVERED = "recovered"
    """To employees: a published incident recovered and stays open."""
    CLOSED = "closed"
    """To employees: a published incident was closed."""
    DISCARDED = "discarded"
    """To employees: it ended without being published."""
    REMINDER = "reminder"
    """To employees: a published incident is still open, and nothing was told about it for a while."""
    ANSWER = "answer"
    """To an employee: what came of the reply."""
    CONFIRM_REPLY = "confirm_reply"
    """To an employee: did you really order this?"""
    ALARM = "alarm"
    """To the admins: something keeps the service from doing its work."""
    SUBSCRIBER_UPDATE = "subscriber_update"
    """To a subscriber: what is published about an incident."""
    SUBSCRIBER_POSTMORTEM = "subscriber_postmortem"
    """To a subscriber who heard of an incident: why it happened."""
    MAINTENANCE_UPDATE = "maintenance_update"
    """To a subscriber: work is announced, begins, ends or is called off."""
    WEBHOOK_CALL = "webhook_call"
    """To a subscriber's webhook: an update of either; the one kind that is no mail."""
    SUBSCRIBER_CONFIRM = "subscriber_confirm"
    """To a new address: do you want our mails?"""
    LOGIN_LINK = "login_link"
    """To an employee: the link that logs in."""


MAIL_KINDS = tuple(kind for kind in DeliveryKind if kind is not DeliveryKind.WEBHOOK_CALL)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One mail or call to one recipient, with its attempts; the outbox is the due ones."""

    id: int
    public_id: str
    """Unguessable; its Message-ID and its tokens are derived from it."""
    kind: DeliveryKind
    recipient: str
    created_at: datetime
    due_at: datetime | None
    """When to try next; None once it was sent, failed or cancelled."""
    attempts: int = 0
    incident_id: int | None = None
    update_id: int | None = None
    employee_id: str | None = None
    subscriber_id: int | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What the mail says, as it was when it was queued."""
    sent_at: datetime | None = None
    failed_at: datetime | None = None
    bounced_at: datetime | None = None
    """When it came back although the relay had taken it."""
    last_error: str = ""
    may_have_arrived_at: datetime | None = None
    """When an attempt first ended without an answer; cleared once it was sent."""
