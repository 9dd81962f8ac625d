"""`serve --role`: where the service cannot be split, it says so before it touches anything."""

from pathlib import Path

import pytest

from tests.cli.running import ON_THIS_MACHINE, run, write_config


@pytest.mark.parametrize("role", ["web", "worker"])
def test_on_sqlite_one_process_does_everything(role: str, tmp_path: Path) -> None:
    result = run("serve", "--config", write_config(tmp_path), "--port", 0, "--role", role)
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1] == (
        f"replycast: --role {role} needs a second process on the same database, and SQLite is for one alone: "
        "leave --role out, or let `database` in config.yaml be PostgreSQL"
    )
    assert not (tmp_path / "replycast.db").exists()


@pytest.mark.parametrize("role", ["web", "worker"])
def test_without_a_mail_server_one_process_does_everything(role: str, tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(f"database: postgresql://replycast@127.0.0.1:1/replycast\n{ON_THIS_MACHINE}")
    result = run("serve", "--config", path, "--port", 0, "--role", role)
    assert result.exit_code == 1
    said = result.stderr.splitlines()[-1]
    assert said.startswith(f"replycast: --role {role} needs a mail server"), said
    assert said.endswith("configure `mail`, or leave --role out")


def test_another_role_there_is_not(tmp_path: Path) -> None:
    result = run("serve", "--config", write_config(tmp_path), "--role", "mailman")
    assert result.exit_code == 2
    assert "'all', 'web', 'worker'" in result.stderr
