"""The tables. A change here needs a migration in `migrations/versions`; a test compares the two."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Column,
    ColumnElement,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    or_,
)
from sqlalchemy.types import TypeDecorator

from service.model import Phase, SubscriberState, UpdateStatus

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class UtcDateTime(TypeDecorator[datetime]):
    """A time that is aware and in UTC on both sides; SQLite alone would give it back naive."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a naive time, which would be somebody's local time."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive datetime {value!r}: every time is in UTC")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give it back aware."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


# SQLite gives a rowid only to INTEGER keys
BigId = BigInteger().with_variant(Integer, "sqlite")


def _one_of(column: str, words: list[str]) -> CheckConstraint:
    listed = ", ".join(f"'{word}'" for word in words)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


def _id() -> Column[Any]:
    return Column("id", BigId, primary_key=True, autoincrement=True)


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
    _id(),
    Column("door", String(16), nullable=False),
    Column("provider", String(64), nullable=False, server_default=""),
    Column("received_at", UtcDateTime, nullable=False),
    Column("raw", LargeBinary, nullable=False),
    Column("about", JSON, nullable=False),
    Column("content_key", String(64)),
    Column("uid_key", Text),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("reason", String(64), nullable=False, server_default=""),
    Column("explanation", Text, nullable=False, server_default=""),
    _one_of("door", ["webhook", "mail"]),
    _one_of("state", ["pending", "done", "refused", "quarantined"]),
    UniqueConstraint("content_key"),
    UniqueConstraint("uid_key"),
    sqlite_autoincrement=True,
)
Index("ix_inbox_pending", inbox.c.id, sqlite_where=inbox.c.state == "pending",
      postgresql_where=inbox.c.state == "pending")  # fmt: skip

incidents = Table(
    "incidents",
    metadata,
    _id(),
    Column("monitor_key", String(600), nullable=False),
    Column("phase", String(16), nullable=False),
    Column("due_at", UtcDateTime),
    Column("version", Integer, nullable=False),
    Column("subject", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("type", String(64), nullable=False),
    Column("components", JSON, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("authored_by", String(64), nullable=False),
    Column("notify_employees", JSON, nullable=False),
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
    _one_of("phase", [phase.value for phase in Phase]),
    sqlite_autoincrement=True,
)


def _has_phase(phases: list[Phase]) -> ColumnElement[bool]:
    # written out in queries too: SQLite takes a partial index only where it can read the same words there
    words: ColumnElement[Any] = bindparam(
        None, [phase.value for phase in phases], expanding=True, literal_execute=True
    )
    return incidents.c.phase.in_(words)


is_open = _has_phase([phase for phase in Phase if phase.is_open])
is_going_on_in_public = _has_phase([phase for phase in Phase if phase.is_open and phase.is_public])
Index("ix_incidents_open", incidents.c.monitor_key, sqlite_where=is_open, postgresql_where=is_open)
Index("ix_incidents_going_on", incidents.c.published_at,
      sqlite_where=is_going_on_in_public, postgresql_where=is_going_on_in_public)  # fmt: skip
_has_timer = incidents.c.due_at.is_not(None)
Index("ix_incidents_due", incidents.c.due_at, sqlite_where=_has_timer, postgresql_where=_has_timer)
_was_published = incidents.c.published_at.is_not(None)
Index("ix_incidents_published", incidents.c.published_at,
      sqlite_where=_was_published, postgresql_where=_was_published)  # fmt: skip

joined_alerts = Table(
    "joined_alerts",
    metadata,
    _id(),
    _incident(),
    Column("entity_id", Text),
    Column("fired_at", UtcDateTime, nullable=False),
    Column("recovered_at", UtcDateTime),
    Column("times_fired", Integer, nullable=False),
    Index("ix_joined_alerts_incident_id", "incident_id"),
    comment="What an incident remembers of each alert.",
)

alerts = Table(
    "alerts",
    metadata,
    _id(),
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
    comment="Each alert that was worked off, with what came of it.",
)

timeline = Table(
    "timeline",
    metadata,
    _id(),
    _incident(),
    Column("at", UtcDateTime, nullable=False),
    Column("from_phase", String(16)),
    Column("to_phase", String(16), nullable=False),
    Column("reason", String(64), nullable=False),
    Column("by", String(64), nullable=False),
    Column("note", Text, nullable=False),
    Index("ix_timeline_incident_id", "incident_id"),
)

updates = Table(
    "updates",
    metadata,
    _id(),
    _incident(),
    Column("status", String(16), nullable=False),
    Column("body", Text, nullable=False),
    Column("posted_at", UtcDateTime, nullable=False),
    Column("posted_by", String(64), nullable=False),
    Column("fan_out_cursor", BigInteger, nullable=False),
    Column("fanned_out_at", UtcDateTime),
    _one_of("status", [status.value for status in UpdateStatus]),
    Index("ix_updates_incident_id", "incident_id"),
    comment="fan_out_cursor: the last subscriber for whom a delivery was queued.",
)
_to_fan_out = updates.c.fanned_out_at.is_(None)
Index("ix_updates_to_fan_out", updates.c.id, sqlite_where=_to_fan_out, postgresql_where=_to_fan_out)

subscribers = Table(
    "subscribers",
    metadata,
    _id(),
    Column("public_id", String(32), nullable=False),
    Column("email", Text, nullable=False),
    Column("email_key", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("confirmed_at", UtcDateTime),
    Column("unsubscribe_hash", String(64), nullable=False),
    Column("soft_bounces", Integer, nullable=False, server_default="0"),
    Column("suppressed_at", UtcDateTime),
    _one_of("state", [state.value for state in SubscriberState]),
    UniqueConstraint("email_key"),
    UniqueConstraint("public_id"),
    UniqueConstraint("unsubscribe_hash"),
    sqlite_autoincrement=True,
)

deliveries = Table(
    "deliveries",
    metadata,
    _id(),
    Column("public_id", String(32), nullable=False),
    Column("occasion", Text, nullable=False),
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
    UniqueConstraint("public_id"),
    UniqueConstraint("occasion"),
    sqlite_autoincrement=True,
)
_is_waiting = deliveries.c.due_at.is_not(None)
_is_urgent = _is_waiting & deliveries.c.update_id.is_(None)
_is_for_subscriber = _is_waiting & deliveries.c.update_id.is_not(None)
Index("ix_deliveries_urgent", deliveries.c.due_at, deliveries.c.id,
      sqlite_where=_is_urgent, postgresql_where=_is_urgent)  # fmt: skip
Index("ix_deliveries_updates", deliveries.c.due_at, deliveries.c.id,
      sqlite_where=_is_for_subscriber, postgresql_where=_is_for_subscriber)  # fmt: skip
Index("ix_deliveries_order", deliveries.c.recipient, deliveries.c.incident_id, deliveries.c.id,
      sqlite_where=_is_waiting, postgresql_where=_is_waiting)  # fmt: skip
Index("ix_deliveries_incident", deliveries.c.incident_id, deliveries.c.update_id)
Index("ix_deliveries_heard", deliveries.c.subscriber_id, deliveries.c.update_id)
employee_unreached = (
    deliveries.c.employee_id.is_not(None)
    & deliveries.c.alarmed_at.is_(None)
    & or_(deliveries.c.failed_at.is_not(None), deliveries.c.bounced_at.is_not(None))
)
Index("ix_deliveries_unreached", deliveries.c.id,
      sqlite_where=employee_unreached, postgresql_where=employee_unreached)  # fmt: skip
Index("ix_deliveries_alarmed", deliveries.c.alarmed_at,
      sqlite_where=deliveries.c.alarmed_at.is_not(None),
      postgresql_where=deliveries.c.alarmed_at.is_not(None))  # fmt: skip

tokens = Table(
    "tokens",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("purpose", String(16), nullable=False),
    _incident(nullable=True),
    Column("employee_id", String(64)),
    Column("subscriber_id", ForeignKey("subscribers.id", ondelete="CASCADE")),
    Column("browser", String(64), nullable=False, server_default=""),
    Column("text_version", Integer),
    Column("confirms", BigInteger),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("used_at", UtcDateTime),
    _one_of("purpose", ["reply", "login", "confirm"]),
    Index("ix_tokens_expires_at", "expires_at"),
    comment="Only SHA-256 hashes: who reads the database can publish nothing.",
)

sessions = Table(
    "sessions",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("employee_id", String(64), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Index("ix_sessions_expires_at", "expires_at"),
)
