"""The key file and the lock beside the database."""

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from service.app.own_files import KEY_BYTES, AlreadyRunning, KeyFileUnusable, load_key, only_process
from service.config import Config, parse
from service.config.settings import Secret
from tests.rooms import CONFIG


@pytest.fixture
def config(tmp_path: Path) -> Config:
    parsed = parse(CONFIG, tmp_path / "config.yaml", {})
    return replace(parsed, database=f"sqlite:///{tmp_path}/replycast.db")


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    return tmp_path / "replycast.key"


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def test_the_key_is_made_once_for_its_owner_alone(config: Config, key_file: Path) -> None:
    with umask(0):
        key = load_key(config)
    assert len(key) == KEY_BYTES
    assert load_key(config) == key
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600


def test_every_installation_has_a_key_of_its_own(config: Config, key_file: Path) -> None:
    first = load_key(config)
    key_file.unlink()
    assert load_key(config) != first


def test_a_start_that_died_before_it_wrote_the_key_is_made_good(config: Config, key_file: Path) -> None:
    key_file.touch(0o600)
    assert len(load_key(config)) == KEY_BYTES
    assert load_key(config) == load_key(config)


def test_a_key_that_another_process_makes_at_this_moment_is_waited_for_and_taken(
    config: Config, key_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = "ab" * KEY_BYTES
    monkeypatch.setattr(fcntl, "flock", lambda *_: key_file.write_text(others))
    assert load_key(config) == bytes.fromhex(others)
    assert key_file.read_text() == others


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o601])
def test_a_key_that_others_can_read_is_refused(config: Config, key_file: Path, mode: int) -> None:
    load_key(config)
    key_file.chmod(mode)
    with pytest.raises(KeyFileUnusable, match="is readable by others: chmod 600 it"):
        load_key(config)


@pytest.mark.parametrize("text", ["not hexadecimal", "ab", "ab" * (KEY_BYTES - 1), "ab" * 100, "\N{SNOWMAN}"])
def test_a_key_that_was_damaged_is_refused_and_kept(config: Config, key_file: Path, text: str) -> None:
    key_file.write_text(text)
    key_file.chmod(0o600)
    with pytest.raises(KeyFileUnusable, match=r"replycast\.key"):
        load_key(config)
    assert key_file.read_text() == text


def test_a_folder_in_the_keys_place_is_refused(config: Config, key_file: Path) -> None:
    key_file.mkdir()
    with pytest.raises(KeyFileUnusable, match="cannot be used"):
        load_key(config)


def test_with_postgresql_the_key_lies_beside_the_config(config: Config, key_file: Path) -> None:
    key = load_key(replace(config, database="postgresql://rc@db/replycast"))
    assert bytes.fromhex(key_file.read_text()) == key
    assert load_key(config) == key


def test_a_key_file_that_cannot_be_made_says_what_to_configure(config: Config, tmp_path: Path) -> None:
    elsewhere = replace(
        config, database="postgresql://rc@db/replycast", path=tmp_path / "none" / "config.yaml"
    )
    with pytest.raises(KeyFileUnusable, match="nor is there a `secret_key`"):
        load_key(elsewhere)


def test_the_configs_key_is_used_and_no_file_is_made(config: Config, key_file: Path) -> None:
    assert load_key(replace(config, secret_key=Secret("correct horse"))) == b"correct horse"
    assert not key_file.exists()


def test_a_second_process_on_the_same_database_is_refused(config: Config) -> None:
    said = r"another replycast runs on .*replycast\.db"
    with only_process(config), pytest.raises(AlreadyRunning, match=said), only_process(config):
        pass
    with only_process(config):
        pass


def test_who_fails_gives_the_lock_back(config: Config) -> None:
    with pytest.raises(LookupError), only_process(config):
        raise LookupError
    with only_process(config):
        pass


def test_two_databases_have_two_processes(config: Config, tmp_path: Path) -> None:
    other = replace(config, database=f"sqlite:///{tmp_path}/other/replycast.db")
    with only_process(config), only_process(other):
        assert stat.S_IMODE((tmp_path / "other").stat().st_mode) == 0o700


def test_the_lock_file_is_its_owners_alone(config: Config, tmp_path: Path) -> None:
    with umask(0), only_process(config):
        assert stat.S_IMODE((tmp_path / "replycast.lock").stat().st_mode) == 0o600
