"""Brings a database up to date by Alembic. Imported only where one is not: Alembic costs ten megabytes of memory."""

from itertools import chain, repeat
from pathlib import Path
from time import sleep
from typing import Final

import structlog
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from service.errors import TemporaryFault
from service.store import postgresql
from service.store.copies import keep_copy
from service.store.database import SchemaOlder, SchemaUnknown, Store, is_migrated

PAUSES: Final = (1, 2, 5, 10, 20, 30)
"""Seconds after which a table that others use is asked for again; the last of them again and again."""

_MIGRATIONS: Final = Path(__file__).parent / "migrations"
_log = structlog.get_logger()


class TablesInUse(TemporaryFault):
    """Others use tables that are to be changed, as `pg_dump` does while it reads them: nothing was changed."""


def bring_up_to_date(store: Store) -> None:
    """Run every migration that a database has not seen; on PostgreSQL once nobody holds its tables, however long.

    Where somebody does, what was done is undone, so that those who queue up behind us go on, and tried again later.
    Raises StoreUnavailable and SchemaUnknown.
    """
    for pause in chain(PAUSES, repeat(PAUSES[-1])):
        try:
            _upgrade_at_once(store)
        except TablesInUse:
            with store.reading() as connection:
                users = postgresql.users_of_tables(connection)
            held_by = ", ".join(users) or "nobody any more"
            _log.warning(
                "database: waiting for its tables, which others use", held_by=held_by, again_in=pause
            )
            sleep(pause)
        else:
            return


def _upgrade_at_once(store: Store) -> None:
    with store.transaction(alone=False) as connection:
        if connection.dialect.name == "postgresql":
            postgresql.stand_in_line_to_migrate(connection)
            postgresql.give_way_to_others(connection)
        if is_migrated(connection):
            return  # by another instance that starts at this moment
        try:
            upgrade(connection)
        except OperationalError as error:
            if postgresql.is_in_the_way(error.orig):
                raise TablesInUse from error
            raise


def upgrade(connection: Connection) -> None:
    """Run every migration that this database has not seen, on SQLite once a copy of it is kept.

    Raises StoreUnavailable and SchemaUnknown.
    """
    for revision in known_revisions(connection):
        keep_copy(connection, revision)
    command.upgrade(alembic_config(connection), "head")


def known_revisions(connection: Connection) -> tuple[str, ...]:
    """Name the last migrations that a database has seen, none for a new one. Raises SchemaUnknown."""
    seen = MigrationContext.configure(connection).get_current_heads()
    try:
        known = ScriptDirectory(str(_MIGRATIONS)).get_revisions(seen)
    except CommandError as error:
        said = "the database was written by a newer version of this service: start that one"
        raise SchemaUnknown(f"{said} ({error})") from error
    return tuple(one.revision for one in known)


def refuse_older(connection: Connection) -> None:
    """Raise SchemaOlder where an older version wrote the database, and SchemaUnknown where a newer one did."""
    if known_revisions(connection):
        raise SchemaOlder(
            "the database is one of an older version of this service, which may still run: "
            "start this version of the service once, and it brings the database up to date"
        )


def alembic_config(connection: Connection) -> Config:
    """Make what Alembic needs, without a file of its own."""
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    return config
