"""Every `replycast …` that stands in the documentation names a command and options that exist."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click
import pytest

from service.cli import main
from tests.docs.blocks import DOCS, ROOT, blocks_of

_FILES: Final = (ROOT / "README.md", *(file for file in sorted(DOCS.rglob("*.md")) if file.name != "cli.md"))
"""Without the reference, which is made from the commands themselves."""
_LANGUAGES: Final = {"", "sh", "text", "console"}
_QUOTED: Final = r"""\"[^"\n]*\"|'[^'\n]*'"""
_CALL: Final = re.compile(
    rf"(?:^ *|[;&|(] *|/bin/)replycast +(?P<words>[a-z-](?:{_QUOTED}|[^\n;&|>#])*)", re.MULTILINE
)
_CODE: Final = re.compile(r"`replycast (?P<words>[^`]+)`")


def _calls(markdown: str) -> Iterator[str]:
    """Give what stands behind each `replycast`, in blocks and in the prose."""
    for block in blocks_of(markdown):
        if block.language in _LANGUAGES:
            for found in _CALL.finditer(block.text.replace("\\\n", " ")):
                yield found["words"]
    for found in _CODE.finditer(markdown):
        yield found["words"]


_CALLS: Final = sorted({(file, words) for file in _FILES for words in _calls(file.read_text())})


@pytest.mark.parametrize(
    ("file", "words"), _CALLS, ids=lambda one: one.name if isinstance(one, Path) else one
)
def test_every_command_in_the_documentation_exists_with_its_options(file: Path, words: str) -> None:
    assert not _fault(words), file


@pytest.mark.parametrize("words", ["sandbox", "serve --retry 3", "incidents delete 3", "--loud"])
def test_a_made_up_command_or_option_is_found(words: str) -> None:
    assert _fault(words)


def test_commands_are_found_in_blocks_and_in_prose() -> None:
    block = "cd x && replycast serve --port 80 &\nreplycast publish 1 \\\n  --yes\nreplycast init --from '<a;b>' > c\n"
    said = f"Run `replycast check`.\n\n```sh\n{block}```\n"

    assert [words.split() for words in _calls(said)] == [
        ["serve", "--port", "80"],
        ["publish", "1", "--yes"],
        ["init", "--from", "'<a;b>'"],
        ["check"],
    ]


def _fault(words: str) -> str:
    """Say what of a command line does not exist, or ""; values are not looked at."""
    command: click.Command = main
    for word in shlex.split(re.sub(r"\$\([^)]*\)", "X", words)):
        if word.startswith("--"):
            name = word.partition("=")[0]
            if name not in {"--help", *(option for one in command.params for option in one.opts)}:
                return f"`{command.name}` has no {name}"
        elif isinstance(command, click.Group) and word != "…":
            found = command.get_command(click.Context(command), word)
            if found is None and not command.invoke_without_command:
                return f"there is no command {word}"
            command = found or command
    return ""
