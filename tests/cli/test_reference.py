"""docs/cli.md: fresh, and complete."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from service.cli import main
from service.cli.exits import CODES, every_command
from service.cli.reference import reference
from tests.cli.running import run

DOCUMENT = Path(__file__).parents[2] / "docs" / "cli.md"
COMMANDS = dict(every_command(main))


def test_the_document_is_fresh() -> None:
    assert DOCUMENT.read_text() == reference(), "the commands have changed: run `make docs`"


def test_the_exit_codes_of_every_command_are_written_down_and_of_no_other() -> None:
    assert set(CODES) == set(COMMANDS), "write them down in service/cli/exits.py"


@pytest.mark.parametrize("words", sorted(COMMANDS))
def test_every_command_tells_its_exit_codes_and_options(words: str) -> None:
    section = reference().partition(f"\n## replycast {words}\n")[2].partition("\n## ")[0]
    assert "\nExit code: 0" in section
    for parameter in COMMANDS[words].params:
        assert all(f"{name}" in section for name in parameter.opts if name.startswith("-"))
    assert " ".join(run(*words.split(), "--help").output.split()).find("Exit code: 0") > 0


def test_the_shell_completes_commands_and_their_options() -> None:
    words = {"COMP_WORDS": "replycast inci", "COMP_CWORD": "1", "_REPLYCAST_COMPLETE": "bash_complete"}
    assert completed(words) == ["plain,incidents"]
    words |= {"COMP_WORDS": "replycast publish --y", "COMP_CWORD": "2"}
    assert completed(words) == ["plain,--yes"]


def completed(environment: dict[str, str]) -> list[str]:
    """Ask click as the shell does."""
    result = CliRunner().invoke(main, [], env=environment, prog_name="replycast")
    return result.stdout.split()
