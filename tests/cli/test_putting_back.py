"""What a restore finds where it puts a database: it keeps it whole, and mixes nothing of it with what comes back."""

import errno
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.cli.backups import backup_of, config_in, confirmed, lost
from tests.cli.running import run, run_json


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Give a config.yaml whose database has two subscribers and a key."""
    return config_in(tmp_path / "here")


@pytest.fixture
def archive(config: Path, tmp_path: Path) -> Path:
    """Give a backup of it."""
    return backup_of(config, tmp_path / "backup.tar.gz")


def after_backup(database: Path) -> bool:
    """Tell whether a database has what was committed after the backup, with a log beside it or without."""
    with closing(sqlite3.connect(database)) as opened:
        assert opened.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return bool(opened.execute("SELECT 1 FROM sqlite_schema WHERE name = 'after_backup'").fetchall())


def killed_after_a_commit(database: Path) -> None:
    """Commit to a database in a process that ends as by kill -9, so that its log stays."""
    code = "import os, sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('CREATE TABLE after_backup (a)'); os._exit(9)"
    assert subprocess.run([sys.executable, "-c", code, database], check=False).returncode == 9
    assert database.with_name(f"{database.name}-wal").stat().st_size


@contextmanager
def read_by_another(database: Path) -> Iterator[None]:
    """Commit, while another reads the state before and so holds up the log."""
    with closing(sqlite3.connect(database)) as reader, closing(sqlite3.connect(database)) as writer:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM subscribers").fetchall()
        writer.execute("CREATE TABLE after_backup (a)")
        yield


@contextmanager
def locked_by_another(database: Path) -> Iterator[None]:
    """Commit, and let nobody else in."""
    with closing(sqlite3.connect(database)) as holder:
        holder.execute("PRAGMA locking_mode = EXCLUSIVE")
        holder.execute("CREATE TABLE after_backup (a)")
        yield


Held = Callable[[Path], AbstractContextManager[None]]


def test_whoever_is_to_move_a_database_away_is_told_of_its_log(config: Path, archive: Path) -> None:
    killed_after_a_commit(config.parent / "replycast.db")
    refused = run("restore", archive, "--config", config)
    files = ("replycast.db", "replycast.db-wal", "replycast.db-shm", "replycast.key")
    named = ", ".join(str(config.parent / name) for name in files)
    assert f"{named} exist: move them away together" in refused.stderr


def test_the_log_of_a_database_that_was_moved_away_alone_stays_out_of_the_restored_one(
    config: Path, archive: Path, tmp_path: Path
) -> None:
    database = config.parent / "replycast.db"
    killed_after_a_commit(database)
    database.rename(tmp_path / "away.db")
    (config.parent / "replycast.key").unlink()
    told = run_json("restore", archive, "--config", config)
    assert told["kept"] == [f"{database}.replaced-wal", f"{database}.replaced-shm"]
    assert not after_backup(database)
    assert confirmed(config) == 2
    (config.parent / "replycast.db.replaced-wal").rename(tmp_path / "away.db-wal")
    assert after_backup(tmp_path / "away.db"), "the two make a whole database again"


def test_the_journal_of_a_database_that_is_gone_stays_out_too(config: Path, archive: Path) -> None:
    lost(config)
    (config.parent / "replycast.db-journal").write_bytes(b"half a transaction")
    told = run_json("restore", archive, "--config", config)
    kept = config.parent / "replycast.db.replaced-journal"
    assert told["kept"] == [str(kept)]
    assert kept.read_bytes() == b"half a transaction"
    assert not (config.parent / "replycast.db-journal").exists()


@pytest.mark.parametrize("held", [read_by_another, locked_by_another])
@pytest.mark.parametrize("has_links", [True, False], ids=["links", "no links"])
def test_what_force_replaces_is_kept_whole_though_its_log_cannot_be_written_back(
    config: Path, archive: Path, held: Held, *, has_links: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = config.parent / "replycast.db"
    if not has_links:
        monkeypatch.setattr(os, "link", refused_by_the_file_system)
    with held(database):
        told = run_json("restore", archive, "--force", "--config", config)
    assert {f"{database}.replaced", f"{database}.replaced-wal"} <= set(told["kept"])
    assert after_backup(config.parent / "replycast.db.replaced")
    assert not after_backup(database)
    assert confirmed(config) == 2


def refused_by_the_file_system(*_: object, **__: object) -> None:
    raise PermissionError(errno.EPERM, "Operation not permitted")


def test_what_a_killed_service_left_is_kept_in_one_file(config: Path, archive: Path) -> None:
    database = config.parent / "replycast.db"
    killed_after_a_commit(database)
    result = run("restore", archive, "--force", "--config", config)
    kept = f"{database}.replaced, {config.parent}/replycast.key.replaced"
    assert result.stdout.endswith(f"what was there is kept: {kept}\n")
    assert after_backup(config.parent / "replycast.db.replaced")
    assert not after_backup(database)


def test_what_force_kept_once_it_replaces_never(config: Path, archive: Path) -> None:
    database, key = config.parent / "replycast.db", config.parent / "replycast.key"
    old_key = key.read_bytes()
    killed_after_a_commit(database)
    key.write_text("ab" * 32)
    assert run("restore", archive, "--force", "--config", config).exit_code == 0
    told = run_json("restore", archive, "--force", "--config", config)
    assert told["kept"] == [f"{database}.replaced.2", f"{key}.replaced.2"]
    assert after_backup(config.parent / "replycast.db.replaced")
    assert not after_backup(config.parent / "replycast.db.replaced.2")
    assert (config.parent / "replycast.key.replaced").read_text() == "ab" * 32
    assert (config.parent / "replycast.key.replaced.2").read_bytes() == key.read_bytes() == old_key


class PowerCut(BaseException):
    """Ends a command where it stands: nothing that it does to names of files works any more."""


@contextmanager
def power_cut_before(step: int) -> Iterator[None]:
    """Let that many changes of names of files come to pass, and no more."""
    left = step

    def unless_cut(act: Callable[..., Any]) -> Callable[..., Any]:
        def acted(*arguments: object, **named: object) -> object:
            nonlocal left
            if left == 0:
                raise PowerCut
            left -= 1
            return act(*arguments, **named)

        return acted

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "link", unless_cut(os.link))
        for name in ("replace", "unlink"):
            patch.setattr(Path, name, unless_cut(getattr(Path, name)))
        yield


def test_a_power_cut_at_any_moment_of_force_loses_neither_the_old_nor_mixes_it_with_the_new(
    config: Path, archive: Path, tmp_path: Path
) -> None:
    here, before, seen = config.parent, tmp_path / "before", tmp_path / "seen"
    shutil.copytree(here, before)
    for step in range(40):
        shutil.rmtree(here)
        shutil.copytree(before, here)
        is_cut = False
        with read_by_another(here / "replycast.db"):
            try:
                with power_cut_before(step):
                    assert run("restore", archive, "--force", "--config", config).exit_code == 0
            except PowerCut:
                is_cut = True
            shutil.rmtree(seen, ignore_errors=True)
            shutil.copytree(here, seen, ignore=shutil.ignore_patterns("*-shm"))
        found = [
            name
            for name in ("replycast.db", "replycast.db.replaced")
            if (seen / name).exists() and after_backup(seen / name)
        ]
        assert len(found) == 1, f"after {step} steps the old database is whole in {found}"
        if found == ["replycast.db.replaced"] and (seen / "replycast.db").exists():
            assert not (seen / "replycast.db-wal").exists()
        if not is_cut:
            break
    assert found == ["replycast.db.replaced"]
    assert step > 5
