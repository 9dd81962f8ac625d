"""Joined alerts have names, by which they are told apart where they come without an entity id."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("joined_alerts", sa.Column("name", sa.Text(), server_default="", nullable=False))
    op.create_index(
        "ix_joined_alerts_named",
        "joined_alerts",
        ["name", "incident_id"],
        unique=False,
        sqlite_where=sa.text("recovered_at IS NULL"),
        postgresql_where=sa.text("recovered_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_joined_alerts_named", table_name="joined_alerts")
    op.drop_column("joined_alerts", "name")
