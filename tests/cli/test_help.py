"""What a person reads who asks for help."""

import re

import pytest

from service.cli import main
from tests.cli.running import run

EXAMPLES = {
    "serve": "  Example:\n    replycast serve --config config.yaml --port 8080\n",
    "explain-webhook": (
        "  Example:\n"
        """    echo '{monitorName: "Email Server", state: "CRITICAL"}' | replycast explain-webhook victorops\n"""
    ),
}


@pytest.mark.parametrize("command", sorted(main.commands))
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


def test_all_commands_are_listed_with_what_they_do() -> None:
    listed = run("--help").output.partition("Commands:")[2]
    assert [line.split()[0] for line in listed.strip().splitlines()] == sorted(main.commands)


def test_the_version_is_told() -> None:
    assert re.fullmatch(r"replycast, version \d+\.\d+\.\d+\n", run("--version").output)


@pytest.mark.parametrize("port", ["-1", "65536", "http"])
def test_a_port_that_is_none_is_a_wrong_argument(port: str) -> None:
    result = run("serve", "--port", port)
    assert result.exit_code == 2
    assert "--port" in result.stderr
