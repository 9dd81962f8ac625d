"""The first schema, continued: subscribers, updates, deliveries."""

import sqlalchemy as sa
from alembic import op

from service.store.columns import BigId, Key, UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "subscribers",
        sa.Column("id", BigId, autoincrement=True, nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("channel", sa.String(length=16), server_default="email", nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("address_key", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("confirmed_at", UtcDateTime(), nullable=True),
        sa.Column("unsubscribe_hash", sa.String(length=64), nullable=False),
        sa.Column("all_components", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("phone", sa.Text(), server_default="", nullable=False),
        sa.Column("tags", sa.JSON(), server_default="[]", nullable=False),
        sa.Column("soft_bounces", sa.Integer(), server_default="0", nullable=False),
        sa.Column("soft_bounced_at", UtcDateTime(), nullable=True),
        sa.Column("failing_since", UtcDateTime(), nullable=True),
        sa.Column("suppressed_at", UtcDateTime(), nullable=True),
        sa.Column("suppressed_because", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint(
            "channel IN ('email', 'webhook', 'slack', 'teams')", name=op.f("ck_subscribers_channel")
        ),
        sa.CheckConstraint(
            "state IN ('pending', 'confirmed', 'unsubscribed')", name=op.f("ck_subscribers_state")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscribers")),
        sa.UniqueConstraint("address_key", name=op.f("uq_subscribers_address_key")),
        sa.UniqueConstraint("public_id", name=op.f("uq_subscribers_public_id")),
        sa.UniqueConstraint("unsubscribe_hash", name=op.f("uq_subscribers_unsubscribe_hash")),
        comment="address_key: an e-mail address without case, or a URL. failing_since: of a webhook.",
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_subscribers_reached",
        "subscribers",
        ["channel", "all_components", "id"],
        unique=False,
        sqlite_where=sa.text("state = 'confirmed' AND suppressed_at IS NULL"),
        postgresql_where=sa.text("state = 'confirmed' AND suppressed_at IS NULL"),
    )
    op.create_index(
        "ix_subscribers_aside",
        "subscribers",
        ["state", "id"],
        unique=False,
        sqlite_where=sa.text("state != 'confirmed' AND suppressed_at IS NULL"),
        postgresql_where=sa.text("state != 'confirmed' AND suppressed_at IS NULL"),
    )
    op.create_index(
        "ix_subscribers_suppressed",
        "subscribers",
        ["id"],
        unique=False,
        sqlite_where=sa.text("suppressed_at IS NOT NULL"),
        postgresql_where=sa.text("suppressed_at IS NOT NULL"),
    )
    op.create_table(
        "choices",
        sa.Column("subscriber_id", BigId, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.CheckConstraint("kind IN ('component', 'group')", name=op.f("ck_choices_kind")),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscribers.id"], name=op.f("fk_choices_subscriber_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("subscriber_id", "kind", "name", name=op.f("pk_choices")),
        comment="The components that a subscriber chose, and the groups that an admin put him in.",
    )
    op.create_index("ix_choices_name", "choices", ["kind", "name", "subscriber_id"], unique=False)
    op.create_table(
        "tokens",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("incident_id", BigId, nullable=True),
        sa.Column("employee_id", sa.String(length=64), nullable=True),
        sa.Column("subscriber_id", BigId, nullable=True),
        sa.Column("browser", sa.String(length=64), server_default="", nullable=False),
        sa.Column("text_version", sa.Integer(), nullable=True),
        sa.Column("confirms", sa.BigInteger(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("purpose IN ('reply', 'login', 'confirm')", name=op.f("ck_tokens_purpose")),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incidents.id"], name=op.f("fk_tokens_incident_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscribers.id"], name=op.f("fk_tokens_subscriber_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_tokens")),
        comment="Only SHA-256 hashes: who reads the database can publish nothing.",
    )
    op.create_index("ix_tokens_expires_at", "tokens", ["expires_at"], unique=False)
    op.create_table(
        "updates",
        sa.Column("id", BigId, autoincrement=True, nullable=False),
        sa.Column("incident_id", BigId, nullable=True),
        sa.Column("maintenance_id", BigId, nullable=True),
        sa.Column("corrects_id", BigId, nullable=True),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("posted_at", UtcDateTime(), nullable=False),
        sa.Column("posted_by", sa.String(length=64), nullable=False),
        sa.Column("fan_out_cursor", sa.BigInteger(), nullable=False),
        sa.Column("fanned_out_at", UtcDateTime(), nullable=True),
        sa.Column("recipients", sa.Integer(), nullable=True),
        sa.Column("queued", sa.Integer(), server_default="0", nullable=False),
        sa.Column("sent", sa.Integer(), server_default="0", nullable=False),
        sa.Column("failed", sa.Integer(), server_default="0", nullable=False),
        sa.Column("cancelled", sa.Integer(), server_default="0", nullable=False),
        sa.Column("fan_out_began_at", UtcDateTime(), nullable=True),
        sa.Column("last_sent_at", UtcDateTime(), nullable=True),
        sa.Column("deliveries_removed_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "status IN ('investigating', 'identified', 'monitoring', 'resolved', 'postmortem',"
            " 'scheduled', 'in_progress', 'completed')",
            name=op.f("ck_updates_status"),
        ),
        sa.CheckConstraint(
            "(incident_id IS NULL) <> (maintenance_id IS NULL)", name=op.f("ck_updates_of_one")
        ),
        sa.ForeignKeyConstraint(
            ["corrects_id"], ["updates.id"], name=op.f("fk_updates_corrects_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incidents.id"], name=op.f("fk_updates_incident_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["maintenance_id"],
            ["maintenances.id"],
            name=op.f("fk_updates_maintenance_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_updates")),
        comment="fan_out_cursor: the last subscriber for whom a delivery was queued.",
    )
    op.create_index(
        "ix_updates_corrects_id",
        "updates",
        ["corrects_id"],
        unique=False,
        sqlite_where=sa.text("corrects_id IS NOT NULL"),
        postgresql_where=sa.text("corrects_id IS NOT NULL"),
    )
    op.create_index("ix_updates_incident_id", "updates", ["incident_id"], unique=False)
    op.create_index(
        "ix_updates_maintenance_id",
        "updates",
        ["maintenance_id"],
        unique=False,
        sqlite_where=sa.text("maintenance_id IS NOT NULL"),
        postgresql_where=sa.text("maintenance_id IS NOT NULL"),
    )
    op.create_index(
        "ix_updates_to_fan_out",
        "updates",
        ["id"],
        unique=False,
        sqlite_where=sa.text("fanned_out_at IS NULL"),
        postgresql_where=sa.text("fanned_out_at IS NULL"),
    )
    op.create_table(
        "deliveries",
        sa.Column("id", BigId, autoincrement=True, nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("occasion", Key, nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("incident_id", BigId, nullable=True),
        sa.Column("update_id", BigId, nullable=True),
        sa.Column("employee_id", sa.String(length=64), nullable=True),
        sa.Column("subscriber_id", BigId, nullable=True),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("sent_at", UtcDateTime(), nullable=True),
        sa.Column("failed_at", UtcDateTime(), nullable=True),
        sa.Column("last_error", sa.Text(), server_default="", nullable=False),
        sa.Column("bounced_at", UtcDateTime(), nullable=True),
        sa.Column("alarmed_at", UtcDateTime(), nullable=True),
        sa.Column("claimed_by", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incidents.id"], name=op.f("fk_deliveries_incident_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["subscriber_id"],
            ["subscribers.id"],
            name=op.f("fk_deliveries_subscriber_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["update_id"], ["updates.id"], name=op.f("fk_deliveries_update_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint("occasion", name=op.f("uq_deliveries_occasion")),
        sa.UniqueConstraint("public_id", name=op.f("uq_deliveries_public_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_deliveries_alarmed",
        "deliveries",
        ["alarmed_at"],
        unique=False,
        sqlite_where=sa.text("alarmed_at IS NOT NULL"),
        postgresql_where=sa.text("alarmed_at IS NOT NULL"),
    )
    op.create_index(
        "ix_deliveries_calls",
        "deliveries",
        ["due_at", "id"],
        unique=False,
        sqlite_where=sa.text("due_at IS NOT NULL AND update_id IS NOT NULL AND kind = 'webhook_call'"),
        postgresql_where=sa.text("due_at IS NOT NULL AND update_id IS NOT NULL AND kind = 'webhook_call'"),
    )
    op.create_index(
        "ix_deliveries_heard",
        "deliveries",
        ["subscriber_id", "update_id"],
        unique=False,
        sqlite_where=sa.text("subscriber_id IS NOT NULL"),
        postgresql_where=sa.text("subscriber_id IS NOT NULL"),
    )
    op.create_index("ix_deliveries_incident", "deliveries", ["incident_id", "update_id"], unique=False)
    op.create_index(
        "ix_deliveries_lost",
        "deliveries",
        ["id"],
        unique=False,
        sqlite_where=sa.text("failed_at IS NOT NULL OR bounced_at IS NOT NULL"),
        postgresql_where=sa.text("failed_at IS NOT NULL OR bounced_at IS NOT NULL"),
    )
    op.create_index(
        "ix_deliveries_order",
        "deliveries",
        ["recipient", "incident_id", "id"],
        unique=False,
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index(
        "ix_deliveries_unreached",
        "deliveries",
        ["id"],
        unique=False,
        sqlite_where=sa.text(
            "employee_id IS NOT NULL AND alarmed_at IS NULL AND (failed_at IS NOT NULL OR bounced_at IS NOT NULL)"
        ),
        postgresql_where=sa.text(
            "employee_id IS NOT NULL AND alarmed_at IS NULL AND (failed_at IS NOT NULL OR bounced_at IS NOT NULL)"
        ),
    )
    op.create_index(
        "ix_deliveries_updates",
        "deliveries",
        ["due_at", "id"],
        unique=False,
        sqlite_where=sa.text("due_at IS NOT NULL AND update_id IS NOT NULL AND kind != 'webhook_call'"),
        postgresql_where=sa.text("due_at IS NOT NULL AND update_id IS NOT NULL AND kind != 'webhook_call'"),
    )
    op.create_index(
        "ix_deliveries_urgent",
        "deliveries",
        ["due_at", "id"],
        unique=False,
        sqlite_where=sa.text("due_at IS NOT NULL AND update_id IS NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL AND update_id IS NULL"),
    )
    op.create_index(
        "ix_deliveries_urgent_since",
        "deliveries",
        ["created_at"],
        unique=False,
        sqlite_where=sa.text("due_at IS NOT NULL AND update_id IS NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL AND update_id IS NULL"),
    )


def downgrade() -> None:
    op.drop_table("deliveries")
    op.drop_table("updates")
    op.drop_table("tokens")
    op.drop_table("choices")
    op.drop_table("subscribers")
