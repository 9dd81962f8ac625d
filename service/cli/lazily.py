"""A group of commands that imports only the one that is typed: to import all of them takes longer than most work.

What stands in its list of commands is said here, so that `--help` imports none.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import click

from service.cli.exits import tell_in_help


@dataclass(frozen=True, slots=True)
class Place:
    """Where a command stands: under its own name, with `_` for `-`."""

    module: str
    """Of `service.cli`."""
    about: str
    """The first sentence of its help."""


class LazyGroup(click.Group):
    """Knows its commands by their places; each is imported when it is asked for, and kept."""

    def __init__(self, *args: Any, places: Mapping[str, Place], **kwargs: Any) -> None:  # noqa: ANN401  click's own
        super().__init__(*args, **kwargs)
        self.places = places

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name all commands in the order of the alphabet."""
        del ctx
        return sorted(self.places)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command; None where there is none of this name."""
        if cmd_name in self.places and cmd_name not in self.commands:
            self.add_command(_imported(cmd_name, self.places[cmd_name]), cmd_name)
        return super().get_command(ctx, cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands as click does, without importing them."""
        names = self.list_commands(ctx)
        room = formatter.width - 6 - max(len(name) for name in names)
        rows = [(name, _shortened(self.places[name].about, room)) for name in names]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def _shortened(about: str, room: int) -> str:
    return click.Command(None, help=about).get_short_help_str(room)


def _imported(words: str, place: Place) -> click.Command:
    command: click.Command = getattr(import_module(f"service.cli.{place.module}"), words.replace("-", "_"))
    tell_in_help(words, command)
    return command
