"""`replycast token`: making, listing and revoking tokens beside the service, and what a script reads."""

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest

from service.cli import tokens
from tests.cli.running import run, run_json, write_config
from tests.rooms import Clock

READ = ("--scope", "incidents:read")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Give a config.yaml with a database of its own."""
    return write_config(tmp_path)


@pytest.fixture(autouse=True)
def _on_the_clock(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    """Let the commands go by the clock of the test."""
    monkeypatch.setattr(tokens, "wall_clock", clock)


def test_a_token_is_shown_once(config: Path) -> None:
    result = run("token", "create", "deploy", *READ, "--config", config)
    assert result.exit_code == 0
    assert re.fullmatch(r"rc_[A-Za-z0-9_-]{43}\n", result.stdout)
    listed = run("token", "list", "--config", config).stdout
    assert listed == "deploy  open  incidents:read  never used\n"


def test_a_script_reads_what_was_made(config: Path) -> None:
    made = run_json("token", "create", "deploy", *READ, "--expires", "30d", "--config", config)
    secret = made.pop("token")
    assert secret.startswith("rc_")
    assert made == {
        "name": "deploy",
        "scopes": ["incidents:read"],
        "created_at": "2026-11-24T12:00:00+00:00",
        "created_by": "cli",
        "expires_at": "2026-12-24T12:00:00+00:00",
        "used_at": None,
        "revoked_at": None,
    }
    assert json.loads(run("token", "list", "--json", "--config", config).stdout) == [made]


def test_its_end_may_be_a_moment_in_the_sites_time_zone(config: Path) -> None:
    made = run_json("token", "create", "deploy", *READ, "--expires", "2027-01-31 12:00", "--config", config)
    assert made["expires_at"] == "2027-01-31T11:00:00+00:00"


def test_what_is_revoked_or_expired_is_listed_so(config: Path, clock: Clock) -> None:
    assert run("token", "list", "--config", config).stdout == "there is no token\n"
    run("token", "create", "first", *READ, "--expires", "1h", "--config", config)
    run("token", "create", "second", *READ, "--config", config)
    assert run("token", "revoke", "second", "--config", config).stdout == "second is revoked\n"
    clock.move(timedelta(hours=1))
    lines = run("token", "list", "--config", config).stdout.splitlines()
    assert [line.split()[:2] for line in lines] == [["second", "revoked"], ["first", "expired"]]


def test_a_script_is_told_which_token_was_revoked_and_when(config: Path) -> None:
    run("token", "create", "deploy", *READ, "--config", config)
    told = run_json("token", "revoke", "deploy", "--config", config)
    assert (told["name"], told["revoked_at"]) == ("deploy", "2026-11-24T12:00:00+00:00")
    assert "token" not in told
    assert json.loads(run("token", "list", "--json", "--config", config).stdout) == [told]


def test_what_opens_nothing_cannot_be_revoked(config: Path) -> None:
    result = run("token", "revoke", "deploy", "--config", config)
    said = "replycast: there is no token `deploy` that opens anything\n"
    assert (result.exit_code, result.stderr) == (1, said)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["deploy"], "--scope"),
        (["deploy", "--scope", "everything"], "everything"),
        (["de ploy!", *READ], "single spaces between"),
        (["x" * 41, *READ], "at most 40"),
        (["deploy", *READ, "--expires", "0d"], "must expire in the future"),
        (["deploy", *READ, "--expires", "2020-01-01 12:00"], "must expire in the future"),
        (
            ["deploy", *READ, "--expires", "soon"],
            "`soon` is not a date and time: write for example 2026-12-01 22:00, or 30d",
        ),
        (["deploy", *READ, "--expires", "99d"], "is too long"),
    ],
)
def test_what_cannot_be_made_is_said_in_a_sentence(arguments: list[str], said: str, config: Path) -> None:
    result = run("token", "create", *arguments, "--config", config)
    assert result.exit_code == 2
    assert said in result.stderr
    assert run("token", "list", "--config", config).stdout == "there is no token\n"


def test_a_name_is_taken_while_its_token_opens_something(config: Path) -> None:
    run("token", "create", "deploy", *READ, "--config", config)
    assert "already" in run("token", "create", "deploy", *READ, "--config", config).stderr
    run("token", "revoke", "deploy", "--config", config)
    assert run("token", "create", "deploy", *READ, "--config", config).exit_code == 0


@pytest.mark.parametrize("command", ["create", "list", "revoke"])
def test_every_one_explains_itself(command: str) -> None:
    result = run("token", command, "--help")
    assert result.exit_code == 0
    assert "--config" in result.stdout
