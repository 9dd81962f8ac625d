"""The first schema: what arrives, and incidents."""

import sqlalchemy as sa
from alembic import op

from service.store.columns import BigId, Key, UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "component_states",
        sa.Column("id", BigId, autoincrement=True, nullable=False),
        sa.Column("component", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "state IN ('operational', 'degraded_performance', 'partial_outage', 'major_outage', 'under_maintenance')",
            name=op.f("ck_component_states_state"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_component_states")),
        comment="A row at each change of what the public reads of a component.",
    )
    op.create_index("ix_component_states_component", "component_states", ["component", "since"], unique=False)
    op.create_table(
        "inbox",
        sa.Column("id", BigId, autoincrement=True, nullable=False),
        sa.Column("door", sa.String(length=16), nullable=False),
        sa.Column("provider", sa.String(length=64), server_default="", nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("about", sa.JSON(), nullable=False),
        sa.Column("content_key", sa.String(length=64), nullable=True),
        sa.Column("uid_key", Key, nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("reason", sa.String(length=64), server_default="", nullable=False),
        sa.Column("explanation", sa.Text(), server_default="", nullable=False),
        sa.Column("authentic", sa.String(length=16), nullable=True),
        sa.Column("evidence", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint("door IN ('webhook', 'mail')", name=op.f("ck_inbox_door")),
        sa.CheckConstraint(
            "state IN ('pending', 'done', 'refused', 'quarantined')", name=op.f("ck_inbox_state")
        ),
        sa.CheckConstraint("authentic IN ('yes', 'no', 'unknown')", name=op.f("ck_inbox_authentic")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbox")),
        comment="authentic, evidence: whether a mail was believed when it was decided about, and why.",
        sqlite_autoincrement=True,
    )
    for key in ("content_key", "uid_key"):
        op.create_index(
            f"uq_inbox_{key}",
            "inbox",
            [key],
            unique=True,
            sqlite_where=sa.text(f"{key} IS NOT NULL"),
            postgresql_where=sa.text(f"{key} IS NOT NULL"),
        )
    op.create_index("ix_inbox_received", "inbox", ["received_at"], unique=False)
    op.create_index(
        "ix_inbox_pending",
        "inbox",
        ["door", "id"],
        unique=False,
        sqlite_where=sa.text("state = 'pending'"),
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_index(
        "ix_inbox_posts",
        "inbox",
        ["provider", "id"],
        unique=False,
        sqlite_where=sa.text("door = 'webhook'"),
        postgresql_where=sa.text("door = 'webhook'"),
    )
    op.create_table(
        "incidents",
        sa.Column("id", BigId, autoincrement=True, nullable=False),
        sa.Column("monitor_key", sa.String(length=600), nullable=False),
        sa.Column("phase", sa.String(length=16), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("components", sa.JSON(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("authored_by", sa.String(length=64), nullable=False),
        sa.Column("notify_employees", sa.JSON(), nullable=False),
        sa.Column("audience", sa.JSON(), server_default="[]", nullable=False),
        sa.Column("text_version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("approved_by", sa.JSON(), server_default="[]", nullable=False),
        sa.Column("rung", sa.Integer(), server_default="0", nullable=False),
        sa.Column("ladder_from", UtcDateTime(), nullable=True),
        sa.Column("reminded_at", UtcDateTime(), nullable=True),
        sa.Column("held_until", UtcDateTime(), nullable=True),
        sa.Column("notified_at", UtcDateTime(), nullable=True),
        sa.Column("published_at", UtcDateTime(), nullable=True),
        sa.Column("published_by", sa.String(length=64), nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("ended_by", sa.String(length=64), nullable=True),
        sa.CheckConstraint(
            "phase IN ('waiting', 'unpublished', 'published', 'recovered', 'closed', 'discarded')",
            name=op.f("ck_incidents_phase"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incidents")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_incidents_due",
        "incidents",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index(
        "ix_incidents_going_on",
        "incidents",
        ["published_at"],
        unique=False,
        sqlite_where=sa.text("phase IN ('published', 'recovered')"),
        postgresql_where=sa.text("phase IN ('published', 'recovered')"),
    )
    op.create_index("ix_incidents_monitor", "incidents", ["monitor_key", "started_at"], unique=False)
    op.create_index(
        "ix_incidents_ended",
        "incidents",
        ["phase", "id"],
        unique=False,
        sqlite_where=sa.text("phase IN ('closed', 'discarded')"),
        postgresql_where=sa.text("phase IN ('closed', 'discarded')"),
    )
    op.create_index(
        "ix_incidents_not_ended",
        "incidents",
        ["phase", "id"],
        unique=False,
        sqlite_where=sa.text("phase IN ('waiting', 'unpublished', 'published', 'recovered')"),
        postgresql_where=sa.text("phase IN ('waiting', 'unpublished', 'published', 'recovered')"),
    )
    op.create_index(
        "ix_incidents_open",
        "incidents",
        ["monitor_key", "id"],
        unique=False,
        sqlite_where=sa.text("phase IN ('waiting', 'unpublished', 'published', 'recovered')"),
        postgresql_where=sa.text("phase IN ('waiting', 'unpublished', 'published', 'recovered')"),
    )
    op.create_index(
        "ix_incidents_published",
        "incidents",
        ["published_at"],
        unique=False,
        sqlite_where=sa.text("published_at IS NOT NULL"),
        postgresql_where=sa.text("published_at IS NOT NULL"),
    )
    op.create_table(
        "instance",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_instance")),
        comment="What this installation is called by its own mails.",
    )
    op.create_table(
        "standing_problems",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("told_at", UtcDateTime(), nullable=True),
        sa.Column("is_told", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_standing_problems")),
        comment="What the watchdog found last, and when the admins were told that it began.",
    )
    op.create_table(
        "maintenances",
        sa.Column("id", BigId, autoincrement=True, nullable=False),
        sa.Column("config_key", sa.String(length=64), nullable=True),
        sa.Column("phase", sa.String(length=16), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("closing_comment", sa.Text(), nullable=False),
        sa.Column("components", sa.JSON(), nullable=False),
        sa.Column("audience", sa.JSON(), nullable=False),
        sa.Column("starts_at", UtcDateTime(), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=False),
        sa.Column("remind_at", UtcDateTime(), nullable=True),
        sa.Column("planned_at", UtcDateTime(), nullable=False),
        sa.Column("planned_by", sa.String(length=64), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "phase IN ('planned', 'on', 'done', 'cancelled')", name=op.f("ck_maintenances_phase")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_maintenances")),
        sa.UniqueConstraint("config_key", name=op.f("uq_maintenances_config_key")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_maintenances_due",
        "maintenances",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index("ix_maintenances_ends_at", "maintenances", ["ends_at"], unique=False)
    op.create_table(
        "alerts",
        sa.Column("id", BigId, autoincrement=True, nullable=False),
        sa.Column("inbox_id", BigId, nullable=True),
        sa.Column("incident_id", BigId, nullable=True),
        sa.Column("monitor_name", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("raw_state", sa.String(length=64), nullable=False),
        sa.Column("entity_id", sa.Text(), nullable=True),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["inbox_id"], ["inbox.id"], name=op.f("fk_alerts_inbox_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incidents.id"], name=op.f("fk_alerts_incident_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alerts")),
        comment="Each alert that was worked off, with what came of it.",
    )
    op.create_index("ix_alerts_inbox_id", "alerts", ["inbox_id"], unique=False)
    op.create_index("ix_alerts_incident_id", "alerts", ["incident_id"], unique=False)
    op.create_index("ix_alerts_monitor_name", "alerts", ["monitor_name", "id"], unique=False)
    op.create_index(
        "ix_alerts_entity_id",
        "alerts",
        ["entity_id", "inbox_id"],
        unique=False,
        sqlite_where=sa.text("entity_id IS NOT NULL"),
        postgresql_where=sa.text("entity_id IS NOT NULL"),
    )
    op.create_table(
        "joined_alerts",
        sa.Column("id", BigId, autoincrement=True, nullable=False),
        sa.Column("incident_id", BigId, nullable=False),
        sa.Column("entity_id", sa.Text(), nullable=True),
        sa.Column("fired_at", UtcDateTime(), nullable=False),
        sa.Column("recovered_at", UtcDateTime(), nullable=True),
        sa.Column("times_fired", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incidents.id"], name=op.f("fk_joined_alerts_incident_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_joined_alerts")),
        comment="What an incident remembers of each alert.",
    )
    op.create_index("ix_joined_alerts_incident_id", "joined_alerts", ["incident_id"], unique=False)
    op.create_index(
        "ix_joined_alerts_firing",
        "joined_alerts",
        ["entity_id", "incident_id"],
        unique=False,
        sqlite_where=sa.text("recovered_at IS NULL AND entity_id IS NOT NULL"),
        postgresql_where=sa.text("recovered_at IS NULL AND entity_id IS NOT NULL"),
    )
    op.create_table(
        "timeline",
        sa.Column("id", BigId, autoincrement=True, nullable=False),
        sa.Column("incident_id", BigId, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("from_phase", sa.String(length=16), nullable=True),
        sa.Column("to_phase", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incidents.id"], name=op.f("fk_timeline_incident_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_timeline")),
    )
    op.create_index("ix_timeline_incident_id", "timeline", ["incident_id"], unique=False)


def downgrade() -> None:
    op.drop_table("timeline")
    op.drop_table("joined_alerts")
    op.drop_table("alerts")
    op.drop_table("maintenances")
    op.drop_table("standing_problems")
    op.drop_table("instance")
    op.drop_table("incidents")
    op.drop_table("inbox")
    op.drop_table("component_states")
