"""The table of what keeps the service from its work. As in `schema`, a change needs a migration."""

from sqlalchemy import Boolean, Column, String, Table

from service.store.columns import UtcDateTime, metadata

standing_problems = Table(
    "standing_problems",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("since", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("told_at", UtcDateTime),
    Column("is_told", Boolean, nullable=False),
    comment="What the watchdog found last, and when the admins were told that it began.",
)
