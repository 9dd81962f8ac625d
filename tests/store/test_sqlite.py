"""What holds of SQLite alone: how it is set up, and what it cannot do just now."""

import re
import sqlite3
import stat
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import insert

from service.errors import StoreUnavailable
from service.store import inbox_rows
from service.store.database import Store, open_store
from service.store.inbox_rows import Arrival, Door
from service.store.schema import instance
from tests.store.databases import write_locked
from tests.store.rows import NOW

PRAGMAS = ("journal_mode", "synchronous", "foreign_keys")


def pragmas(store: Store) -> tuple[object, ...]:
    with store.transaction() as connection:
        return tuple(connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in PRAGMAS)


def add_post(store: Store, size: int = 0) -> None:
    with store.transaction() as connection:
        inbox_rows.add_many(connection, [Arrival(Door.WEBHOOK, NOW, b"x" * size)])


def count_posts(store: Store) -> int:
    with store.reading() as connection:
        return inbox_rows.count_pending(connection)


def test_it_writes_ahead_syncs_fully_and_enforces_foreign_keys(sqlite: Store) -> None:
    assert pragmas(sqlite) == ("wal", 2, 1)


def test_every_connection_is_set_up_so(sqlite: Store) -> None:
    with sqlite.reading(), ThreadPoolExecutor(1) as threads:
        assert threads.submit(pragmas, sqlite).result() == ("wal", 2, 1)


def test_it_waits_five_seconds_for_a_lock(sqlite_file: Path) -> None:
    with closing(open_store(f"sqlite:///{sqlite_file}")) as store, store.reading() as connection:
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 5_000


def test_a_locked_database_is_unavailable_and_then_not(sqlite: Store, sqlite_file: Path) -> None:
    with write_locked(sqlite_file), pytest.raises(StoreUnavailable, match="database is locked"):
        add_post(sqlite)
    add_post(sqlite)
    assert count_posts(sqlite) == 1


def test_a_locked_database_can_be_read(sqlite: Store, sqlite_file: Path) -> None:
    add_post(sqlite)
    with write_locked(sqlite_file):
        assert count_posts(sqlite) == 1


def test_a_full_disk_is_unavailable_and_leaves_nothing(sqlite: Store) -> None:
    with sqlite.reading() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreUnavailable, match="full"):
        add_post(sqlite, size=1_000_000)
    assert count_posts(sqlite) == 0


def test_a_read_only_database_is_unavailable(sqlite: Store) -> None:
    with sqlite.reading() as connection:
        connection.exec_driver_sql("PRAGMA query_only = ON")
    with pytest.raises(StoreUnavailable, match="readonly"):
        add_post(sqlite)


def test_a_file_that_is_no_database_is_unavailable(sqlite_file: Path) -> None:
    sqlite_file.write_bytes(b"these are not the tables you look for " * 100)
    with pytest.raises(StoreUnavailable, match="file is not a database"):
        open_store(f"sqlite:///{sqlite_file}")


def test_a_folder_in_the_files_place_is_unavailable(sqlite_file: Path) -> None:
    sqlite_file.mkdir()
    with pytest.raises(StoreUnavailable, match="unable to open database file"):
        open_store(f"sqlite:///{sqlite_file}")


def test_a_file_in_the_folders_place_is_unavailable(sqlite_file: Path) -> None:
    sqlite_file.write_text("")
    said = f"the folder of the database cannot be made: {sqlite_file}: File exists"
    with pytest.raises(StoreUnavailable, match=f"^{re.escape(said)}$"):
        open_store(f"sqlite:///{sqlite_file}/replycast.db")


def test_the_folder_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    open_store(f"sqlite:///{folder}/replycast.db").close()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_what_was_committed_is_there_for_the_next_process(sqlite: Store, sqlite_file: Path) -> None:
    with sqlite.transaction() as connection:
        connection.execute(insert(instance).values(name="instance_id", value="seven"))
    with closing(sqlite3.connect(sqlite_file)) as other:
        assert other.execute("SELECT value FROM instance").fetchall() == [("seven",)]


def log_of(file: Path) -> Path:
    return file.with_name(f"{file.name}-wal")


def database_alone(file: Path, folder: Path) -> bytes:
    """Read the value from the file without its log, as it would be after losing that."""
    folder.mkdir()
    (folder / "alone.db").write_bytes(file.read_bytes())
    with closing(sqlite3.connect(folder / "alone.db")) as other:
        return b"".join(raw for (raw,) in other.execute("SELECT raw FROM inbox"))


def test_what_may_be_lost_in_a_power_cut_is_not_synced_and_what_follows_is(sqlite: Store) -> None:
    with sqlite.transaction(durable=False) as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 1
    assert pragmas(sqlite) == ("wal", 2, 1)


def test_what_may_be_lost_in_a_power_cut_is_seen_by_others_at_once(sqlite: Store, sqlite_file: Path) -> None:
    with sqlite.transaction(durable=False) as connection:
        connection.execute(insert(instance).values(name="instance_id", value="seven"))
    with closing(sqlite3.connect(sqlite_file)) as other:
        assert other.execute("SELECT value FROM instance").fetchall() == [("seven",)]


def test_a_checkpoint_copies_the_log_and_is_idle_until_the_next_change(
    sqlite: Store, sqlite_file: Path, tmp_path: Path
) -> None:
    add_post(sqlite, size=3)
    assert database_alone(sqlite_file, tmp_path / "before") == b""
    assert sqlite.checkpoint()
    assert database_alone(sqlite_file, tmp_path / "after") == b"xxx"
    assert not sqlite.checkpoint()
    add_post(sqlite, size=2)
    assert sqlite.checkpoint()
    assert database_alone(sqlite_file, tmp_path / "at last") == b"xxxxx"


def test_what_a_reader_keeps_from_being_copied_is_copied_later(
    sqlite: Store, sqlite_file: Path, tmp_path: Path
) -> None:
    with sqlite.reading() as connection:
        assert inbox_rows.count_pending(connection) == 0
        add_post(sqlite, size=3)
        assert sqlite.checkpoint()
        assert database_alone(sqlite_file, tmp_path / "while it reads") == b""
    assert sqlite.checkpoint()
    assert database_alone(sqlite_file, tmp_path / "after") == b"xxx"


def test_a_commit_does_not_copy_the_log_itself(sqlite: Store, sqlite_file: Path) -> None:
    before = sqlite_file.stat().st_mtime_ns
    add_post(sqlite, size=8_000_000)
    assert sqlite_file.stat().st_mtime_ns == before


def test_a_log_that_grew_too_long_is_cut(
    sqlite: Store, sqlite_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.store.database.LONGEST_LOG", 100_000)
    add_post(sqlite, size=200_000)
    with sqlite.reading() as connection:
        assert inbox_rows.count_pending(connection) == 1
        add_post(sqlite)
        sqlite.checkpoint()
    assert log_of(sqlite_file).stat().st_size > 200_000
    assert sqlite.checkpoint()
    assert log_of(sqlite_file).stat().st_size == 0
    assert count_posts(sqlite) == 2
    with sqlite.transaction() as connection:
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 10


def test_who_closes_the_store_leaves_no_log(sqlite: Store, sqlite_file: Path) -> None:
    add_post(sqlite)
    assert log_of(sqlite_file).exists()
    sqlite.close()
    assert not log_of(sqlite_file).exists()
