"""Brings a database up to date by Alembic. Imported only where one is not: Alembic costs ten megabytes of memory."""

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection

from service.store.copies import keep_copy
from service.store.database import SchemaUnknown

_MIGRATIONS: Final = Path(__file__).parent / "migrations"


def upgrade(connection: Connection) -> None:
    """Run every migration that this database has not seen, on SQLite once a copy of it is kept.

    Raises StoreUnavailable and SchemaUnknown.
    """
    try:
        for revision in _known_revisions(connection):
            keep_copy(connection, revision)
        command.upgrade(alembic_config(connection), "head")
    except CommandError as error:
        said = "the database was written by a newer version of this service: start that one"
        raise SchemaUnknown(f"{said} ({error})") from error


def _known_revisions(connection: Connection) -> tuple[str, ...]:
    """Name the last migrations that a database has seen, none for a new one. Raises CommandError for unknown ones."""
    seen = MigrationContext.configure(connection).get_current_heads()
    known = ScriptDirectory(str(_MIGRATIONS)).get_revisions(seen)
    return tuple(one.revision for one in known)


def alembic_config(connection: Connection) -> Config:
    """Make what Alembic needs, without a file of its own."""
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    return config
