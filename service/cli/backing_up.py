"""`replycast backup`: all that is needed to go on elsewhere, in one file, copied by SQLite while the service runs."""

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from importlib import metadata, resources
from pathlib import Path
from typing import Final

import click
from alembic.script import ScriptDirectory

from service.app import wall_clock
from service.app.own_files import database_file, key_file
from service.cli.archive import CONFIG, DATABASE, KEY, BackupUnusable, Manifest, write_archive
from service.cli.options import FAULTY, config_option, fail, json_option, load_or_exit, print_json, reason_of
from service.config import Config
from service.config.document import texts
from service.config.secret_files import PLACES
from service.config.yaml_text import read_document
from service.errors import ReplycastError
from service.store import audit
from service.store.copies import copy_database
from service.store.database import open_store

_FILES: Final = (
    *((*above, f"{name}_file") for *above, name in PLACES),
    ("mail", "receive", "certificate"),
    ("mail", "receive", "key"),
    ("site", "logo"),
    ("site", "favicon"),
)
"""Where config.yaml names files of its own; they are not in a backup."""


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@config_option
@json_option
@click.option("--force", is_flag=True, help="Replace FILE where it exists.")
def backup(file: Path, config_path: Path, *, force: bool, as_json: bool) -> None:
    """Write database, key and config.yaml into FILE, a .tar.gz that its owner alone can read.

    Works while the service runs: SQLite copies one state of the database, which is checked before FILE appears.
    Files that config.yaml names, with secrets, a certificate or a logo, are not in it; which these are is said. That it
    was made is noted in the audit, so that the dashboard can say when the last one was.

    \b
    Example:
      replycast backup /var/backups/replycast-$(date +%F).tar.gz
    """  # noqa: D301  click's mark for lines that it must not wrap
    config = load_or_exit(config_path)
    database = sqlite_file(config)
    if file.exists() and not force:
        fail(f"{file} exists: name another file, or let --force replace it", FAULTY)
    if not (folder := file.absolute().parent).is_dir():
        fail(f"nothing was backed up: there is no folder {folder}")
    if not database.exists():
        fail(f"there is no database {database} yet: start the service once")
    try:
        with tempfile.TemporaryDirectory(prefix=".replycast-", dir=folder) as made:
            copy = Path(made, DATABASE)
            schema = _copy(database, copy)
            key = key_file(config)
            files = {DATABASE: copy, CONFIG: config_path}
            if not config.secret_key and key.exists():
                files[KEY] = key
            version, now = metadata.version("replycast"), wall_clock()
            made_at = now.isoformat(timespec="seconds")
            manifest = write_archive(file.absolute(), files, version=version, made_at=made_at, schema=schema)
    except (ReplycastError, sqlite3.Error, OSError) as error:
        fail(f"nothing was backed up: {reason_of(error)}")
    if why_not := _note(config, file.absolute(), schema, now):
        click.echo(f"the backup is made, but not noted in the audit: {why_not}", err=True)
    left_out = sorted(set(named_files(config_path)))
    if as_json:
        print_json({"file": str(file), **facts(manifest), "left_out": left_out})
        return
    held = ", ".join(f"{name} ({size:,} bytes)" for name, (size, _) in manifest.files.items())
    click.echo(f"{file}: {held}; the copy is sound")
    for name in left_out:
        click.echo(f"not in it, as config.yaml names it: {name}")


def _note(config: Config, file: Path, schema: str, now: datetime) -> str:
    """Write down that a backup was made; gives why that cannot be, which makes the backup no worse."""
    if schema != migrations().get_current_head():
        return "the database is of another version, and a backup brings none up to date"
    try:
        with closing(open_store(config.database)) as store, store.transaction() as connection:
            audit.note(connection, now, audit.COMMAND_LINE, audit.BACKUP_MADE, str(file))
    except ReplycastError as error:
        return str(error)
    return ""


def facts(manifest: Manifest) -> dict[str, object]:
    """Give what a backup says of itself, as JSON."""
    return {
        "version": manifest.version,
        "made_at": manifest.made_at,
        "schema": manifest.schema,
        "files": {name: size for name, (size, _) in manifest.files.items()},
    }


def sqlite_file(config: Config) -> Path:
    """Give the file of the database; exits where it is none."""
    file = database_file(config)
    if file is None:
        fail("this is for SQLite; for PostgreSQL take pg_dump, and copy config.yaml and the key file", FAULTY)
    return file


def _copy(database: Path, copy: Path) -> str:
    """Copy the database; gives its last migration."""
    copy_database(database, copy)
    with closing(sqlite3.connect(copy)) as copied:
        return sound(copied, database)


def sound(connection: sqlite3.Connection, name: Path) -> str:
    """Give the last migration of a database; raises BackupUnusable where it is damaged, or none of ours."""
    problems = [row[0] for row in connection.execute("PRAGMA integrity_check(3)")]
    if problems != ["ok"]:
        raise BackupUnusable(f"the database {name} is damaged: {problems[0]}")
    try:
        [(schema,)] = connection.execute("SELECT version_num FROM alembic_version").fetchall()
    except (sqlite3.Error, ValueError) as error:
        raise BackupUnusable(f"{name} is no database of this service") from error
    return str(schema)


def migrations() -> ScriptDirectory:
    """Give those that this version knows."""
    return ScriptDirectory(str(resources.files("service.store") / "migrations"))


def named_files(config_path: Path) -> Iterator[str]:
    """Name the files that a config.yaml names, as it does."""
    document, _ = read_document(config_path.read_text(), str(config_path))
    for pattern in _FILES:
        for _, name in texts(document.tree, *pattern):
            yield name
