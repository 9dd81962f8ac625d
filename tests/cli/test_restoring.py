"""A restore as it is done in earnest: where, as whom, with which key, and what the restored service does at once."""

import os
import stat
import subprocess
import tempfile
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from alembic import command

from service.cli import maintaining, orders, overdue, restoring
from service.model import Phase
from service.store.database import open_store
from service.store.migrating import alembic_config
from tests.cli.backups import backup_of, config_in, confirmed, lost
from tests.cli.running import run, run_json, write_config
from tests.rooms import CONFIG, Clock
from tests.stories.world import ANA, World, make_world

AUTOMATIC = CONFIG.replace("auto_publish: false", "auto_publish: true")
SERVICE = 10_001
"""The user and the group that the service runs as, as in our image."""
HEX_DIGITS = 64


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Give a config.yaml in a folder of its own, and its database in another one."""
    made = config_in(tmp_path / "etc")
    data = tmp_path / "var"
    data.mkdir()
    for file in made.parent.glob("replycast.*"):
        file.rename(data / file.name)
    made.write_text(made.read_text().replace(f"{made.parent}/replycast.db", f"{data}/replycast.db"))
    return made


@pytest.fixture
def archive(config: Path, tmp_path: Path) -> Path:
    """Give a backup of it, and lose what is in it but config.yaml."""
    made = backup_of(config, tmp_path / "backup.tar.gz")
    for file in (tmp_path / "var").iterdir():
        file.unlink()
    return made


def test_around_a_config_yaml_that_is_there_nothing_is_written(config: Path, archive: Path) -> None:
    before = config.parent.stat().st_mtime_ns
    assert run("restore", archive, "--config", config).exit_code == 0
    assert config.parent.stat().st_mtime_ns == before
    assert confirmed(config) == 2


@pytest.fixture
def owners(monkeypatch: pytest.MonkeyPatch) -> dict[int, tuple[int, int]]:
    """Let us be root, who gives files away: to whom, by the number of the file."""
    given: dict[int, tuple[int, int]] = {}
    own = Path.stat

    def stat_of(path: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        found = own(path, follow_symlinks=follow_symlinks)
        if not stat.S_ISDIR(found.st_mode):
            return found
        values = list(found)
        values[stat.ST_UID], values[stat.ST_GID] = SERVICE, SERVICE
        return os.stat_result(values)

    def give(file: Path | int, user: int, group: int, *, follow_symlinks: bool = True) -> None:
        assert isinstance(file, int) or not follow_symlinks
        made = os.fstat(file) if isinstance(file, int) else own(file)
        given[made.st_ino] = user, group

    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "chown", give)
    monkeypatch.setattr(os, "fchown", give)
    monkeypatch.setattr(Path, "stat", stat_of)
    return given


def test_what_root_brings_back_belongs_to_whom_its_folder_belongs(
    config: Path, archive: Path, owners: dict[int, tuple[int, int]]
) -> None:
    assert run("restore", archive, "--config", config).exit_code == 0
    made = [archive.parent / "var" / f"replycast.{ending}" for ending in ("db", "key", "lock")]
    assert {file.name: owners.get(file.stat().st_ino) for file in made} == {
        file.name: (SERVICE, SERVICE) for file in made
    }


def test_folders_that_root_makes_for_it_belong_to_whom_the_folder_around_them_does(
    config: Path, archive: Path, owners: dict[int, tuple[int, int]]
) -> None:
    data = archive.parent / "var"
    data.rmdir()
    assert run("restore", archive, "--config", config).exit_code == 0
    assert owners[data.stat().st_ino] == (SERVICE, SERVICE)
    assert stat.S_IMODE(data.stat().st_mode) == 0o700


def test_a_database_that_a_command_of_roots_makes_does_so_too(
    tmp_path: Path, owners: dict[int, tuple[int, int]]
) -> None:
    config = write_config(tmp_path)
    assert run("token", "list", "--config", config).exit_code == 0
    made = [tmp_path / f"replycast.{ending}" for ending in ("db", "key")]
    assert [owners.get(file.stat().st_ino) for file in made] == [(SERVICE, SERVICE)] * 2


def test_config_yaml_that_root_brings_back_may_be_read_by_the_group_of_its_folder(
    config: Path, archive: Path, owners: dict[int, tuple[int, int]]
) -> None:
    config.unlink()
    config.parent.chmod(0o750)
    assert run("restore", archive, "--config", config).exit_code == 0
    assert owners[config.stat().st_ino] == (SERVICE, SERVICE)
    assert stat.S_IMODE(config.stat().st_mode) == 0o640


def test_who_may_not_write_there_is_told_as_whom_to_run_it(
    config: Path, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", "/var/lib/replycast")

    monkeypatch.setattr(tempfile, "TemporaryDirectory", refuse)
    result = run("restore", archive, "--config", config)
    said = "Permission denied: '/var/lib/replycast': run it as the user that the service runs as\n"
    assert (result.exit_code, result.stderr.endswith(said)) == (1, True)


def test_a_database_of_an_older_version_is_brought_up_to_date_so_that_orders_can_be_given_before_the_start(
    config: Path, tmp_path: Path
) -> None:
    database = tmp_path / "var" / "replycast.db"
    with closing(open_store(f"sqlite:///{database}")) as store, store.transaction() as connection:
        command.downgrade(alembic_config(connection), "0003")
    older = backup_of(config, tmp_path / "older.tar.gz")
    assert run("restore", older, "--force", "--config", config).exit_code == 0
    assert confirmed(config) == 2
    assert not list(database.parent.glob("*before-upgrade*"))


def with_key(config: Path, key: str) -> None:
    config.write_text(f"{config.read_text()}secret_key: {key}\n")


def test_a_key_that_is_passed_over_for_another_one_is_told_with_the_way_to_take_it(
    config: Path, archive: Path
) -> None:
    text = config.read_text()
    with_key(config, "another-key-than-that-of-the-backup")
    told = run_json("restore", archive, "--config", config)
    assert "replycast.key" not in told["restored"]
    (note,) = told["notes"]
    said = "was not brought back, for there is one in config.yaml (`secret_key`); the database opens with no other"
    assert said in note
    assert run("token", "list", "--config", config).exit_code == 1
    way = note.partition("`tar ")[2].partition("`")[0]
    key = subprocess.run(["tar", *way.split()], capture_output=True, text=True, check=True).stdout.strip()
    assert len(key) == HEX_DIGITS
    config.write_text(text)
    with_key(config, f'"{key}"')
    assert run("token", "list", "--config", config).exit_code == 0
    again = run_json("restore", archive, "--force", "--config", config)
    assert again["notes"][0].endswith("which is the same")


def test_a_backup_without_a_key_says_that_its_setting_is_needed(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    config = write_config(tmp_path / "here")
    text = config.read_text()
    with_key(config, "the-key-of-this-database-and-no-other")
    assert run("token", "list", "--config", config).exit_code == 0
    archive = backup_of(config, tmp_path / "backup.tar.gz")
    lost(config)
    assert run_json("restore", archive, "--config", config)["notes"] == []
    lost(config)
    config.write_text(text)
    (note,) = run_json("restore", archive, "--config", config)["notes"]
    assert note.startswith(
        "the backup holds no key, and the database opens with no other than its own: write the"
    )


@pytest.mark.parametrize("text", ["ab", "ab" * 32])
def test_where_the_key_that_is_there_is_of_no_use_nothing_is_changed(text: str, tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    config = write_config(tmp_path / "here")
    without_key = config.read_text()
    with_key(config, "the-key-of-this-database-and-no-other")
    assert run("token", "list", "--config", config).exit_code == 0
    archive = backup_of(config, tmp_path / "backup.tar.gz")
    lost(config)
    config.write_text(without_key)
    key = config.parent / "replycast.key"
    key.write_text(text)
    key.chmod(0o644)
    result = run("restore", archive, "--config", config)
    assert (result.exit_code, "nothing was restored: " in result.stderr) == (1, True)
    assert {file.name for file in config.parent.iterdir()} <= {
        "config.yaml",
        "replycast.key",
        "replycast.lock",
    }


async def backed_up_while_it_waited(world: World, config: Path, archive: Path) -> None:
    """Back up while an incident waits to be published, which recovers right after; then stop."""
    await world.subscribe(ANA)
    await world.fire()
    backup_of(config, archive)
    await world.after(minutes=2)
    await world.recover()
    await world.stop()
    assert world.phases() == [Phase.DISCARDED]


@pytest.mark.anyio
async def test_what_a_restored_service_would_publish_at_once_is_told_and_can_be_discarded_before(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, archive = write_config(tmp_path, AUTOMATIC), tmp_path / "backup.tar.gz"
    monkeypatch.setattr(restoring, "wall_clock", clock)
    async with make_world(tmp_path, clock, AUTOMATIC) as world:
        await backed_up_while_it_waited(world, config, archive)
        mails = len(world.mails(ANA))
        told = run_json("restore", archive, "--force", "--config", config)
        assert told["at_start"] == [], "its time has not come"
        clock.move(timedelta(hours=20))
        result = run("restore", archive, "--force", "--config", config)
        said = (
            "happens at the next start, by itself:\n  INC-1 (Email is unavailable): published automatically\n"
        )
        assert said in result.stdout
        discard = f"  replycast discard INC-1 --config {config}\n"
        assert discard in result.stdout
        assert run(*discard.split()[1:]).exit_code == 0
        await world.start()
        await world.service.settle()
        assert world.phases() == [Phase.DISCARDED]
        assert len(world.mails(ANA)) == mails


@pytest.mark.anyio
async def test_it_can_be_held_before_as_well(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, archive = write_config(tmp_path, AUTOMATIC), tmp_path / "backup.tar.gz"
    for module in (restoring, orders):
        monkeypatch.setattr(module, "wall_clock", clock)
    async with make_world(tmp_path, clock, AUTOMATIC) as world:
        await backed_up_while_it_waited(world, config, archive)
        clock.move(timedelta(hours=20))
        hold = next(
            line.split()[1:]
            for line in run("restore", archive, "--force", "--config", config).stdout.splitlines()
            if "replycast hold" in line
        )
        assert run(*hold).exit_code == 0
        await world.start()
        await world.service.settle()
        assert world.phases() == [Phase.WAITING]
        await world.after(hours=7)
        assert world.phases() == [Phase.WAITING]


@pytest.mark.anyio
async def test_maintenance_whose_hour_has_come_meanwhile_is_told_and_that_not_all_is_listed(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, archive = write_config(tmp_path, AUTOMATIC), tmp_path / "backup.tar.gz"
    for module in (restoring, maintaining):
        monkeypatch.setattr(module, "wall_clock", clock)
    async with make_world(tmp_path, clock, AUTOMATIC) as world:
        for number in (1, 2):
            starts_at = (clock() + timedelta(hours=2 + number)).isoformat(timespec="minutes")
            given = {"subject": f"Move {number}", "message": "We move.", "component": "Email",
                     "starts-at": starts_at, "duration": "1h", "by": "jordan", "config": config}  # fmt: skip
            planned = run("maintenance", "plan", *(f"--{name}={value}" for name, value in given.items()))
            assert planned.exit_code == 0, planned.output
        backup_of(config, archive)
        await world.stop()
        clock.move(timedelta(hours=20))
        told = run_json("restore", archive, "--force", "--config", config)
        begins = "begins, and subscribers are told"
        assert [(one["name"], one["subject"], one["what"]) for one in told["at_start"]] == [
            ("maintenance 1", "Move 1", begins),
            ("maintenance 2", "Move 2", begins),
        ]
        assert told["notes"] == []
        monkeypatch.setattr(overdue, "MOST_LISTED", 1)
        told = run_json("restore", archive, "--force", "--config", config)
        assert [one["name"] for one in told["at_start"]] == ["maintenance 1"]
        assert told["notes"] == ["more is overdue than the 1 that are listed"]
