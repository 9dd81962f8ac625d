"""What several commands share: their options, exit codes, and how they fail."""

import os
import re
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, NoReturn

import click
import orjson

from service.config import Config, load
from service.config.spans import parse_span
from service.errors import ConfigFaulty, Fault, MachineExhausted

FAULTY = 2
"""Exit code where config.yaml has faults, or an argument is wrong."""
FAILED = 1
LAST = 2**63 - 1
"""The greatest number that a row can have."""
USUAL_PORT = 8080
"""Where `serve` listens unless it is told another."""
BESIDE_SERVICE = (
    "replycast: a running service goes on with the older file: decide on its dashboard, or mend the file"
)
"""Said where config.yaml has faults, to who may be in the middle of an incident."""

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


def load_or_exit(path: Path, *, is_to_serve: bool = False, is_beside_service: bool = False) -> Config:
    """Read config.yaml; where it has faults, print them and exit.

    `is_to_serve` is as for `load`. `is_beside_service`: say as well what can be done meanwhile where the service runs.
    """
    try:
        return load(path, os.environ, is_to_serve=is_to_serve)
    except ConfigFaulty as error:
        for fault in error.faults:
            click.echo(str(fault), err=True)
        if is_beside_service:
            click.echo(BESIDE_SERVICE, err=True)
        sys.exit(FAULTY)
    except MachineExhausted as error:
        fail(str(error))


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


class Whole(click.IntRange):
    """A whole number from `least`, up to `most` where there is a limit that a person needs to know."""

    def __init__(self, least: int, most: int = LAST) -> None:
        super().__init__(least, most)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:  # noqa: ANN401  click's
        """Read it; a default comes as it is."""
        try:
            return int(super().convert(value, param, ctx))
        except click.BadParameter:
            until = "or more" if self.max == LAST else f"to {self.max}"
            self.fail(f"`{value}` cannot be used: write a whole number, {self.min} {until}", param, ctx)


class Span(click.ParamType[timedelta]):
    """A span as config.yaml has them: 90m, 2h, 1d."""

    name = "span"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Read it; a default comes as it is."""
        try:
            return value if isinstance(value, timedelta) else parse_span(str(value))
        except ValueError as error:
            self.fail(f"`{value}` {error}", param, ctx)
