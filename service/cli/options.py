"""What several commands share: their options, exit codes, and how they fail."""

import os
import re
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import NoReturn

import click
import orjson

from service.config import Config, load
from service.config.spans import parse_span
from service.errors import ConfigFaulty, Fault

FAULTY = 2
"""Exit code where config.yaml has faults, or an argument is wrong."""
FAILED = 1

config_option = click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path),
    envvar="REPLYCAST_CONFIG",
    default=Path("config.yaml"),
    show_default=True,
    help="The configuration file.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for a script to read.")


def load_or_exit(path: Path) -> Config:
    """Read config.yaml; where it has faults, print them and exit."""
    try:
        return load(path, os.environ)
    except ConfigFaulty as error:
        for fault in error.faults:
            click.echo(str(fault), err=True)
        sys.exit(FAULTY)


def listed(faults: Sequence[Fault]) -> list[dict[str, object]]:
    """Give faults as JSON."""
    return [{"file": one.file, "line": one.line, "column": one.column, "text": one.text} for one in faults]


def fail(said: str, code: int = FAILED) -> NoReturn:
    """Say in one sentence what is wrong, and exit."""
    click.echo(f"replycast: {said}", err=True)
    sys.exit(code)


def reason_of(error: Exception) -> str:
    """Give what an error says, without the number that the operating system has for it; never empty."""
    return re.sub(r"\[Errno -?\d+\] ", "", str(error)) or type(error).__name__


def print_json(value: object) -> None:
    """Print something for a script to read."""
    click.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2))


class Span(click.ParamType[timedelta]):
    """A span as config.yaml has them: 90m, 2h, 1d."""

    name = "span"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Read it; a default comes as it is."""
        try:
            return value if isinstance(value, timedelta) else parse_span(str(value))
        except ValueError as error:
            self.fail(f"`{value}` {error}", param, ctx)
