"""The words of this product as frozen dataclasses and enums; no behaviour beyond what a word implies.

Times are timezone-aware UTC datetimes named `*_at`; spans are `timedelta`s named by a bare noun.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any


class ComponentState(StrEnum):
    """What the public reads about a component, from best to worst; maintenance stands apart."""

    OPERATIONAL = "operational"
    DEGRADED_PERFORMANCE = "degraded_performance"
    PARTIAL_OUTAGE = "partial_outage"
    MAJOR_OUTAGE = "major_outage"
    UNDER_MAINTENANCE = "under_maintenance"


SEVERITY_ORDER = (
    ComponentState.OPERATIONAL,
    ComponentState.UNDER_MAINTENANCE,
    ComponentState.DEGRADED_PERFORMANCE,
    ComponentState.PARTIAL_OUTAGE,
    ComponentState.MAJOR_OUTAGE,
)
"""The worst of several states is the last of them in this order."""


class AlertState(StrEnum):
    """What a provider's message says of its monitor; only the first two have an effect."""

    FIRING = "firing"
    RECOVERED = "recovered"
    ACKNOWLEDGED = "acknowledged"
    INFO = "info"


class Phase(StrEnum):
    """Where an incident stands in our workflow; the public never reads it."""

    WAITING = "waiting"
    UNPUBLISHED = "unpublished"
    PUBLISHED = "published"
    RECOVERED = "recovered"
    CLOSED = "closed"
    DISCARDED = "discarded"

    @property
    def is_open(self) -> bool:
        """Whether alerts may still join."""
        return self not in {Phase.CLOSED, Phase.DISCARDED}

    @property
    def is_public(self) -> bool:
        """Whether the incident was published, and so may be seen outside."""
        return self in {Phase.PUBLISHED, Phase.RECOVERED, Phase.CLOSED}


class UpdateStatus(StrEnum):
    """What the public reads of an incident's progress."""

    INVESTIGATING = "investigating"
    IDENTIFIED = "identified"
    MONITORING = "monitoring"
    RESOLVED = "resolved"


class Role(StrEnum):
    """What an employee may do: look, publish, or administer as well."""

    VIEWER = "viewer"
    PUBLISHER = "publisher"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Alert:
    """One firing or recovering message about a monitor, as a provider sent it."""

    provider: str
    monitor_name: str
    state: AlertState
    entity_id: str | None = None
    """The provider's name of the thing that fired; pairs a recovery with its firing."""
    raw_state: str = ""
    """The state as it stood in the payload, for a person to read."""
    message: str = ""
    sent_at: datetime | None = None
    """When the provider says it happened."""
    fields: Mapping[str, Any] = field(default_factory=dict)
    """Every property of the payload, flat, for the templates."""


@dataclass(frozen=True, slots=True)
class Employee:
    """A person of the company who is notified and may publish."""

    id: str
    name: str
    email: str
    role: Role = Role.PUBLISHER

    @property
    def may_publish(self) -> bool:
        """Whether the role allows to decide about incidents."""
        return self.role in {Role.PUBLISHER, Role.ADMIN}


@dataclass(frozen=True, slots=True)
class Component:
    """A part of the offering, shown on the status page within its group ("" stands alone)."""

    name: str
    group: str = ""
    description: str = ""


class LastResort(StrEnum):
    """What becomes of an incident about which nobody decided, at the end of its ladder."""

    PUBLISH = "publish"
    DISCARD = "discard"
    LEAVE = "leave"


class IfRecovered(StrEnum):
    """What becomes of an unpublished incident all of whose alerts recovered."""

    DISCARD = "discard"
    KEEP = "keep"
    PUBLISH_RESOLVED = "publish_resolved"


@dataclass(frozen=True, slots=True)
class Rung:
    """A step of the ladder: so long after the employees were asked, tell others or take the last resort."""

    after: timedelta
    notify: tuple[str, ...] = ()
    """Ids of the employees who are asked as well; nobody: those asked before are reminded."""
    then: LastResort | None = None


@dataclass(frozen=True, slots=True)
class Monitor:
    """An entry of config.yaml: the template that turns a provider's alert name into an incident."""

    provider: str
    alert_names: tuple[str, ...]
    """Exact names or glob patterns; `*` alone takes what no other monitor takes."""
    authored_by: str
    """The id of an employee."""
    type: str
    affected_components: Mapping[str, ComponentState]
    subject: str
    """Jinja template over `alert` and `incident`, as are `message` and `closing_comment`."""
    message: str
    notify_employees: tuple[str, ...] = ()
    wait_time: timedelta = timedelta(0)
    combine_alerts: bool = True
    auto_publish: bool = False
    auto_close: bool = True
    closing_comment: str = ""
    recovery_grace: timedelta = timedelta(0)
    """How long a recovered incident stays open, in case it fires again, before auto-close closes it."""
    warning_fires: bool = True
    """Whether the state WARNING counts as firing; else it is recorded without effect."""
    escalate: tuple[Rung, ...] = ()
    """The ladder, in the order of its times."""
    remind_every: timedelta | None = None
    """How often those who were asked are asked again until somebody decides."""
    approvals: int = 1
    """How many employees must say publish."""
    if_recovered_unpublished: IfRecovered = IfRecovered.DISCARD

    @property
    def key(self) -> str:
        """A name that stays the same across restarts: it binds open incidents to their monitor."""
        return f"{self.provider}:{self.alert_names[0]}"


@dataclass(frozen=True, slots=True)
class JoinedAlert:
    """What an incident remembers of one alert: alerts of the same entity id are the same."""

    entity_id: str | None
    fired_at: datetime
    recovered_at: datetime | None = None
    times_fired: int = 1


@dataclass(frozen=True, slots=True)
class Incident:
    """One outage as we handle it. `version` counts its changes; `due_at` is its only timer."""

    id: int
    """Also its number in `[INC-12]`."""
    monitor_key: str
    phase: Phase
    due_at: datetime | None
    version: int
    subject: str
    message: str
    type: str
    components: Mapping[str, ComponentState]
    started_at: datetime
    alerts: tuple[JoinedAlert, ...] = ()
    authored_by: str = ""
    notify_employees: tuple[str, ...] = ()
    """Ids of those who are told: the monitor's when it was opened, and those the ladder brought in since."""
    text_version: int = 1
    """Counts the versions of subject and message; an order about an older one is refused."""
    approved_by: tuple[str, ...] = ()
    """Ids of those who said publish about this version."""
    rung: int = 0
    """The next rung of the ladder."""
    ladder_from: datetime | None = None
    """When the ladder's time began; a hold moves it on."""
    reminded_at: datetime | None = None
    """When the employees were last asked."""
    held_until: datetime | None = None
    notified_at: datetime | None = None
    """When the employees were told; None while it waits."""
    published_at: datetime | None = None
    published_by: str | None = None
    """An employee's id, or AUTOMATIC."""
    ended_at: datetime | None = None
    """When it was closed or discarded."""
    ended_by: str | None = None

    @property
    def has_recovered(self) -> bool:
        """Whether every alert of it has recovered."""
        return all(alert.recovered_at is not None for alert in self.alerts)

    @property
    def tag(self) -> str:
        """The name by which people and mails call it."""
        return f"INC-{self.id}"


AUTOMATIC = "automatic"
"""Stands for an employee's id where a rule of config.yaml acted and no person."""


@dataclass(frozen=True, slots=True)
class Update:
    """Published text about an incident; never changed, only followed by another."""

    id: int
    incident_id: int
    status: UpdateStatus
    body: str
    """Markdown."""
    posted_at: datetime
    posted_by: str


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One step in an incident's life; append-only."""

    at: datetime
    from_phase: Phase | None
    to_phase: Phase
    reason: str
    by: str
    note: str = ""


class SubscriberState(StrEnum):
    """Whether an address confirmed that it wants our mails."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    UNSUBSCRIBED = "unsubscribed"


@dataclass(frozen=True, slots=True)
class Subscriber:
    """An address that asked to hear of published incidents."""

    id: int
    public_id: str
    """Unguessable; the unsubscribe token is derived from it."""
    email: str
    state: SubscriberState
    created_at: datetime
    confirmed_at: datetime | None = None
    suppressed_at: datetime | None = None
    """Since when nothing is sent, because the address does not exist."""
    soft_bounces: int = 0


class DeliveryKind(StrEnum):
    """Which mail a delivery is; each has a folder of this name in mail_templates/."""

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
    ANSWER = "answer"
    """To an employee: what came of the reply."""
    CONFIRM_REPLY = "confirm_reply"
    """To an employee: did you really order this?"""
    ALARM = "alarm"
    """To the admins: something keeps the service from doing its work."""
    SUBSCRIBER_UPDATE = "subscriber_update"
    SUBSCRIBER_CONFIRM = "subscriber_confirm"
    LOGIN_LINK = "login_link"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One mail to one recipient, with its attempts; the outbox is the due ones."""

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
