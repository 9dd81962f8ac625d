"""`replycast move-database`: a house that was lived in goes on, on PostgreSQL, as if nothing had happened."""

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from alembic import command
from click.testing import Result
from sqlalchemy import func, make_url, select, update

from service.app.own_files import only_process
from service.config import Config
from service.model import Phase
from service.store import credentials, moving
from service.store.columns import metadata
from service.store.database import Store, open_store
from service.store.migrating import alembic_config
from service.store.moving import Copied
from service.store.moving import move as copy_all
from service.store.postgresql_engine import make_engine
from service.store.schema import timeline
from tests.cli.running import run
from tests.rooms import CONFIG, Clock, config_in
from tests.store.databases import fresh_database, needs_postgresql, write_locked
from tests.stories.world import ANA, JORDAN, SAM, World, make_world

pytestmark = [pytest.mark.anyio, needs_postgresql]


@pytest.fixture
def target(tmp_path: Path) -> Iterator[str]:
    with fresh_database("postgresql", tmp_path) as url:
        yield url


def counts_of(store: Store) -> dict[str, int]:
    with store.reading() as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in metadata.sorted_tables
        }


def config_of(folder: Path) -> Path:
    path = folder / "config.yaml"
    path.write_text(f"database: 'sqlite:///{folder}/replycast.db'\n{CONFIG}")
    return path


def move(folder: Path, target: str) -> Result:
    return run("move-database", "--to", target, "--config", config_of(folder))


async def live_in(world: World) -> None:
    """Let there be something in most tables."""
    await world.subscribe(ANA)
    await world.client.post("/subscribe", data={"email": "never@confirms.example"})
    await world.fire(entityId="db-1\0", stateMessage="\0 \U0001f600 it's \\u0000 down")
    await world.after(minutes=5)
    await world.answer(world.mails(JORDAN)[0], "publish")
    await world.recover(entityId="db-1\0")
    await world.send_mail(b"From: x@y.example\r\nSubject: \0\r\n\r\n\xff\xfe\0", sender="x@y.example")
    await world.fire()
    await world.after(minutes=5)


async def test_a_house_goes_on_where_it_was(tmp_path: Path, clock: Clock, target: str) -> None:
    async with make_world(tmp_path, clock) as world:
        await live_in(world)
        before = counts_of(world.service.house.store)
        await world.stop()
        assert sum(number > 0 for number in before.values()) >= 8

        result = move(tmp_path, target)
        assert result.exit_code == 0, result.output
        assert f"{sum(before.values()):,}  rows in all, the same on both sides" in result.output
        assert "database: postgresql://postgres@/" in result.output
        with closing(open_store(target)) as moved:
            assert counts_of(moved) == before

        world.config = replace(world.config, database=target)
        await world.start()
        assert world.phases() == [Phase.CLOSED, Phase.UNPUBLISHED]
        # the token of a mail that was sent before opens what it is about
        await world.answer(world.mails(JORDAN)[-1], "publish")
        assert world.phases() == [Phase.CLOSED, Phase.PUBLISHED]
        await world.recover()
        await world.fire()
        assert [one.id for one in world.incidents()] == [1, 2, 3]
        assert [mail.subject for mail in world.mails(ANA)].count("x") == 0
        assert len(world.mails(SAM)) == len({mail.header("Message-ID") for mail in world.mails(SAM)})


def test_a_script_is_told_what_was_copied_and_what_to_write(tmp_path: Path, target: str) -> None:
    config, key = tmp_path / "config.yaml", tmp_path / "data" / "replycast.key"
    key.parent.mkdir()
    config.write_text(f"database: 'sqlite:///{key.with_suffix('.db')}'\n{CONFIG}")
    made = run("token", "create", "deploy", "--scope", "incidents:read", "--config", config)
    assert made.exit_code == 0, made.output
    password = tmp_path / "database.secret"
    password.write_text("PaSs-words\n")
    password.chmod(0o600)
    typed = ("move-database", "--to", target, "--password-file", password, "--config", config)
    result = run(*typed, "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    with closing(open_store(target)) as moved:
        assert told["rows"].items() <= counts_of(moved).items()
    assert told["rows"]["api_tokens"] == 1
    assert told["rows_in_all"] == sum(told["rows"].values())
    assert told["key_copied_to"] == str(tmp_path / "replycast.key")
    assert (tmp_path / "replycast.key").read_bytes() == key.read_bytes()
    assert set(told["to_write"]) == {"database", "database_password_file"}
    assert told["to_write"]["database"].startswith("postgresql://postgres@/")
    assert told["to_write"]["database_password_file"] == str(password)
    assert "PaSs-words" not in result.output


async def test_ids_that_were_given_are_not_given_again(tmp_path: Path, clock: Clock, target: str) -> None:
    async with make_world(tmp_path, clock) as world:
        for address in ("a@x.example", "b@x.example"):
            await world.subscribe(address)
        with world.service.house.store.transaction() as connection:
            connection.exec_driver_sql("DELETE FROM subscribers WHERE id = 2")
        await world.stop()
        assert move(tmp_path, target).exit_code == 0
        world.config = replace(world.config, database=target)
        await world.start()
        await world.subscribe("c@x.example")
        with world.service.house.store.reading() as connection:
            ids = connection.exec_driver_sql("SELECT id FROM subscribers ORDER BY id").scalars().all()
    assert ids == [1, 3]


async def test_what_is_not_empty_is_refused_and_left_alone(tmp_path: Path, clock: Clock, target: str) -> None:
    async with make_world(tmp_path, clock) as world:
        await world.fire()
        await world.stop()
        assert move(tmp_path, target).exit_code == 0
        again = move(tmp_path, target)
        assert again.exit_code == 1
        assert "the target has rows already" in again.output
        await world.start()


def test_another_version_s_database_is_refused_as_it_is(tmp_path: Path, target: str) -> None:
    open_store(f"sqlite:///{tmp_path}/replycast.db").close()
    with closing(open_store(target)) as store, store.transaction() as connection:
        credentials.instance_value(connection, "instance_id", "seven")
        command.downgrade(alembic_config(connection), "0003")
    result = move(tmp_path, target)
    assert (result.exit_code, "the target has rows already, in `instance`" in result.output) == (1, True)
    with closing(Store(make_engine(make_url(target)))) as store, store.reading() as connection:
        known = connection.exec_driver_sql("SELECT version_num FROM alembic_version")
        assert known.scalars().all() == ["0003"]


def test_nobody_writes_to_what_is_being_moved(tmp_path: Path, target: str) -> None:
    source = f"sqlite:///{tmp_path}/replycast.db"
    open_store(source).close()
    said = set()

    def write(copied: Copied) -> None:
        with closing(sqlite3.connect(tmp_path / "replycast.db", timeout=0)) as other:
            with pytest.raises(sqlite3.OperationalError, match="database is locked"):
                other.execute("INSERT INTO instance VALUES ('late', 'lost')")
            assert other.execute("SELECT count(*) FROM instance").fetchone() == (0,), "reading goes on"
        said.add(copied.table)

    counts = copy_all(source, target, write)
    assert said == counts.keys()
    with closing(sqlite3.connect(tmp_path / "replycast.db", timeout=0)) as other, other:
        other.execute("INSERT INTO instance VALUES ('later', 'kept')")


def test_a_database_that_somebody_writes_to_is_not_moved(
    tmp_path: Path, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moving, "PATIENCE", 0)
    open_store(f"sqlite:///{tmp_path}/replycast.db").close()
    with write_locked(tmp_path / "replycast.db"):
        result = move(tmp_path, target)
    said = "replycast.db cannot be read while nobody writes to it: database is locked\n"
    assert (result.exit_code, result.stderr.endswith(said)) == (1, True)


async def test_what_postgresql_does_not_take_leaves_nothing(
    tmp_path: Path, clock: Clock, target: str
) -> None:
    async with make_world(tmp_path, clock) as world:
        await world.fire()
        with world.service.house.store.transaction() as connection:
            connection.execute(update(timeline).values(reason="x" * 65))
        await world.stop()
        result = move(tmp_path, target)
        await world.start()
    assert result.exit_code == 1
    assert "PostgreSQL does not take it, and keeps nothing of it: value too long" in result.output
    with closing(open_store(target)) as store:
        assert set(counts_of(store).values()) == {0}


def test_while_the_service_runs_nothing_is_moved(tmp_path: Path, target: str) -> None:
    path = config_of(tmp_path)
    open_store(f"sqlite:///{tmp_path}/replycast.db").close()
    config = replace_database(tmp_path)
    with only_process(config):
        result = run("move-database", "--to", target, "--config", path)
    assert result.exit_code == 1
    assert "another replycast runs on" in result.output


def replace_database(folder: Path) -> Config:
    return replace(config_in(folder), database=f"sqlite:///{folder}/replycast.db")


@pytest.mark.parametrize(
    ("to", "said"),
    [
        ("sqlite:///other.db", "--to must name a database of PostgreSQL"),
        ("postgresql://a@b", "names no database"),
        ("mysql://a@b/c", "is of no kind that is supported"),
    ],
)
def test_another_target_is_refused(tmp_path: Path, to: str, said: str) -> None:
    result = move(tmp_path, to)
    assert (result.exit_code, said in result.output) == (2, True)


def test_without_a_database_there_is_nothing_to_move(tmp_path: Path, target: str) -> None:
    result = move(tmp_path, target)
    assert result.exit_code == 1
    assert re.search("there is no database at .*replycast.db", result.output)


def test_a_server_that_is_not_there_is_said(tmp_path: Path) -> None:
    open_store(f"sqlite:///{tmp_path}/replycast.db").close()
    result = move(tmp_path, "postgresql://nobody@127.0.0.1:1/none")
    assert result.exit_code == 1
    assert "the database cannot be used just now" in result.output
