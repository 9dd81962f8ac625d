"""`replycast check`: right or every fault at once, for a person and for a script."""

import json
import re
from pathlib import Path

import pytest

from tests.cli.running import run, run_json, write_config
from tests.rooms import CONFIG

FAULTY = CONFIG.replace("role: viewer", "role: boss").replace(
    "notify_employees: [jordan", "notify_employees: [nora"
)


@pytest.fixture
def faulty(tmp_path: Path) -> Path:
    return write_config(tmp_path, FAULTY)


def test_a_right_file_is_said_to_be_right(tmp_path: Path) -> None:
    path = write_config(tmp_path)
    result = run("check", "--config", path)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1] == f"{path}: right; 1 monitors, 3 employees"


def test_a_right_file_is_ok_in_json(tmp_path: Path) -> None:
    said = run_json("check", "--config", write_config(tmp_path))
    assert (said["ok"], said["faults"]) == (True, [])


def test_every_fault_is_named_with_its_place(faulty: Path) -> None:
    result = run("check", "--config", faulty)
    assert result.exit_code == 2
    lines = result.stdout.splitlines()
    assert len(lines) == 2
    for line, word in zip(lines, ("boss", "nora"), strict=True):
        assert re.match(rf"{re.escape(str(faulty))}:\d+:\d+: ", line)
        assert word in line


def test_every_fault_is_in_the_json_too(faulty: Path) -> None:
    result = run("check", "--config", faulty, "--json")
    assert result.exit_code == 2
    said = json.loads(result.stdout)
    assert said["ok"] is False
    assert [sorted(fault) for fault in said["faults"]] == [["column", "file", "line", "text"]] * 2


def test_a_warning_is_shown_and_is_no_fault(tmp_path: Path) -> None:
    path = write_config(tmp_path, CONFIG.replace('    closing_comment: "Email works again."\n', ""))
    result = run("check", "--config", path)
    assert result.exit_code == 0
    assert "(warning)" in result.stdout
    assert run_json("check", "--config", path)["warnings"]


@pytest.mark.parametrize("command", ["check", "serve", "explain-webhook victorops"])
def test_a_file_that_is_not_there_is_a_fault(tmp_path: Path, command: str) -> None:
    missing = tmp_path / "missing.yaml"
    result = run(*command.split(), "--config", missing)
    assert result.exit_code == 2
    assert str(missing) in result.output


def test_the_example_is_right() -> None:
    assert run("check", "--config", Path(__file__).parents[2] / "config.yaml").exit_code == 0
