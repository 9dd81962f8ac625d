"""`replycast restore`: brings back what `replycast backup` wrote, for a service that is stopped."""

import os
import secrets
import sqlite3
import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import click

from service.actions import house_key
from service.actions.house import House
from service.app import wall_clock
from service.app.own_files import key_file, load_key, only_process, place_of_key
from service.cli.archive import CONFIG, DATABASE, KEY, BackupUnusable, Manifest, read_archive
from service.cli.backing_up import facts, migrations, named_files, sound, sqlite_file
from service.cli.options import FAULTY, config_option, fail, json_option, print_json, reason_of
from service.cli.overdue import AtStart, overdue
from service.cli.putting_back import logs_of, put_back, put_config
from service.config import Config, load
from service.errors import ConfigFaulty, ReplycastError
from service.store.database import open_store
from service.store.handing_over import make_folder


@dataclass(frozen=True, slots=True)
class Restored:
    """What came of it."""

    places: dict[str, str]
    kept: list[Path]
    notes: list[str]
    at_start: list[AtStart]


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@config_option
@json_option
@click.option("--force", is_flag=True, help="Replace the database and the key; the old ones are kept beside.")
def restore(file: Path, config_path: Path, *, force: bool, as_json: bool) -> None:
    """Bring database, key and config.yaml back from FILE, which `replycast backup` wrote.

    The service must be stopped. FILE is checked whole before anything is changed. A config.yaml that exists is kept,
    and says where the database goes; else the one of FILE is written there. The files that it names, with secrets, a
    certificate or a logo, are in no backup and must be there first; those that are missing are named. A database of
    an older version is brought up to date.

    Run it as the user that the service runs as. What root brings back belongs to whom its folder belongs. What the
    service will do by itself at its start, because its time has passed since, is said.

    \b
    Example:
      replycast restore /var/backups/replycast-2026-11-24.tar.gz
    """  # noqa: D301  click's mark for lines that it must not wrap
    try:
        is_new = not config_path.exists()
        with tempfile.TemporaryDirectory(prefix=".replycast-", dir=_room(config_path)) as name:
            folder = Path(name)
            manifest = read_archive(file, folder)
            _check(folder / DATABASE, manifest)
            if is_new:
                _demand_named_files(folder / CONFIG, config_path.parent)
                put_config(folder / CONFIG, config_path)
            try:
                done = _put_back(file, folder, config_path, force=force)
            except BaseException:
                if is_new:
                    config_path.unlink()
                raise
    except ConfigFaulty as error:
        for fault in error.faults:
            click.echo(str(fault), err=True)
        fail("nothing was restored: config.yaml has faults", FAULTY)
    except PermissionError as error:
        fail(f"nothing was restored: {reason_of(error)}: run it as the user that the service runs as")
    except (ReplycastError, sqlite3.Error, OSError) as error:
        fail(f"nothing was restored: {reason_of(error)}")
    done.places[CONFIG] = f"{config_path}{'' if is_new else ', which was there and was kept'}"
    if as_json:
        _print_as_json(manifest, done)
    else:
        _print(manifest, done, config_path)


def _print_as_json(manifest: Manifest, done: Restored) -> None:
    at_start = [{"name": one.name, "subject": one.subject, "what": one.what} for one in done.at_start]
    told = {"restored": done.places, "kept": [str(one) for one in done.kept]}
    print_json({**facts(manifest), **told, "notes": done.notes, "at_start": at_start})


def _print(manifest: Manifest, done: Restored, config_path: Path) -> None:
    click.echo(f"made at {manifest.made_at} by replycast {manifest.version}; brought back:")
    for what, where in done.places.items():
        click.echo(f"  {what} to {where}")
    if done.kept:
        click.echo(f"what was there is kept: {', '.join(map(str, done.kept))}")
    for note in done.notes:
        click.echo(f"mind: {note}")
    if done.at_start:
        click.echo("what has come due since happens at the next start, by itself:")
        for one in done.at_start:
            click.echo(f"  {one.name} ({one.subject}): {one.what}")
    if undecided := next((one for one in done.at_start if one.may_be_stopped), None):
        click.echo("whatever of it is over or is to wait, discard or hold before that:")
        for order in (f"discard {undecided.name}", f"hold {undecided.name} 8h"):
            click.echo(f"  replycast {order} --config {config_path}")


def _room(config_path: Path) -> Path:
    """Give the folder that the backup is unpacked in: where files are to be written in any case.

    Where config.yaml is there, the service's user may only read around it, and what it names must be there.
    Raises BackupUnusable, ConfigFaulty and OSError.
    """
    folder = config_path.absolute().parent
    if not config_path.exists():
        make_folder(folder)
        return folder
    _demand_named_files(config_path, config_path.parent)
    folder = sqlite_file(load(config_path, os.environ)).absolute().parent
    make_folder(folder, mode=0o700)
    return folder


def _check(database: Path, manifest: Manifest) -> None:
    if DATABASE not in manifest.files or CONFIG not in manifest.files:
        raise BackupUnusable("the backup holds no database or no config.yaml")
    with closing(sqlite3.connect(f"file:{quote(str(database))}?mode=ro", uri=True)) as connection:
        schema = sound(connection, Path(DATABASE))
    if schema not in {one.revision for one in migrations().walk_revisions()}:
        raise BackupUnusable(
            f"it was made by a newer version of this service, {manifest.version}: install that one"
        )


def _put_back(file: Path, folder: Path, config_path: Path, *, force: bool) -> Restored:
    """Put back what a folder holds; gives what went where, and under which names is kept what was there."""
    config = load(config_path, os.environ)
    database, key = sqlite_file(config), key_file(config)
    wants_key = (folder / KEY).exists() and not config.secret_key
    with only_process(config):
        if not force:
            _demand_room(database, key if wants_key else None)
        at_start, more, check = _looked_into(folder / DATABASE, config)
        # before anything is changed: the key that is there may be of no use
        of_the_key = "" if wants_key else _of_the_key(file, folder / KEY, config, check)
        of_key = (folder / KEY, key) if wants_key else None
        kept = put_back((folder / DATABASE, database), of_key)
    places = {DATABASE: str(database), **({KEY: str(key)} if wants_key else {})}
    return Restored(places, kept, [note for note in (of_the_key, more) if note], at_start)


def _looked_into(database: Path, config: Config) -> tuple[list[AtStart], str, str | None]:
    """Bring an unpacked database up to date; tell what is overdue in it, and what it remembers of its key.

    Raises StoreUnavailable, and BackupUnusable where it did not become one file again.
    """
    with closing(open_store(f"sqlite:///{database}")) as store:
        house = House(
            store=store,
            config=config,
            key=b"",
            own_address="",
            instance_id="",
            new_id=lambda: secrets.token_hex(16),
            look_up=lambda _: None,
        )
        with store.reading() as connection:
            found = *overdue(house, connection, wall_clock()), house_key.remembered(connection)
    if logs := logs_of(database):
        raise BackupUnusable(f"the database was not written whole: {logs[0].name} is left")
    return found


def _of_the_key(file: Path, unpacked: Path, config: Config, check: str | None) -> str:
    """Say what becomes of links and tokens where the backup's key was not brought back; "" where there is none.

    `check` is what the database remembers of its key.
    """
    there = key_file(config)
    # an empty one is none, and would be filled by who reads it
    has_key = bool(config.secret_key) or (there.exists() and there.stat().st_size > 0)
    is_own = check is not None and has_key and house_key.known_as(load_key(config), check) is not None
    if unpacked.exists():
        said = f"the key of the backup was not brought back, for there is one in {place_of_key(config)}"
        if is_own:
            return f"{said}, which is the same"
        way = f"write there what `tar -xzOf {file} {KEY}` prints"
        return f"{said}; the database opens with no other key than its own: {way}"
    if is_own or check is None:
        return ""
    way = "write the `secret_key` into config.yaml that stood there when the backup was made"
    return f"the backup holds no key, and the database opens with no other than its own: {way}"


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
        named = sorted({one for one in named_files(config) if "${" not in one})
    except (ConfigFaulty, UnicodeError):
        return  # `load` says what is wrong with it
    if missing := [one for one in named if not (folder / one).exists()]:
        files = ", ".join(missing)
        raise BackupUnusable(f"bring back what config.yaml names first, which is in no backup: {files}")
