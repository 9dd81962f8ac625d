"""`replycast maintenance`: planning and cancelling beside the service, and what a script reads."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from service.cli import maintaining
from service.cli.house import house_of
from service.cli.options import load_or_exit
from service.store import audit
from tests.cli.running import run, write_config
from tests.rooms import Clock
from tests.stories.world import ANA, make_world

PLAN = ["--subject", "Database  upgrade", "--message", "We upgrade.", "--component", "Email"]
WHEN = ["--starts-at", "2026-11-25 13:00", "--duration", "2h"]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Give a config.yaml with a database of its own."""
    return write_config(tmp_path)


@pytest.fixture(autouse=True)
def _on_the_clock(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    """Let the commands go by the clock of the test."""
    monkeypatch.setattr(maintaining, "wall_clock", clock)


@pytest.fixture
def listed(config: Path) -> Callable[[], list[dict[str, Any]]]:
    """Give a way to read the list as a script does."""

    def read() -> list[dict[str, Any]]:
        result = run("maintenance", "list", "--json", "--config", config)
        assert result.exit_code == 0, result.output
        found: list[dict[str, Any]] = json.loads(result.stdout)
        return found

    return read


def test_what_is_planned_is_listed(config: Path, listed: Callable[[], list[dict[str, Any]]]) -> None:
    assert run("maintenance", "list", "--config", config).stdout == "nothing is planned\n"
    more = ["--remind", "1d", "--closing-comment", "Done.", "--audience", "Partners", "--as", "sam"]
    result = run("maintenance", "plan", *PLAN, *WHEN, *more, "--config", config)
    line = "#1 planned: Database upgrade (Email), 25 Nov 2026, 13:00 CET to 25 Nov 2026, 15:00 CET\n"
    assert (result.exit_code, result.stdout) == (0, line)
    assert run("maintenance", "list", "--config", config).stdout == line
    assert listed() == [
        {
            "id": 1,
            "phase": "planned",
            "subject": "Database upgrade",
            "message": "We upgrade.",
            "components": ["Email"],
            "starts_at": "2026-11-25T12:00:00+00:00",
            "ends_at": "2026-11-25T14:00:00+00:00",
            "remind_at": None,
            "started_at": None,
            "ended_at": None,
            "closing_comment": "Done.",
            "audience": ["Partners"],
            "planned_at": "2026-11-24T12:00:00+00:00",
            "planned_by": "sam",
            "is_from_config": False,
        }
    ]


def test_the_same_is_planned_once(config: Path, listed: Callable[[], list[dict[str, Any]]]) -> None:
    run("maintenance", "plan", *PLAN, *WHEN, "--config", config)
    again = run("maintenance", "plan", *PLAN, *WHEN, "--as", "sam", "--config", config)
    said = "replycast: #1 is the same maintenance: it is planned already; nothing was changed.\n"
    assert (again.exit_code, again.stderr) == (1, said)
    assert len(listed()) == 1


def test_what_nobody_is_named_for_was_done_by_the_command_line(
    config: Path, listed: Callable[[], list[dict[str, Any]]]
) -> None:
    run("maintenance", "plan", *PLAN, *WHEN, "--config", config)
    run("maintenance", "cancel", 1, "--config", config)
    assert [one["planned_by"] for one in listed()] == ["cli"]
    with house_of(load_or_exit(config)) as house:
        assert house.name_of(listed()[0]["planned_by"]) == "the command line"


def test_who_ordered_it_stands_in_the_audit(config: Path) -> None:
    run("maintenance", "plan", *PLAN, *WHEN, "--config", config)
    run("maintenance", "cancel", 1, "--as", "sam", "--config", config)
    run("maintenance", "cancel", 7, "--config", config)
    with house_of(load_or_exit(config)) as house, house.store.reading() as connection:
        acts = [(act.act, act.about, act.note) for act in audit.listed(connection, by="cli", limit=9)]
    assert acts == [
        ("ordered_cancellation", "#1", "as sam"),
        ("ordered_maintenance", "Database upgrade", ""),
    ]


def test_one_is_cancelled_once(config: Path, listed: Callable[[], list[dict[str, Any]]]) -> None:
    run("maintenance", "plan", *PLAN, *WHEN, "--config", config)
    result = run("maintenance", "cancel", 1, "--json", "--config", config)
    assert (result.exit_code, json.loads(result.stdout)["reason"]) == (0, "maintenance_cancelled")
    again = run("maintenance", "cancel", 1, "--config", config)
    assert (again.exit_code, again.stderr) == (1, "replycast: it was called off; nothing was changed.\n")
    assert [one["phase"] for one in listed()] == ["cancelled"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([*PLAN, "--starts-at", "2026-11-25 13:00"], 2, "give --ends-at or --duration, and not both"),
        ([*PLAN, *WHEN, "--ends-at", "2026-11-25 15:00"], 2, "give --ends-at or --duration, and not both"),
        ([*PLAN, "--starts-at", "tomorrow", "--duration", "2h"], 2, "`tomorrow` is not a date and time"),
        ([*PLAN, "--starts-at", "2026-11-25 13:00", "--duration", "2"], 2, "`2` has no unit"),
        ([*PLAN, "--starts-at", "2026-11-20 13:00", "--duration", "2h"], 1, "that time is past"),
        ([*PLAN, "--starts-at", "2026-11-25 13:00", "--ends-at", "2026-11-25 12:00"], 1, "must end after"),
        ([*PLAN, *WHEN, "--component", "Emial"], 1, "there is no component `Emial`"),
        ([*PLAN, *WHEN, "--by", "nobody"], 2, "config.yaml has no employee `nobody`"),
        ([*PLAN, *WHEN, "--by", "vera"], 1, "Vera Moss may look, but not publish"),
        (["--subject", " ", "--message", "M", *WHEN], 2, "cannot be empty"),
        (["--subject", "x" * 501, "--message", "M", *WHEN], 2, "at most 500 characters"),
    ],
)
def test_what_cannot_be_planned_is_said_in_a_sentence(
    arguments: list[str], code: int, said: str, config: Path, listed: Callable[[], list[dict[str, Any]]]
) -> None:
    result = run("maintenance", "plan", *arguments, "--config", config)
    assert result.exit_code == code
    assert said in result.stderr
    assert listed() == []


def test_what_is_not_there_cannot_be_cancelled(config: Path) -> None:
    result = run("maintenance", "cancel", 7, "--config", config)
    assert (result.exit_code, result.stderr) == (1, "replycast: there is no maintenance 7\n")


@pytest.mark.parametrize("command", ["list", "plan", "cancel"])
def test_every_one_explains_itself(command: str) -> None:
    result = run("maintenance", command, "--help")
    assert result.exit_code == 0
    assert "--config" in result.stdout


@pytest.mark.anyio
async def test_a_running_service_announces_it_at_its_next_look(tmp_path: Path, clock: Clock) -> None:
    async with make_world(tmp_path, clock) as world:
        await world.subscribe(ANA)
        config = write_config(tmp_path)
        assert run("maintenance", "plan", *PLAN, *WHEN, "--config", config).exit_code == 0
        await world.after(seconds=1)
        assert "Maintenance: Database upgrade" in world.mails(ANA)[-1].subject
        assert run("maintenance", "cancel", 1, "--config", config).exit_code == 0
        await world.after(seconds=1)
        assert world.mails(ANA)[-1].text.startswith("Cancelled: Database upgrade")
        await world.after(hours=24)
        assert len(world.mails(ANA)) == 3
