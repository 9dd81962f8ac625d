"""Deliveries remember that they may have arrived: until now an empty `last_error` said so, up to the next refusal."""

import sqlalchemy as sa
from alembic import op

from service.store.columns import UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("deliveries", sa.Column("may_have_arrived_at", UtcDateTime(), nullable=True))
    op.execute(
        "UPDATE deliveries SET may_have_arrived_at = created_at"
        " WHERE due_at IS NOT NULL AND attempts > 0 AND last_error = ''"
    )


def downgrade() -> None:
    op.drop_column("deliveries", "may_have_arrived_at")
