"""The tables. A change here needs a migration in `migrations/versions`; a test compares the two."""

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    and_,
    bindparam,
    or_,
    true,
)

from service.model import (
    Channel,
    ComponentState,
    DeliveryKind,
    MaintenancePhase,
    Phase,
    SubscriberState,
    UpdateStatus,
)
from service.store.columns import Key, UtcDateTime, metadata, one_of, own_id, partial_index


def _incident(*, nullable: bool = False) -> Column[Any]:
    return Column("incident_id", ForeignKey("incidents.id", ondelete="CASCADE"), nullable=nullable)


instance = Table(
    "instance",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", Text, nullable=False),
    comment="What this installation is called by its own mails.",
)

inbox = Table(
    "inbox",
    metadata,
    own_id(),
    Column("door", String(16), nullable=False),
    Column("provider", String(64), nullable=False, server_default=""),
    Column("received_at", UtcDateTime, nullable=False),
    Column("raw", LargeBinary, nullable=False),
    Column("about", JSON, nullable=False),
    Column("content_key", String(64)),
    Column("uid_key", Key),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("reason", String(64), nullable=False, server_default=""),
    Column("explanation", Text, nullable=False, server_default=""),
    Column("authentic", String(16)),
    Column("evidence", Text, nullable=False, server_default=""),
    one_of("door", ["webhook", "mail"]),
    one_of("state", ["pending", "done", "refused", "quarantined"]),
    one_of("authentic", ["yes", "no", "unknown"]),
    sqlite_autoincrement=True,
    comment="authentic, evidence: whether a mail was believed when it was decided about, and why.",
)
# of what has such a key: nearly all posts have none, and each of them would be entered here for nothing
partial_index(
    "uq_inbox_content_key", inbox.c.content_key, where=inbox.c.content_key.is_not(None), unique=True
)
partial_index("uq_inbox_uid_key", inbox.c.uid_key, where=inbox.c.uid_key.is_not(None), unique=True)
Index("ix_inbox_received", inbox.c.received_at)
_is_pending = inbox.c.state == "pending"
partial_index("ix_inbox_pending", inbox.c.door, inbox.c.id, where=_is_pending)
is_post = inbox.c.door == bindparam(None, "webhook", literal_execute=True)
partial_index("ix_inbox_posts", inbox.c.provider, inbox.c.id, where=is_post)

incidents = Table(
    "incidents",
    metadata,
    own_id(),
    Column("monitor_key", String(600), nullable=False),
    Column("phase", String(16), nullable=False),
    Column("due_at", UtcDateTime),
    Column("version", Integer, nullable=False),
    Column("subject", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("components", JSON, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("authored_by", String(64), nullable=False),
    Column("notify_employees", JSON, nullable=False),
    Column("audience", JSON, nullable=False, server_default="[]"),
    Column("text_version", Integer, nullable=False, server_default="1"),
    Column("approved_by", JSON, nullable=False, server_default="[]"),
    Column("rung", Integer, nullable=False, server_default="0"),
    Column("ladder_from", UtcDateTime),
    Column("reminded_at", UtcDateTime),
    Column("held_until", UtcDateTime),
    Column("notified_at", UtcDateTime),
    Column("published_at", UtcDateTime),
    Column("published_by", String(64)),
    Column("ended_at", UtcDateTime),
    Column("ended_by", String(64)),
    one_of("phase", [phase.value for phase in Phase]),
    sqlite_autoincrement=True,
)


def _has_phase(phases: list[Phase]) -> ColumnElement[bool]:
    # written out in queries too: SQLite takes a partial index only where it can read the same words there
    words: ColumnElement[Any] = bindparam(
        None, [phase.value for phase in phases], expanding=True, literal_execute=True
    )
    return incidents.c.phase.in_(words)


is_open = _has_phase([phase for phase in Phase if phase.is_open])
is_ended = _has_phase([phase for phase in Phase if not phase.is_open])
is_going_on_in_public = _has_phase([phase for phase in Phase if phase.is_open and phase.is_public])
partial_index("ix_incidents_open", incidents.c.monitor_key, incidents.c.id, where=is_open)
partial_index("ix_incidents_going_on", incidents.c.published_at, where=is_going_on_in_public)
Index("ix_incidents_monitor", incidents.c.monitor_key, incidents.c.started_at)
partial_index("ix_incidents_not_ended", incidents.c.phase, incidents.c.id, where=is_open)
partial_index("ix_incidents_ended", incidents.c.phase, incidents.c.id, where=is_ended)
_has_timer = incidents.c.due_at.is_not(None)
partial_index("ix_incidents_due", incidents.c.due_at, where=_has_timer)
_was_published = incidents.c.published_at.is_not(None)
partial_index("ix_incidents_published", incidents.c.published_at, where=_was_published)

joined_alerts = Table(
    "joined_alerts",
    metadata,
    own_id(),
    _incident(),
    Column("entity_id", Text),
    Column("fired_at", UtcDateTime, nullable=False),
    Column("recovered_at", UtcDateTime),
    Column("times_fired", Integer, nullable=False),
    Column("name", Text, nullable=False, server_default=""),
    Index("ix_joined_alerts_incident_id", "incident_id"),
    comment="What an incident remembers of each alert.",
)
_fires = joined_alerts.c.recovered_at.is_(None)
_still_fires = _fires & joined_alerts.c.entity_id.is_not(None)
partial_index(
    "ix_joined_alerts_firing", joined_alerts.c.entity_id, joined_alerts.c.incident_id, where=_still_fires
)
partial_index("ix_joined_alerts_named", joined_alerts.c.name, joined_alerts.c.incident_id, where=_fires)

alerts = Table(
    "alerts",
    metadata,
    own_id(),
    Column("inbox_id", ForeignKey("inbox.id", ondelete="SET NULL")),
    _incident(nullable=True),
    Column("monitor_name", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("raw_state", String(64), nullable=False),
    Column("entity_id", Text),
    Column("message", Text, nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("reason", String(64), nullable=False),
    Index("ix_alerts_incident_id", "incident_id"),
    Index("ix_alerts_inbox_id", "inbox_id"),
    Index("ix_alerts_monitor_name", "monitor_name", "id"),
    comment="Each alert that was worked off, with what came of it.",
)
_has_entity = alerts.c.entity_id.is_not(None)
partial_index("ix_alerts_entity_id", alerts.c.entity_id, alerts.c.inbox_id, where=_has_entity)

timeline = Table(
    "timeline",
    metadata,
    own_id(),
    _incident(),
    Column("at", UtcDateTime, nullable=False),
    Column("from_phase", String(16)),
    Column("to_phase", String(16), nullable=False),
    Column("reason", String(64), nullable=False),
    Column("by", String(64), nullable=False),
    Column("note", Text, nullable=False),
    Index("ix_timeline_incident_id", "incident_id"),
)

maintenances = Table(
    "maintenances",
    metadata,
    own_id(),
    Column("config_key", String(64)),
    Column("phase", String(16), nullable=False),
    Column("due_at", UtcDateTime),
    Column("version", Integer, nullable=False),
    Column("subject", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("closing_comment", Text, nullable=False),
    Column("components", JSON, nullable=False),
    Column("audience", JSON, nullable=False),
    Column("starts_at", UtcDateTime, nullable=False),
    Column("ends_at", UtcDateTime, nullable=False),
    Column("remind_at", UtcDateTime),
    Column("planned_at", UtcDateTime, nullable=False),
    Column("planned_by", String(64), nullable=False),
    Column("started_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    one_of("phase", [phase.value for phase in MaintenancePhase]),
    UniqueConstraint("config_key"),
    sqlite_autoincrement=True,
)
_is_timed = maintenances.c.due_at.is_not(None)
partial_index("ix_maintenances_due", maintenances.c.due_at, where=_is_timed)
Index("ix_maintenances_ends_at", maintenances.c.ends_at)

component_states = Table(
    "component_states",
    metadata,
    own_id(),
    Column("component", Text, nullable=False),
    Column("state", String(32), nullable=False),
    Column("since", UtcDateTime, nullable=False),
    one_of("state", [state.value for state in ComponentState]),
    Index("ix_component_states_component", "component", "since"),
    comment="A row at each change of what the public reads of a component.",
)

updates = Table(
    "updates",
    metadata,
    own_id(),
    _incident(nullable=True),
    Column("maintenance_id", ForeignKey("maintenances.id", ondelete="CASCADE")),
    Column("corrects_id", ForeignKey("updates.id", ondelete="CASCADE")),
    Column("status", String(16), nullable=False),
    Column("body", Text, nullable=False),
    Column("posted_at", UtcDateTime, nullable=False),
    Column("posted_by", String(64), nullable=False),
    Column("fan_out_cursor", BigInteger, nullable=False),
    Column("fanned_out_at", UtcDateTime),
    Column("recipients", Integer),
    Column("queued", Integer, nullable=False, server_default="0"),
    Column("sent", Integer, nullable=False, server_default="0"),
    Column("failed", Integer, nullable=False, server_default="0"),
    Column("cancelled", Integer, nullable=False, server_default="0"),
    Column("fan_out_began_at", UtcDateTime),
    Column("last_sent_at", UtcDateTime),
    Column("deliveries_removed_at", UtcDateTime),
    one_of("status", [status.value for status in UpdateStatus]),
    CheckConstraint("(incident_id IS NULL) <> (maintenance_id IS NULL)", name="of_one"),
    Index("ix_updates_incident_id", "incident_id"),
    comment="fan_out_cursor: the last subscriber for whom a delivery was queued.",
)
_of_maintenance = updates.c.maintenance_id.is_not(None)
partial_index("ix_updates_maintenance_id", updates.c.maintenance_id, where=_of_maintenance)
_corrects = updates.c.corrects_id.is_not(None)
partial_index("ix_updates_corrects_id", updates.c.corrects_id, where=_corrects)
_to_fan_out = updates.c.fanned_out_at.is_(None)
partial_index("ix_updates_to_fan_out", updates.c.id, where=_to_fan_out)

subscribers = Table(
    "subscribers",
    metadata,
    own_id(),
    Column("public_id", String(32), nullable=False),
    Column("channel", String(16), nullable=False, server_default="email"),
    Column("address", Text, nullable=False),
    Column("address_key", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("confirmed_at", UtcDateTime),
    Column("unsubscribe_hash", String(64), nullable=False),
    Column("all_components", Boolean, nullable=False, server_default=true()),
    Column("phone", Text, nullable=False, server_default=""),
    Column("tags", JSON, nullable=False, server_default="[]"),
    Column("soft_bounces", Integer, nullable=False, server_default="0"),
    Column("soft_bounced_at", UtcDateTime),
    Column("failing_since", UtcDateTime),
    Column("suppressed_at", UtcDateTime),
    Column("suppressed_because", Text, nullable=False, server_default=""),
    one_of("channel", [channel.value for channel in Channel]),
    one_of("state", [state.value for state in SubscriberState]),
    UniqueConstraint("address_key"),
    UniqueConstraint("public_id"),
    UniqueConstraint("unsubscribe_hash"),
    sqlite_autoincrement=True,
    comment="address_key: an e-mail address without case, or a URL. failing_since: of a webhook.",
)
is_reached = and_(
    subscribers.c.state == bindparam(None, SubscriberState.CONFIRMED.value, literal_execute=True),
    subscribers.c.suppressed_at.is_(None),
)
partial_index(
    "ix_subscribers_reached",
    subscribers.c.channel,
    subscribers.c.all_components,
    subscribers.c.id,
    where=is_reached,
)
is_suppressed = subscribers.c.suppressed_at.is_not(None)
is_aside = and_(
    subscribers.c.state != bindparam(None, SubscriberState.CONFIRMED.value, literal_execute=True),
    subscribers.c.suppressed_at.is_(None),
)
partial_index("ix_subscribers_aside", subscribers.c.state, subscribers.c.id, where=is_aside)
partial_index("ix_subscribers_suppressed", subscribers.c.id, where=is_suppressed)

choices = Table(
    "choices",
    metadata,
    Column("subscriber_id", ForeignKey("subscribers.id", ondelete="CASCADE"), primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("name", Text, primary_key=True),
    one_of("kind", ["component", "group"]),
    Index("ix_choices_name", "kind", "name", "subscriber_id"),
    comment="The components that a subscriber chose, and the groups that an admin put him in.",
)

deliveries = Table(
    "deliveries",
    metadata,
    own_id(),
    Column("public_id", String(32), nullable=False),
    Column("occasion", Key, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("recipient", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime),
    Column("attempts", Integer, nullable=False, server_default="0"),
    _incident(nullable=True),
    Column("update_id", ForeignKey("updates.id", ondelete="CASCADE")),
    Column("employee_id", String(64)),
    Column("subscriber_id", ForeignKey("subscribers.id", ondelete="SET NULL")),
    Column("facts", JSON, nullable=False),
    Column("sent_at", UtcDateTime),
    Column("failed_at", UtcDateTime),
    Column("last_error", Text, nullable=False, server_default=""),
    Column("bounced_at", UtcDateTime),
    Column("alarmed_at", UtcDateTime),
    Column("claimed_by", Integer),
    Column("may_have_arrived_at", UtcDateTime),
    UniqueConstraint("public_id"),
    UniqueConstraint("occasion"),
    sqlite_autoincrement=True,
)
_is_waiting = deliveries.c.due_at.is_not(None)
is_urgent = _is_waiting & deliveries.c.update_id.is_(None)
_is_call = deliveries.c.kind == bindparam(None, DeliveryKind.WEBHOOK_CALL.value, literal_execute=True)
is_mailed_update = deliveries.c.update_id.is_not(None) & ~_is_call
is_called_update = deliveries.c.update_id.is_not(None) & _is_call
partial_index("ix_deliveries_urgent", deliveries.c.due_at, deliveries.c.id, where=is_urgent)
partial_index("ix_deliveries_urgent_since", deliveries.c.created_at, where=is_urgent)
partial_index(
    "ix_deliveries_updates", deliveries.c.due_at, deliveries.c.id, where=_is_waiting & is_mailed_update
)
partial_index(
    "ix_deliveries_calls", deliveries.c.due_at, deliveries.c.id, where=_is_waiting & is_called_update
)
partial_index(
    "ix_deliveries_order",
    deliveries.c.recipient,
    deliveries.c.incident_id,
    deliveries.c.id,
    where=_is_waiting,
)
Index("ix_deliveries_incident", deliveries.c.incident_id, deliveries.c.update_id)
_to_subscriber = deliveries.c.subscriber_id.is_not(None)
partial_index("ix_deliveries_heard", deliveries.c.subscriber_id, deliveries.c.update_id, where=_to_subscriber)
employee_unreached = (
    deliveries.c.employee_id.is_not(None)
    & deliveries.c.alarmed_at.is_(None)
    & or_(deliveries.c.failed_at.is_not(None), deliveries.c.bounced_at.is_not(None))
)
partial_index("ix_deliveries_unreached", deliveries.c.id, where=employee_unreached)
is_lost = or_(deliveries.c.failed_at.is_not(None), deliveries.c.bounced_at.is_not(None))
partial_index("ix_deliveries_lost", deliveries.c.id, where=is_lost)
partial_index("ix_deliveries_alarmed", deliveries.c.alarmed_at, where=deliveries.c.alarmed_at.is_not(None))
