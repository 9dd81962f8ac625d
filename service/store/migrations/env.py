"""What Alembic runs for each command: always on the connection it is given, in that transaction."""

from alembic import context

from service.store import access_schema, schema, watch_schema  # noqa: F401  their tables are those of `metadata`
from service.store.columns import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    transactional_ddl=True,
)
context.run_migrations()
