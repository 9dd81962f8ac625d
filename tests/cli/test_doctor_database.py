"""`replycast doctor database`: what an admin should know of it before the service does."""

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from service.store import examining
from service.store.database import open_store
from service.store.examining import room
from tests.cli.running import run, run_json
from tests.rooms import CONFIG
from tests.store.databases import fresh_database, needs_postgresql
from tests.store.postgres import server


def config_for(folder: Path, address: str) -> Path:
    path = folder / "config.yaml"
    path.write_text(f"database: '{address}'\n{CONFIG}")
    return path


def states(path: Path) -> dict[str, str]:
    printed: Any = run_json("doctor", "database", "--config", path)
    return {one["name"]: one["state"] for one in printed}


def test_a_file_that_is_not_there_is_made_at_the_first_start(tmp_path: Path) -> None:
    path = config_for(tmp_path, f"sqlite:///{tmp_path}/new.db")
    assert states(path) == {"database": "warn"}
    assert not (tmp_path / "new.db").exists()


def test_a_whole_file_is_well(tmp_path: Path) -> None:
    open_store(f"sqlite:///{tmp_path}/replycast.db").close()
    path = config_for(tmp_path, f"sqlite:///{tmp_path}/replycast.db")
    assert states(path) == {"database": "ok", "integrity": "ok", "room": "ok", "tables": "ok"}


def test_of_a_file_that_is_mostly_empty_it_is_said_what_vacuum_would_gain_and_how(tmp_path: Path) -> None:
    file = tmp_path / "replycast.db"
    open_store(f"sqlite:///{file}").close()
    with closing(sqlite3.connect(file)) as admin, admin:
        admin.execute("CREATE TABLE bodies (raw BLOB)")
        admin.execute("INSERT INTO bodies VALUES (zeroblob(40000000))")
        admin.execute("DROP TABLE bodies")
    path = config_for(tmp_path, f"sqlite:///{file}")
    printed: Any = run_json("doctor", "database", "--config", path)
    [told] = [one for one in printed if one["name"] == "room"]
    free, whole = re.findall(r"([0-9.]+) MB", told["text"])[:2]
    assert told["state"] == "warn"
    assert float(free) == pytest.approx(40, abs=1)
    assert float(whole) == pytest.approx(file.stat().st_size / 1_000_000, abs=0.1)
    with closing(sqlite3.connect(file)) as admin:
        admin.execute("VACUUM;")
    assert file.stat().st_size / 1_000_000 <= float(whole) - float(free) + 0.1
    assert f"`sqlite3 {file} 'VACUUM;'`" in told["text"]
    assert states(path)["room"] == "ok"


@pytest.mark.parametrize(
    ("size", "free", "is_doubtful"),
    [
        (1_000_000_000, 249_000_000, False),
        (1_000_000_000, 250_000_000, True),
        (20_000_000, 16_000_000, False),
        (20_000_000, 17_000_000, True),
        (0, 0, False),
    ],
)
def test_a_little_room_in_a_large_file_is_left_to_be_used_again(
    size: int, free: int, *, is_doubtful: bool
) -> None:
    assert room(size, free, "replycast.db").is_doubtful is is_doubtful


def test_the_command_is_right_where_a_name_has_a_space() -> None:
    assert "sqlite3 '/var/status page.db' 'VACUUM;'" in room(10**9, 10**9, "/var/status page.db").text


def test_a_file_that_is_no_database_is_broken(tmp_path: Path) -> None:
    (tmp_path / "replycast.db").write_bytes(b"these are not the tables you look for " * 100)
    result = run("doctor", "database", "--config", config_for(tmp_path, f"sqlite:///{tmp_path}/replycast.db"))
    assert result.exit_code == 1
    assert "file is not a database" in result.output


@needs_postgresql
def test_a_server_is_examined(tmp_path: Path) -> None:
    with fresh_database("postgresql", tmp_path) as address:
        told = states(config_for(tmp_path, address))
    # the server of the tests does not wait for the disk
    assert told.pop("durability") == "warn"
    assert set(told) == {
        "database", "version", "role", "encoding", "rights", "transport", "connections", "tables", "sessions"
    }  # fmt: skip
    assert set(told.values()) == {"ok"}


def found(path: Path, name: str) -> tuple[str, str]:
    """Give what is broken of one thing, and that all else is told too."""
    result = run("doctor", "database", "--config", path, "--json")
    assert result.exit_code == 1
    printed: Any = json.loads(result.stdout)
    assert [one["name"] for one in printed if one["state"] == "bad"] == [name]
    assert printed[-1]["name"] == "sessions"
    [one] = [one for one in printed if one["name"] == name]
    return one["state"], one["text"]


def set_for(address: str, words: str) -> None:
    """Change how a database is set up."""
    database = address.partition("?")[0].rpartition("/")[2]
    server().run(f"ALTER DATABASE {database} {words}")


@needs_postgresql
def test_a_search_path_that_leads_nowhere_is_told_as_such(tmp_path: Path) -> None:
    with fresh_database("postgresql", tmp_path) as address:
        set_for(address, "SET search_path = 'nowhere'")
        state, text = found(config_for(tmp_path, address), "rights")
    assert (state, text[:40]) == ("bad", "its search_path (nowhere) names no schem")


@needs_postgresql
def test_what_is_to_be_granted_names_the_schema_and_the_role(tmp_path: Path) -> None:
    with server().database(template="template1") as address:
        server().run("CREATE ROLE visitor LOGIN")
        try:
            path = config_for(tmp_path, address.replace("postgres@", "visitor@"))
            assert found(path, "rights") == (
                "bad", "tables cannot be made: GRANT CREATE ON SCHEMA public TO visitor"
            )  # fmt: skip
        finally:
            server().run("DROP ROLE visitor")


@needs_postgresql
def test_a_database_that_is_set_to_read_alone_is_looked_at_all_the_same(tmp_path: Path) -> None:
    with fresh_database("postgresql", tmp_path) as address:
        set_for(address, "SET default_transaction_read_only = on")
        path = config_for(tmp_path, address)
        state, text = found(path, "role")
    assert (state, "`default_transaction_read_only` is on" in text) == ("bad", True)


@needs_postgresql
def test_a_pooler_in_transaction_mode_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examining, "shares_sessions", lambda _engine: True)
    with fresh_database("postgresql", tmp_path) as address:
        state, text = found(config_for(tmp_path, address), "sessions")
    assert (state, "`pool_mode = session`" in text) == ("bad", True)


@needs_postgresql
def test_nothing_is_made_in_an_empty_database(tmp_path: Path) -> None:
    with server().database(template="template1") as address:
        path = config_for(tmp_path, address)
        assert states(path)["tables"] == "warn"
        assert states(path)["tables"] == "warn"


@pytest.mark.parametrize("address", ["postgresql://rc:PaSs-words@127.0.0.1:1/none"])
def test_a_server_that_is_not_there_is_said_without_the_password(tmp_path: Path, address: str) -> None:
    result = run("doctor", "database", "--config", config_for(tmp_path, address))
    assert result.exit_code == 1
    assert "127.0.0.1" in result.output
    assert "PaSs-words" not in result.output
