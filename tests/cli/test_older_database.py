"""Commands beside a running service of an older version: they leave its database as it is, and say what to do."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import make_url

from service.store.database import open_store
from service.store.migrating import alembic_config
from tests.cli.running import run, write_config
from tests.rooms import CONFIG
from tests.store.databases import fresh_database, needs_postgresql
from tests.store.postgres import server

OLDER = "0003"
COMMANDS = [
    ("incidents", "list"),
    ("deliveries",),
    ("inbox", "list"),
    ("subscribers", "list"),
    ("subscribers", "add", "ana@reader.example"),
    ("token", "create", "ci", "--scope", "incidents:read"),
    ("maintenance", "list"),
    ("publish", "INC-1", "--yes"),
    ("advise",),
    ("accept-key",),
]


def version_in(address: str) -> str:
    """Read a database's last migration, without opening it as the service does."""
    with closing(sqlite3.connect(make_url(address).database or "")) as file:
        return str(file.execute("SELECT version_num FROM alembic_version").fetchone()[0])


def set_back(address: str) -> None:
    """Make a database one of an older version."""
    with closing(open_store(address)) as store, store.transaction() as connection:
        command.downgrade(alembic_config(connection), OLDER)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Give a config.yaml beside a database of an older version."""
    set_back(f"sqlite:///{tmp_path}/replycast.db")
    return write_config(tmp_path)


@pytest.mark.parametrize("typed", COMMANDS, ids=" ".join)
def test_a_command_leaves_an_older_database_to_the_version_that_may_run(
    config: Path, typed: tuple[str, ...]
) -> None:
    result = run(*typed, "--config", config)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        "replycast: the database is one of an older version of this service, which may still run: "
        "start this version of the service once, and it brings the database up to date\n"
    )
    assert version_in(f"sqlite:///{config.parent}/replycast.db") == OLDER
    assert not list(config.parent.glob("*.before-upgrade-from-*"))


@needs_postgresql
def test_on_postgresql_it_is_left_as_well_and_the_first_tables_are_made(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    with fresh_database("postgresql", tmp_path) as address:
        set_back(address)
        path.write_text(f"database: '{address}'\n{CONFIG}")
        result = run("incidents", "list", "--config", path)
        assert (result.exit_code, "start this version of the service once" in result.stderr) == (1, True)
    with server().database(template="template1") as address:
        path.write_text(f"database: '{address}'\n{CONFIG}")
        assert run("incidents", "list", "--json", "--config", path).stdout == "[]\n"


def test_doctor_says_of_each_database_whose_version_wrote_it(config: Path) -> None:
    def told() -> tuple[int, str, str]:
        result = run("doctor", "database", "--json", "--config", config)
        [tables] = [one for one in json.loads(result.stdout) if one["name"] == "tables"]
        return result.exit_code, tables["state"], tables["text"].partition(" (")[0]

    older = "not as this version has them: its next start brings them up to date"
    assert told() == (0, "warn", older)
    with closing(sqlite3.connect(config.parent / "replycast.db")) as file, file:
        file.execute("UPDATE alembic_version SET version_num = '9999'")
    newer = "the database was written by a newer version of this service: start that one"
    assert told() == (1, "bad", newer)
