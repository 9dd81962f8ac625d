"""Text versions, approvals, the ladder, confirmations, bounces."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from service.store.schema import UtcDateTime, deliveries, employee_unreached

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def _added() -> dict[str, tuple[sa.Column[Any], ...]]:
    """Give the new columns by table; each column object can be added once."""
    return {
        "incidents": (
            sa.Column("text_version", sa.Integer(), nullable=False, server_default="1"),
            sa.Column("approved_by", sa.JSON(), nullable=False, server_default="[]"),
            sa.Column("rung", sa.Integer(), nullable=False, server_default="0"),
            sa.Column("ladder_from", UtcDateTime()),
            sa.Column("reminded_at", UtcDateTime()),
            sa.Column("held_until", UtcDateTime()),
        ),
        "subscribers": (
            sa.Column("soft_bounces", sa.Integer(), nullable=False, server_default="0"),
            sa.Column("suppressed_at", UtcDateTime()),
        ),
        "deliveries": (sa.Column("bounced_at", UtcDateTime()), sa.Column("alarmed_at", UtcDateTime())),
        "tokens": (
            sa.Column("text_version", sa.Integer()),
            sa.Column("confirms", sa.BigInteger()),
        ),
    }


def upgrade() -> None:
    for table, columns in _added().items():
        for column in columns:
            op.add_column(table, column)
    op.create_index(
        "ix_deliveries_unreached",
        "deliveries",
        ["id"],
        sqlite_where=employee_unreached,
        postgresql_where=employee_unreached,
    )
    op.create_index(
        "ix_deliveries_alarmed",
        "deliveries",
        ["alarmed_at"],
        sqlite_where=deliveries.c.alarmed_at.is_not(None),
        postgresql_where=deliveries.c.alarmed_at.is_not(None),
    )
    op.create_index("ix_alerts_inbox_id", "alerts", ["inbox_id"])


def downgrade() -> None:
    op.drop_index("ix_alerts_inbox_id", "alerts")
    op.drop_index("ix_deliveries_alarmed", "deliveries")
    op.drop_index("ix_deliveries_unreached", "deliveries")
    for table, columns in _added().items():
        with op.batch_alter_table(table) as batch:
            for column in columns:
                batch.drop_column(column.name)
