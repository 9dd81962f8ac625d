"""What the API shows of the things of the house. Times are UTC; whom it is shown to is for the token's scopes."""

from datetime import datetime
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from service.config.spans import format_span
from service.mail.authenticity import Verdict
from service.model import (
    AlertState,
    Channel,
    ComponentState,
    IfRecovered,
    LastResort,
    MaintenancePhase,
    Monitor,
    Phase,
    SubscriberState,
    UpdateStatus,
)
from service.store.inbox_rows import Door, InboxState
from service.workflow import Reason
from service.workflow.maintenance import MaintenanceReason

T = TypeVar("T")


class Shown(BaseModel):
    """Something that is answered; read off what the store gives, by the same names."""

    model_config = ConfigDict(extra="forbid", frozen=True, from_attributes=True)


class Page(Shown, Generic[T]):
    """Some of a list, newest first."""

    items: tuple[T, ...]
    next_before: int | None = Field(description="Give it as `before` to read on; null: there are no more.")


def page_of(kind: type[Shown], rows: list[Any] | tuple[Any, ...], limit: int) -> dict[str, Any]:
    """Make a page of one row more than it shows, which tells whether there are more."""
    items = [kind.model_validate(row) for row in rows[:limit]]
    return {"items": items, "next_before": rows[limit - 1].id if len(rows) > limit else None}


class IncidentShown(Shown):
    """One outage as it is handled, published or not."""

    id: int
    tag: str = Field(description="The name by which people and mails call it.")
    monitor_key: str
    phase: Phase
    due_at: datetime | None = Field(description="When something happens by itself.")
    subject: str
    message: str = Field(description="Markdown.")
    text_version: int
    type: str
    components: dict[str, ComponentState]
    started_at: datetime
    has_recovered: bool
    authored_by: str
    notify_employees: tuple[str, ...]
    audience: tuple[str, ...]
    approved_by: tuple[str, ...]
    held_until: datetime | None
    notified_at: datetime | None
    published_at: datetime | None
    published_by: str | None = Field(
        description="An employee's id, `token:NAME`, or `automatic`; as wherever `by` stands."
    )
    ended_at: datetime | None
    ended_by: str | None


class AlertShown(Shown):
    """An alert, and what came of it."""

    inbox_id: int | None
    monitor_name: str
    state: AlertState
    raw_state: str
    entity_id: str | None
    message: str
    received_at: datetime
    reason: str


class UpdateShown(Shown):
    """Published text; never changed, only followed by another."""

    id: int
    status: UpdateStatus
    body: str = Field(description="Markdown.")
    posted_at: datetime
    posted_by: str
    corrects_id: int | None


class StepShown(Shown):
    """One step in an incident's life."""

    at: datetime
    from_phase: Phase | None
    to_phase: Phase
    reason: str
    by: str
    note: str


class IncidentPage(Page[IncidentShown]):
    """Incidents, the newest first."""


class IncidentWhole(Shown):
    """An incident with all that is known of it; of its alerts the first hundred."""

    incident: IncidentShown
    alerts: tuple[AlertShown, ...]
    updates: tuple[UpdateShown, ...]
    timeline: tuple[StepShown, ...]


class UpdateList(Shown):
    """All updates of one incident, the oldest first."""

    items: tuple[UpdateShown, ...]


class IncidentDecided(Shown):
    """What came of an order about an incident."""

    reason: Reason = Field(description="The same word as in the timeline.")
    said: str = Field(description="One sentence for a person.")
    incident: IncidentShown
    update: UpdateShown | None = Field(default=None, description="What subscribers are told by it.")


class MaintenanceShown(Shown):
    """Planned work."""

    id: int
    phase: MaintenancePhase
    subject: str
    message: str = Field(description="Markdown.")
    components: tuple[str, ...]
    audience: tuple[str, ...]
    starts_at: datetime
    ends_at: datetime
    remind_at: datetime | None
    closing_comment: str
    planned_at: datetime
    planned_by: str
    started_at: datetime | None
    ended_at: datetime | None


class MaintenancePage(Page[MaintenanceShown]):
    """Planned work, the last planned first."""


class MaintenanceWhole(Shown):
    """Planned work, with what was told of it."""

    maintenance: MaintenanceShown
    updates: tuple[UpdateShown, ...]


class MaintenanceDecided(Shown):
    """What came of an order about planned work."""

    reason: MaintenanceReason
    said: str = Field(description="One sentence for a person.")
    maintenance: MaintenanceShown


class RungShown(Shown):
    """A step of a monitor's ladder."""

    after: str
    notify: tuple[str, ...]
    then: LastResort | None


class MonitorShown(Shown):
    """An entry of config.yaml, spans as they are written there."""

    key: str
    provider: str
    alert_names: tuple[str, ...]
    authored_by: str
    type: str
    affected_components: dict[str, ComponentState]
    subject: str = Field(description="Jinja template, as are `message` and `closing_comment`.")
    message: str
    closing_comment: str
    notify_employees: tuple[str, ...]
    audience: tuple[str, ...]
    wait_time: str
    recovery_grace: str
    remind_every: str | None
    combine_alerts: bool
    auto_publish: bool
    auto_close: bool
    warning_fires: bool
    approvals: int
    if_recovered_unpublished: IfRecovered
    escalate: tuple[RungShown, ...]


class MonitorList(Shown):
    """All monitors, in the order of config.yaml."""

    items: tuple[MonitorShown, ...]


def monitor_shown(one: Monitor) -> MonitorShown:
    """Show a monitor."""
    own = {name: getattr(one, name) for name in MonitorShown.model_fields}
    spans = {name: format_span(own[name]) for name in ("wait_time", "recovery_grace")}
    every = {"remind_every": format_span(one.remind_every) if one.remind_every else None}
    ladder = [
        {"after": format_span(rung.after), "notify": rung.notify, "then": rung.then} for rung in one.escalate
    ]
    return MonitorShown.model_validate({**own, **spans, **every, "escalate": ladder})


class HeadlineShown(Shown):
    """Something that arrived, without its body."""

    id: int
    door: Door
    provider: str
    received_at: datetime
    size: int = Field(description="Bytes.")
    state: InboxState
    attempts: int
    reason: str
    explanation: str
    authentic: Verdict | None = Field(
        description="Whether a mail was believed to be its sender's when it was decided about; null: not asked."
    )
    evidence: str = Field(description="What that rested on, and what a reply's token proved.")


class InboxPage(Page[HeadlineShown]):
    """What arrived, the newest first."""


class ArrivalShown(Shown):
    """Something that arrived, as it came."""

    arrival: HeadlineShown
    about: dict[str, JsonValue] = Field(description="What stood around the body.")
    incident_ids: tuple[int, ...]
    raw: str | None = Field(
        description="The body of a post in base64; null once it was removed (`about.removed_at`), and for a mail, "
        "since mails quote the tokens by which one publishes.",
        json_schema_extra={"contentEncoding": "base64"},
    )


class SubscriberShown(Shown):
    """An address or a webhook."""

    id: int
    channel: Channel
    address: str
    state: SubscriberState
    created_at: datetime
    confirmed_at: datetime | None
    components: tuple[str, ...] | None = Field(description="Those it wants to hear of; null: all.")
    groups: tuple[str, ...]
    tags: tuple[str, ...]
    phone: str
    failing_since: datetime | None
    suppressed_at: datetime | None = Field(
        description="Since when nothing is sent, because nothing arrives there."
    )
    suppressed_because: str


class SubscriberPage(Page[SubscriberShown]):
    """Subscribers, the newest first."""


class SigningKey(Shown):
    """The key that signs the calls of a webhook (Standard Webhooks)."""

    signing_key: str


class ImportedShown(Shown):
    """What came of a list."""

    added: int
    changed: int
    kept_out: tuple[str, ...] = Field(description="Addresses that had left, or that nothing reaches.")
    unheard_groups: tuple[str, ...] = Field(description="Groups that no monitor has as its audience.")
