"""Joined alerts have names, by which they are told apart where they come without an entity id.

Those that are there already get theirs from the alerts received, where these leave no doubt: an alert that has none is
told from others by its id alone, so that a recovery by name does not find it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_AT_ONCE = 5_000
# what may still recover, or fire again; of the rest nobody asks any more, and there may be millions
_MATTERS = """
    joined_alerts.recovered_at IS NULL OR joined_alerts.incident_id IN (
        SELECT id FROM incidents WHERE phase IN ('waiting', 'unpublished', 'published', 'recovered'))
"""
_FIRED = f"""
    alerts.state = 'firing' AND alerts.incident_id IN (SELECT incident_id FROM joined_alerts WHERE {_MATTERS})
"""  # noqa: S608  nothing of it comes from outside
_FOUND = f"""
    WITH told AS MATERIALIZED (
        SELECT DISTINCT alerts.incident_id, alerts.entity_id, names_folded.name
        FROM alerts JOIN names_folded ON names_folded.monitor_name = alerts.monitor_name WHERE {_FIRED})
    INSERT INTO names_found (incident_id, known_by, name)
    SELECT incident_id, known_by, MIN(name) FROM (
        SELECT incident_id, entity_id AS known_by, name FROM told WHERE entity_id IS NOT NULL
        UNION ALL
        SELECT incident_id, name, name FROM told WHERE entity_id IS NULL
        UNION ALL
        SELECT incident_id, '', name FROM told WHERE entity_id IS NULL
    ) AS known
    GROUP BY incident_id, known_by HAVING MIN(name) = MAX(name)
"""  # noqa: S608  as above
_NAMED = f"""
    UPDATE joined_alerts SET name = COALESCE((
        SELECT names_found.name FROM names_found
        WHERE names_found.incident_id = joined_alerts.incident_id
        AND names_found.known_by = COALESCE(joined_alerts.entity_id, '')
    ), '')
    WHERE {_MATTERS}
"""  # noqa: S608  as above


def upgrade() -> None:
    op.add_column("joined_alerts", sa.Column("name", sa.Text(), server_default="", nullable=False))
    _name_those_that_are_there()
    op.create_index(
        "ix_joined_alerts_named",
        "joined_alerts",
        ["name", "incident_id"],
        unique=False,
        sqlite_where=sa.text("recovered_at IS NULL"),
        postgresql_where=sa.text("recovered_at IS NULL"),
    )


def _name_those_that_are_there() -> None:
    connection = op.get_bind()
    # no temporary tables: to make these takes a right of its own
    folded = op.create_table(
        "names_folded", sa.Column("monitor_name", sa.Text(), primary_key=True), sa.Column("name", sa.Text())
    )
    op.create_table(
        "names_found",
        sa.Column("incident_id", sa.BigInteger(), primary_key=True),
        sa.Column("known_by", sa.Text(), primary_key=True),
        sa.Column("name", sa.Text()),
    )
    # no database folds letters as Python does
    taken = sa.text(f"SELECT DISTINCT monitor_name FROM alerts WHERE {_FIRED}")  # noqa: S608  as above
    names = [str(name) for name in connection.execute(taken).scalars()]
    for first in range(0, len(names), _AT_ONCE):
        some = names[first : first + _AT_ONCE]
        op.bulk_insert(
            folded, [{"monitor_name": one, "name": " ".join(one.casefold().split())} for one in some]
        )
    connection.execute(sa.text(_FOUND))
    connection.execute(sa.text(_NAMED))
    op.drop_table("names_found")
    op.drop_table("names_folded")


def downgrade() -> None:
    op.drop_index("ix_joined_alerts_named", table_name="joined_alerts")
    op.drop_column("joined_alerts", "name")
