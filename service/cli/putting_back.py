"""Files that take the place of others, which are kept beside; a crash in between loses neither.

A database of SQLite is up to three files. Its log goes where it goes: without it the old one would lack what was
committed last, and the new one would take it for its own.
"""

import os
import sqlite3
import stat
from collections.abc import Collection
from contextlib import ExitStack, closing, suppress
from itertools import count
from pathlib import Path
from typing import Final

from service.cli.archive import written_whole
from service.config.secret_files import sync_folder
from service.store.handing_over import hand_over

_LOGS: Final = ("-wal", "-journal")
_INDEX: Final = "-shm"
"""Of the log. It is made anew where it is missing, but holds the locks of whoever has the database open."""


def logs_of(database: Path) -> list[Path]:
    """Give the files that SQLite has beside a database, and that must go with it."""
    return [file for ending in (*_LOGS, _INDEX) if (file := _with(database, ending)).exists()]


def put(source: Path, target: Path) -> None:
    """Copy a file to where it is to be, whole or not at all; raises OSError."""
    with written_whole(target.absolute()) as part:
        _copy(source, part)
        hand_over(part, part.parent)


def put_config(source: Path, target: Path) -> None:
    """Do so with config.yaml, which the group may read that its folder is open to and others are not (deploying.md)."""
    put(source, target)
    open_to_others = stat.S_IMODE(target.absolute().parent.stat().st_mode) & (stat.S_IRWXG | stat.S_IRWXO)
    if os.geteuid() == 0 and open_to_others == stat.S_IRGRP | stat.S_IXGRP:
        target.chmod(stat.S_IRUSR | stat.S_IWUSR | stat.S_IRGRP)


def put_back(database: tuple[Path, Path], key: tuple[Path, Path] | None) -> list[Path]:
    """Copy a database, and its key, each from the first to the second path, which are in one folder.

    Gives where that is kept which was there, under names that were free. Raises OSError, before anything is changed
    where the disk is full.
    """
    both = (database, key) if key else (database,)
    kept: list[Path] = []
    with ExitStack() as parts:
        for source, target in both:
            _copy(source, part := parts.enter_context(written_whole(target.absolute())))
            hand_over(part, part.parent)
        ending = _free_ending([target for _, target in both])
        if key and key[1].exists():
            _double(key[1], copy := _with(key[1], ending))
            kept.append(copy)
        kept[:0] = _set_aside(database[1], _with(database[1], ending))
        # here the new ones take their places, from the end of the stack, the database last
    return kept


def _set_aside(database: Path, kept: Path) -> list[Path]:
    """Move a database, or what is left of one, to a name that is free; gives the files that it is now.

    At each moment one of the two names has all of it: first its log has both names, then it moves, then the log's old
    name goes, before a new database could be there beside it.
    """
    if database.exists() and database.stat().st_size:  # of an empty one SQLite would drop the log
        # Mostly this leaves no log. Where it does, for a reader (whom we do not wait for) or an error, the log is kept.
        with suppress(sqlite3.Error), closing(sqlite3.connect(database, timeout=0)) as old:
            old.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    moved = []
    for ending in _LOGS:
        if (log := _with(database, ending)).exists():
            _double(log, copy := _with(kept, ending))
            moved.append(copy)
    sync_folder(database.parent)
    if database.exists():
        database.replace(kept)
        moved.insert(0, kept)
        sync_folder(database.parent)
    for ending in _LOGS:
        _with(database, ending).unlink(missing_ok=True)
    if (index := _with(database, _INDEX)).exists():
        moved.append(index.replace(_with(kept, _INDEX)))
    sync_folder(database.parent)  # before the new one appears
    return moved


def _double(file: Path, name: Path) -> None:
    """Give a file a second name; where the file system has none, or does not let us, it is a copy."""
    try:
        os.link(file, name)
    except OSError:
        put(file, name)


def _free_ending(files: Collection[Path]) -> str:
    tried = (".replaced" if number == 1 else f".replaced.{number}" for number in count(1))
    return next(ending for ending in tried if not any(map(os.path.lexists, _names(files, ending))))


def _names(files: Collection[Path], ending: str) -> list[Path]:
    return [_with(file, ending + log) for file in files for log in ("", *_LOGS, _INDEX)]


def _with(file: Path, ending: str) -> Path:
    return file.with_name(file.name + ending)


def _copy(source: Path, target: Path) -> None:
    with source.open("rb") as opened, target.open("wb") as written:
        while piece := opened.read(1024 * 1024):
            written.write(piece)
        written.flush()
        os.fsync(written.fileno())  # some disks say only now that they are full
