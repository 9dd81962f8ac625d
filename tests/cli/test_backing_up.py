"""Backup and restore: beside a running service, whole or not at all, and never over what is there."""

import gzip
import io
import json
import sqlite3
import stat
import tarfile
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.cli.backups import backup_of, config_in, confirmed, lost
from tests.cli.running import run, run_json, start, write_config
from tests.rooms import CONFIG

LOGO = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><path d="M0 0h1v1z"/></svg>'


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Give a config.yaml whose database has two subscribers and a key."""
    return config_in(tmp_path / "here")


@pytest.fixture
def archive(config: Path, tmp_path: Path) -> Path:
    """Give a backup of it."""
    return backup_of(config, tmp_path / "backup.tar.gz")


def test_what_was_lost_comes_back_with_its_key(config: Path, archive: Path) -> None:
    key = (config.parent / "replycast.key").read_bytes()
    lost(config)
    result = run("restore", archive, "--config", config)
    assert result.exit_code == 0, result.output
    assert "config.yaml, which was there and was kept" in result.stdout
    assert confirmed(config) == 2
    assert (config.parent / "replycast.key").read_bytes() == key
    for name in ("replycast.db", "replycast.key"):
        assert stat.S_IMODE((config.parent / name).stat().st_mode) == 0o600


def test_all_of_it_can_be_lost(config: Path, archive: Path) -> None:
    text = config.read_text()
    lost(config)
    config.unlink()
    told = run_json("restore", archive, "--config", config)
    assert sorted(told["restored"]) == ["config.yaml", "database.sqlite", "replycast.key"]
    assert config.read_text() == text
    assert confirmed(config) == 2


def test_a_backup_is_for_its_owner_alone_and_replaces_none(config: Path, archive: Path) -> None:
    assert stat.S_IMODE(archive.stat().st_mode) == 0o600
    again = run("backup", archive, "--config", config)
    assert (again.exit_code, "exists: name another file" in again.stderr) == (2, True)
    assert run("backup", archive, "--force", "--config", config).exit_code == 0
    assert sorted(one.name for one in archive.parent.iterdir()) == ["backup.tar.gz", "here"]


def acts(config: Path) -> list[tuple[str, str]]:
    """Give who made which backups, as the database has it."""
    with closing(sqlite3.connect(config.parent / "replycast.db")) as database:
        return database.execute(
            "SELECT by, about FROM audit WHERE act = 'backup_made' ORDER BY id"
        ).fetchall()


def test_each_backup_is_noted_once_it_is_there(config: Path, archive: Path) -> None:
    assert acts(config) == [("cli", str(archive))]
    assert run("backup", archive, "--config", config).exit_code == 2
    assert acts(config) == [("cli", str(archive))], "what was refused is no backup"
    told = run_json("backup", archive, "--force", "--config", config)
    assert told["file"] == str(archive)
    assert len(acts(config)) == 2


def test_a_backup_brings_no_database_up_to_date_in_order_to_be_noted(config: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(config.parent / "replycast.db")) as database, database:
        database.execute("UPDATE alembic_version SET version_num = '0001'")
    result = run("backup", tmp_path / "b.tar.gz", "--config", config)
    assert (
        result.exit_code,
        "not noted in the audit: the database is of another version" in result.stderr,
    ) == (
        0,
        True,
    )
    with closing(sqlite3.connect(config.parent / "replycast.db")) as database:
        assert database.execute("SELECT version_num FROM alembic_version").fetchall() == [("0001",)]
    assert acts(config) == []


@pytest.mark.xdist_group("processes")
def test_it_is_made_beside_a_running_service_and_not_restored_under_one(config: Path, tmp_path: Path) -> None:
    text = config.read_text().replace("http://status.acme.example", "http://127.0.0.1:8080")
    config.write_text(text)
    path = tmp_path / "live.tar.gz"
    with start("serve", "--config", config, "--port", 0, folder=config.parent) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("listening on")
            assert run("backup", path, "--config", config).exit_code == 0
            refused = run("restore", path, "--force", "--config", config)
            assert (refused.exit_code, "another replycast runs on" in refused.stderr) == (1, True)
        finally:
            process.terminate()
            process.communicate(timeout=30)
    assert run("restore", path, "--force", "--config", config).exit_code == 0
    assert confirmed(config) == 2


def test_what_is_there_is_replaced_only_by_force_and_then_kept(config: Path, archive: Path) -> None:
    more = config.parent / "more.csv"
    more.write_text("Email\ncy@reader.example\n")
    run_json("subscribers", "import", more, "--have-agreed", "--config", config)
    refused = run("restore", archive, "--config", config)
    named = ", ".join(str(config.parent / name) for name in ("replycast.db", "replycast.key"))
    said = f"{named} exist: move them away together, or let --force replace them\n"
    assert (refused.exit_code, refused.stderr.endswith(said)) == (1, True), refused.output
    assert confirmed(config) == 3
    assert run("restore", archive, "--force", "--config", config).exit_code == 0
    assert confirmed(config) == 2
    with closing(sqlite3.connect(config.parent / "replycast.db.replaced")) as old:
        assert old.execute("SELECT count(*) FROM subscribers").fetchone() == (3,)


def rewritten(archive: Path, changes: Mapping[str, Any]) -> None:
    """Write an archive anew with other bodies under its names; None leaves one out."""
    with tarfile.open(archive) as read:
        bodies = {one.name: opened.read() for one in read if (opened := read.extractfile(one)) is not None}
    bodies |= changes
    with tarfile.open(archive, "w:gz") as written:
        for name, body in bodies.items():
            if body is not None:
                member = tarfile.TarInfo(name)
                member.size = len(body)
                written.addfile(member, io.BytesIO(body))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"database.sqlite": None}, "was cut short: database.sqlite is missing"),
        ({"config.yaml": b"site: {}"}, "is no backup of replycast, or is damaged"),
        ({"../../evil": b"x"}, "is no backup of replycast, or is damaged"),
        ({"manifest.json": b"{}"}, "is no backup of replycast, or is damaged"),
        ({"manifest.json": None}, "is no backup of replycast"),
    ],
)
def test_what_was_tampered_with_is_not_restored(
    config: Path, archive: Path, changes: Mapping[str, Any], said: str
) -> None:
    rewritten(archive, changes)
    lost(config)
    result = run("restore", archive, "--config", config)
    assert (result.exit_code, said in result.stderr) == (1, True), result.output
    assert not (config.parent / "replycast.db").exists()


@pytest.mark.parametrize(
    "body",
    [b"", b"hello", gzip.compress(b"hello"), None],
    ids=["empty", "a text", "another archive", "cut short"],
)
def test_what_is_no_backup_is_named(config: Path, archive: Path, body: bytes | None) -> None:
    archive.write_bytes(archive.read_bytes()[:-2000] if body is None else body)
    lost(config)
    result = run("restore", archive, "--config", config)
    assert (result.exit_code, "is no backup of replycast" in result.stderr) == (1, True), result.output
    assert sorted(one.name for one in config.parent.iterdir()) == ["config.yaml", "list.csv"]


def test_one_of_a_newer_version_is_refused(config: Path, archive: Path) -> None:
    with closing(sqlite3.connect(config.parent / "replycast.db")) as database, database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    newer = archive.with_name("newer.tar.gz")
    assert run("backup", newer, "--config", config).exit_code == 0
    lost(config)
    result = run("restore", newer, "--config", config)
    assert (result.exit_code, "made by a newer version of this service" in result.stderr) == (1, True)
    assert not (config.parent / "replycast.db").exists()


def test_where_config_yaml_lacks_its_environment_nothing_is_left_behind(config: Path, tmp_path: Path) -> None:
    config.write_text(config.read_text() + 'secret_key: "${KEY_OF_TEST}"\n')
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KEY_OF_TEST", "k" * 40)
        assert run("backup", tmp_path / "b.tar.gz", "--config", config).exit_code == 0
    lost(config)
    config.unlink()
    result = run("restore", tmp_path / "b.tar.gz", "--config", config)
    assert (result.exit_code, "KEY_OF_TEST" in result.stderr) == (2, True), result.output
    assert [one.name for one in config.parent.iterdir()] == ["list.csv"]


def test_files_that_config_yaml_names_are_told(config: Path, tmp_path: Path) -> None:
    (config.parent / "victorops.secret").write_text("hush")
    config.write_text(config.read_text() + "webhooks: {victorops: {secret_file: victorops.secret}}\n")
    told = run_json("backup", tmp_path / "b.tar.gz", "--config", config)
    assert told["left_out"] == ["victorops.secret"]
    assert "hush" not in json.dumps(told)


def test_what_config_yaml_names_must_be_there_before_a_restore_which_says_so(
    config: Path, tmp_path: Path
) -> None:
    (config.parent / "victorops.secret").write_text("hush")
    (config.parent / "logo.svg").write_text(LOGO)
    site = "site: {name: Acme Status, "
    text = config.read_text().replace(site, f"{site}logo: logo.svg, ")
    config.write_text(f"{text}webhooks: {{victorops: {{secret_file: victorops.secret}}}}\n")
    told = run("backup", tmp_path / "b.tar.gz", "--config", config)
    for name in ("logo.svg", "victorops.secret"):
        assert f"not in it, as config.yaml names it: {name}\n" in told.stdout
    lost(config)
    config.unlink()
    for name in ("logo.svg", "victorops.secret"):
        (config.parent / name).rename(tmp_path / name)
    result = run("restore", tmp_path / "b.tar.gz", "--config", config)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.endswith("names first, which is in no backup: logo.svg, victorops.secret\n")
    assert [one.name for one in config.parent.iterdir()] == ["list.csv"]
    for name in ("logo.svg", "victorops.secret"):
        (tmp_path / name).rename(config.parent / name)
    assert run("restore", tmp_path / "b.tar.gz", "--config", config).exit_code == 0
    assert confirmed(config) == 2


def test_postgresql_has_a_tool_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(f"database: postgresql://replycast@127.0.0.1/replycast\n{CONFIG}")
    result = run("backup", tmp_path / "b.tar.gz", "--config", path)
    assert (result.exit_code, "take pg_dump" in result.stderr) == (2, True)


def test_a_folder_that_is_not_there_is_named(config: Path, tmp_path: Path) -> None:
    result = run("backup", tmp_path / "nowhere" / "b.tar.gz", "--config", config)
    said = f"replycast: nothing was backed up: there is no folder {tmp_path}/nowhere\n"
    assert (result.exit_code, result.stderr) == (1, said)


def test_a_database_that_is_not_there_cannot_be_backed_up(tmp_path: Path) -> None:
    result = run("backup", tmp_path / "b.tar.gz", "--config", write_config(tmp_path))
    assert (result.exit_code, "there is no database" in result.stderr) == (1, True)
    assert not (tmp_path / "replycast.db").exists()
