"""The tables of what is watched: what keeps the service from its work, and who hears. A change needs a migration."""

from sqlalchemy import Boolean, Column, String, Table

from service.store.columns import UtcDateTime, metadata, own_id

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

audience_changes = Table(
    "audience_changes",
    metadata,
    own_id(),
    sqlite_autoincrement=True,
    comment="A row at each change of who hears of incidents; only the number of the newest tells anything.",
)
