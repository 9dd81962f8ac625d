"""`replycast backup` and `replycast restore`: all that is needed to go on elsewhere, in one file.

The database is copied by SQLite itself, while the service runs; a restore is for a service that is stopped.
"""

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from importlib import metadata, resources
from pathlib import Path
from typing import Final
from urllib.parse import quote

import click
from alembic.script import ScriptDirectory

from service.app import wall_clock
from service.app.own_files import database_file, key_file, only_process
from service.cli.archive import CONFIG, DATABASE, KEY, BackupUnusable, Manifest, read_archive, write_archive
from service.cli.options import FAULTY, config_option, fail, json_option, load_or_exit, print_json, reason_of
from service.cli.putting_back import logs_of, put, put_back
from service.config import Config, load
from service.config.document import texts
from service.config.secret_files import PLACES
from service.config.yaml_text import read_document
from service.errors import ConfigFaulty, ReplycastError
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
    database = _sqlite_file(config)
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
    left_out = sorted(set(_named_files(config_path)))
    if as_json:
        print_json({"file": str(file), **_facts(manifest), "left_out": left_out})
        return
    held = ", ".join(f"{name} ({size:,} bytes)" for name, (size, _) in manifest.files.items())
    click.echo(f"{file}: {held}; the copy is sound")
    for name in left_out:
        click.echo(f"not in it, as config.yaml names it: {name}")


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@config_option
@json_option
@click.option("--force", is_flag=True, help="Replace the database and the key; the old ones are kept beside.")
def restore(file: Path, config_path: Path, *, force: bool, as_json: bool) -> None:
    """Bring database, key and config.yaml back from FILE, which `replycast backup` wrote.

    The service must be stopped. FILE is checked whole before anything is changed. A config.yaml that exists is kept,
    and says where the database goes; else the one of FILE is written there. The files that it names, with secrets, a
    certificate or a logo, are in no backup and must be there first; those that are missing are named.

    \b
    Example:
      replycast restore /var/backups/replycast-2026-11-24.tar.gz
    """  # noqa: D301  as above
    try:
        config_path.absolute().parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".replycast-", dir=config_path.absolute().parent) as name:
            folder = Path(name)
            manifest = read_archive(file, folder)
            _check(folder / DATABASE, manifest)
            is_new = not config_path.exists()
            _demand_named_files(folder / CONFIG if is_new else config_path, config_path.parent)
            if is_new:
                put(folder / CONFIG, config_path)
            try:
                told, kept = _put_back(folder, config_path, force=force)
            except BaseException:
                if is_new:
                    config_path.unlink()
                raise
    except ConfigFaulty as error:
        for fault in error.faults:
            click.echo(str(fault), err=True)
        fail("nothing was restored: config.yaml has faults", FAULTY)
    except (ReplycastError, sqlite3.Error, OSError) as error:
        fail(f"nothing was restored: {reason_of(error)}")
    told[CONFIG] = f"{config_path}{'' if is_new else ', which was there and was kept'}"
    if as_json:
        print_json({**_facts(manifest), "restored": told, "kept": [str(one) for one in kept]})
        return
    click.echo(f"made at {manifest.made_at} by replycast {manifest.version}; brought back:")
    for what, where in told.items():
        click.echo(f"  {what} to {where}")
    if kept:
        click.echo(f"what was there is kept: {', '.join(map(str, kept))}")


def _note(config: Config, file: Path, schema: str, now: datetime) -> str:
    """Write down that a backup was made; gives why that cannot be, which makes the backup no worse."""
    if schema != _migrations().get_current_head():
        return "the database is of another version, and a backup brings none up to date"
    try:
        with closing(open_store(config.database)) as store, store.transaction() as connection:
            audit.note(connection, now, audit.COMMAND_LINE, audit.BACKUP_MADE, str(file))
    except ReplycastError as error:
        return str(error)
    return ""


def _facts(manifest: Manifest) -> dict[str, object]:
    return {
        "version": manifest.version,
        "made_at": manifest.made_at,
        "schema": manifest.schema,
        "files": {name: size for name, (size, _) in manifest.files.items()},
    }


def _sqlite_file(config: Config) -> Path:
    file = database_file(config)
    if file is None:
        fail("this is for SQLite; for PostgreSQL take pg_dump, and copy config.yaml and the key file", FAULTY)
    return file


def _copy(database: Path, copy: Path) -> str:
    """Copy the database; gives its last migration."""
    copy_database(database, copy)
    with closing(sqlite3.connect(copy)) as copied:
        return _sound(copied, database)


def _sound(connection: sqlite3.Connection, name: Path) -> str:
    problems = [row[0] for row in connection.execute("PRAGMA integrity_check(3)")]
    if problems != ["ok"]:
        raise BackupUnusable(f"the database {name} is damaged: {problems[0]}")
    try:
        [(schema,)] = connection.execute("SELECT version_num FROM alembic_version").fetchall()
    except (sqlite3.Error, ValueError) as error:
        raise BackupUnusable(f"{name} is no database of this service") from error
    return str(schema)


def _check(database: Path, manifest: Manifest) -> None:
    if DATABASE not in manifest.files or CONFIG not in manifest.files:
        raise BackupUnusable("the backup holds no database or no config.yaml")
    with closing(sqlite3.connect(f"file:{quote(str(database))}?mode=ro", uri=True)) as connection:
        schema = _sound(connection, Path(DATABASE))
    if schema not in {one.revision for one in _migrations().walk_revisions()}:
        raise BackupUnusable(
            f"it was made by a newer version of this service, {manifest.version}: install that one"
        )


def _migrations() -> ScriptDirectory:
    return ScriptDirectory(str(resources.files("service.store") / "migrations"))


def _put_back(folder: Path, config_path: Path, *, force: bool) -> tuple[dict[str, str], list[Path]]:
    """Put back what a folder holds; gives what went where, and under which names is kept what was there."""
    config = load(config_path, os.environ)
    database, key = _sqlite_file(config), key_file(config)
    wants_key = (folder / KEY).exists() and not config.secret_key
    with only_process(config):
        if not force:
            _demand_room(database, key if wants_key else None)
        of_key = (folder / KEY, key) if wants_key else None
        kept = put_back((folder / DATABASE, database), of_key)
    return {DATABASE: str(database), **({KEY: str(key)} if wants_key else {})}, kept


def _demand_room(database: Path, key: Path | None) -> None:
    """Raise BackupUnusable where something would be replaced, with all that must be moved away together."""
    there = [one for one in (database, key) if one and one.exists() and one.stat().st_size]
    if database in there:
        there[1:1] = logs_of(database)  # left behind, they would take what was committed last from it
    if len(there) == 1:
        raise BackupUnusable(f"{there[0]} exists: move it away, or let --force replace it")
    if there:
        names = ", ".join(map(str, there))
        raise BackupUnusable(f"{names} exist: move them away together, or let --force replace them")


def _demand_named_files(config: Path, folder: Path) -> None:
    """Raise BackupUnusable where files are missing without which config.yaml has faults."""
    try:
        named = sorted({one for one in _named_files(config) if "${" not in one})
    except (ConfigFaulty, UnicodeError):
        return  # `load` says what is wrong with it
    if missing := [one for one in named if not (folder / one).exists()]:
        files = ", ".join(missing)
        raise BackupUnusable(f"bring back what config.yaml names first, which is in no backup: {files}")


def _named_files(config_path: Path) -> Iterator[str]:
    document, _ = read_document(config_path.read_text(), str(config_path))
    for pattern in _FILES:
        for _, name in texts(document.tree, *pattern):
            yield name
