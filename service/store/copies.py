"""Copies of SQLite's database: for a backup, and before a new version migrates it, so that the old can be put back."""

import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Final
from urllib.parse import quote

import structlog
from sqlalchemy import Connection

from service.config.secret_files import sync_folder
from service.errors import StoreUnavailable

_HALF_DONE: Final = ".part"

_log = structlog.get_logger()


def copy_database(database: Path, copy: Path) -> None:
    """Copy one committed state of a database that others may write to into a new file, for its owner alone.

    Raises sqlite3.Error and OSError.
    """
    copy.touch(0o600)  # it holds what the database does
    # read by a connection of its own: of one that is to write itself, SQLite waits for the end for ever
    source = sqlite3.connect(f"file:{quote(str(database))}?mode=ro", uri=True)
    with closing(source), closing(sqlite3.connect(copy)) as target:
        source.backup(target)
        target.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it


def keep_copy(connection: Connection, revision: str) -> Path | None:
    """Copy what is committed to a file beside the database, named after its last migration; None: it is no plain file.

    The connection is one in whose transaction nothing was written yet, so that nobody writes meanwhile. A copy of
    the same name is replaced: it is of a try that was undone. Raises StoreUnavailable where it cannot be written.
    """
    url = connection.engine.url
    name = url.database or ":memory:"
    if connection.dialect.name != "sqlite" or name == ":memory:" or "uri" in url.query:
        return None
    copy = Path(f"{name}.before-upgrade-from-{revision}")
    part = copy.with_name(copy.name + _HALF_DONE)
    try:
        part.unlink(missing_ok=True)
        copy_database(Path(name), part)
        part.replace(copy)
        sync_folder(copy.parent)
    except (sqlite3.Error, OSError) as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise StoreUnavailable(
            f"the database is not upgraded, for no copy of it can be kept: {error}"
        ) from error
    _log.info("database: a copy was kept before it is upgraded", copy=str(copy))
    return copy
