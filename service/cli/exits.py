"""The exit code of every command, said once: `--help` shows it, and docs/cli.md is made of it."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

import click

ALWAYS: Final = "2 a wrong argument, or faults in config.yaml"
_REFUSED: Final = "0 done; 1 refused, and nothing was changed"

CODES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "accept-key": _REFUSED,
        "advise": "0",
        "backup": "0 written; 1 nothing was backed up",
        "check": "0 right; 2 faults, or warnings with --strict",
        "close": _REFUSED,
        "deliveries": "0",
        "demo": "0 only if it came out right; else 1",
        "discard": _REFUSED,
        "doctor": "0 nothing is broken; 1 something is",
        "doctor database": "0 nothing is broken; 1 something is",
        "doctor mail": "0 nothing is broken; 1 something is",
        "explain-reply": "0",
        "explain-webhook": "0; 2 an unknown provider",
        "export-page": "0 written; 1 it cannot be written",
        "hold": _REFUSED,
        "inbox list": "0",
        "inbox show": "0; 1 there is none of this number",
        "incidents list": "0",
        "incidents show": "0; 1 there is none of this number",
        "init": "0 written; 2 nothing was written",
        "maintenance cancel": _REFUSED,
        "maintenance list": "0",
        "maintenance plan": _REFUSED,
        "move-database": "0 copied; 1 nothing was copied",
        "publish": f"{_REFUSED}, or the question was not answered with yes",
        "replay": "0 done; 1 none was replayed",
        "restore": "0 done; 1 nothing was restored; 2 the database is not SQLite, or faults in config.yaml",
        "schema": "0",
        "send-test mail": "0 the relay took it; 1 it did not",
        "send-test webhook": "0 the service took it; 1 it did not",
        "serve": "0 stopped by a signal; 1 it could not run",
        "simulate": "0",
        "subscribers add": "0 added; 1 it is known already, and nothing was changed; 2 no address that can be used",
        "subscribers add-webhook": "0 added; 2 the URL cannot be used",
        "subscribers export": "0",
        "subscribers import": "0 imported; 2 a bad line, and nothing was imported",
        "subscribers list": "0",
        "token create": "0",
        "token list": "0",
        "token revoke": "0; 1 there is none of this name",
        "update": _REFUSED,
    }
)


def every_command(group: click.Group, above: str = "") -> Iterator[tuple[str, click.Command]]:
    """Give every command that does something, by the words that are typed, in the order of the alphabet."""
    context = click.Context(group)
    for name in group.list_commands(context):
        if (command := group.get_command(context, name)) is not None:
            yield from _with_those_below(f"{above}{name}", command)


def _with_those_below(words: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    if not isinstance(command, click.Group) or command.invoke_without_command:
        yield words, command
    if isinstance(command, click.Group):
        yield from every_command(command, f"{words} ")


def in_words(words: str) -> str:
    """Say the exit codes of a command; raises KeyError where nobody wrote them down."""
    said = CODES[words]
    return said if "; 2 " in said else f"{said}; {ALWAYS}"


def tell_in_help(words: str, command: click.Command) -> None:
    """Let `--help` of a command and those below it end with the exit codes; one that has none says nothing."""
    for typed, one in _with_those_below(words, command):
        if typed in CODES:
            one.epilog = f"Exit code: {in_words(typed)}."
