"""What a person reads who asks for help."""

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from service.cli import main
from service.cli.exits import every_command
from service.cli.lazily import LazyGroup
from tests.cli.running import run

assert isinstance(main, LazyGroup)
COMMANDS = main.places
EXAMPLES = {
    "serve": "  Example:\n    replycast serve --config config.yaml --port 8080\n",
    "explain-webhook": (
        "  Example:\n"
        """    echo '{monitorName: "Email Server", state: "CRITICAL"}' | replycast explain-webhook victorops\n"""
    ),
}


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_and_option_explains_itself(command: str) -> None:
    result = run(command, "--help")
    assert result.exit_code == 0
    assert "\b" not in result.output
    about, _, options = result.output.partition("Options:")
    assert len(about.splitlines()) > 2
    assert not re.search(r"^  --[a-z-]+( [A-Z]+)?\s*(\[default: [^]]*\])?$", options, re.MULTILINE)


@pytest.mark.parametrize(("command", "example"), EXAMPLES.items())
def test_an_example_stands_as_it_is_to_be_typed(command: str, example: str) -> None:
    assert example in run(command, "-h").output


def test_every_command_that_tells_anything_tells_it_to_a_script_too() -> None:
    without = {
        words
        for words, command in every_command(main)
        if not isinstance(command, click.Group) and not any("--json" in one.opts for one in command.params)
    }
    # they run on, play to an audience, or print what a program reads anyway: JSON Schema and CSV
    assert without == {"demo", "serve", "schema", "subscribers export"}


def test_whoever_asks_for_help_reads_how_to_begin_and_what_the_exit_codes_mean() -> None:
    about = run("--help").output.partition("Options:")[0]
    assert "  To begin, with a mail sandbox and no mail server:\n    replycast init --sandbox" in about
    assert "Exit code: 0 done; 1 " in about
    named = set(re.findall(r"^ +replycast ([a-z-]+)", about, re.MULTILINE))
    assert named == {"init", "serve", "check", "doctor", "incidents", "publish"}
    assert named <= set(COMMANDS)


def test_all_commands_are_listed_with_what_they_do() -> None:
    listed = run("--help").output.partition("Commands:")[2]
    assert [line.split()[0] for line in listed.strip().splitlines()] == sorted(COMMANDS)


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_what_the_list_says_of_a_command_is_what_it_says_of_itself(command: str) -> None:
    found = main.get_command(click.Context(main), command)
    assert found is not None
    assert found.name == command
    assert found.get_short_help_str(1000) == COMMANDS[command].about


@pytest.mark.parametrize("typed", ["--help", "--version", "no-such-command"])
def test_nothing_of_the_service_is_imported_before_a_command_is_typed(typed: str) -> None:
    told = "import sys; print(*sorted(sys.modules), file=sys.stderr)"
    program = f"import atexit; atexit.register(lambda: exec({told!r})); from service.cli import main; main()"
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", program, typed], capture_output=True, text=True, check=False, cwd=root
    )
    imported = set(done.stderr.split())
    assert {"click", "service.cli.main"} <= imported
    assert not imported & {"sqlalchemy", "starlette", "pydantic", "jinja2", "service.config", "service.store"}


def test_the_version_is_told() -> None:
    assert re.fullmatch(r"replycast, version \d+\.\d+\.\d+\n", run("--version").output)


@pytest.mark.parametrize("port", ["-1", "65536", "http"])
def test_a_port_that_is_none_is_a_wrong_argument(port: str) -> None:
    result = run("serve", "--port", port)
    assert result.exit_code == 2
    assert "--port" in result.stderr


@pytest.mark.parametrize(
    ("words", "command"),
    [(words, one) for words, one in every_command(main) if not isinstance(one, click.Group)],
)
def test_every_command_shows_an_example_of_itself(words: str, command: click.Command) -> None:
    _, mark, example = (command.help or "").partition("Example")
    assert mark
    assert f"replycast {words}" in example
