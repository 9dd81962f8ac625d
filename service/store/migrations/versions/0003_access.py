"""The first schema, continued: who may come in, and what they did; and that other subscribers hear than before."""

import sqlalchemy as sa
from alembic import op

from service.store.columns import BigId, UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "api_tokens",
        sa.Column("id", BigId, autoincrement=True, nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=True),
        sa.Column("used_at", UtcDateTime(), nullable=True),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_tokens")),
        sa.UniqueConstraint("hash", name=op.f("uq_api_tokens_hash")),
        comment="Bearer tokens of the API: only SHA-256 hashes, as of all tokens.",
        sqlite_autoincrement=True,
    )
    op.create_table(
        "audit",
        sa.Column("id", BigId, autoincrement=True, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.Column("act", sa.String(length=64), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
        comment="What people did that no incident's timeline tells: log-ins, tokens, lists of subscribers, settings.",
        sqlite_autoincrement=True,
    )
    op.create_index("ix_audit_act", "audit", ["act", "id"], unique=False)
    op.create_index("ix_audit_by", "audit", ["by", "id"], unique=False)
    op.create_table(
        "sessions",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("employee_id", sa.String(length=64), nullable=False),
        sa.Column("way", sa.String(length=16), server_default="mail", nullable=False),
        sa.Column("browser", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("way IN ('mail', 'oidc')", name=op.f("ck_sessions_way")),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_sessions")),
        sa.UniqueConstraint("public_id", name=op.f("uq_sessions_public_id")),
        comment="Browsers in which employees are logged in; `browser` is what it calls itself.",
    )
    op.create_index("ix_sessions_employee_id", "sessions", ["employee_id"], unique=False)
    op.create_index("ix_sessions_expires_at", "sessions", ["expires_at"], unique=False)
    op.create_table(
        "given_answers",
        sa.Column("token_id", BigId, nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["token_id"], ["api_tokens.id"], name=op.f("fk_given_answers_token_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("token_id", "key", name=op.f("pk_given_answers")),
        comment="What the API answered to a request with an Idempotency-Key, to be answered again.",
    )
    op.create_index("ix_given_answers_at", "given_answers", ["at"], unique=False)
    op.create_table(
        "audience_changes",
        sa.Column("id", BigId, autoincrement=True, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audience_changes")),
        comment="A row at each change of who hears of incidents; only the number of the newest tells anything.",
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    op.drop_table("audience_changes")
    op.drop_table("given_answers")
    op.drop_table("sessions")
    op.drop_table("audit")
    op.drop_table("api_tokens")
