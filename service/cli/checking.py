"""`replycast check`: every fault of config.yaml, and what is probably not meant so; `schema`, by which editors check.

It reads the database where there is one, and changes nothing.
"""

import os
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import click

from service.actions.lost_choices import lost_choices
from service.actions.monitor_health import examine
from service.app import wall_clock
from service.cli.looking import looking
from service.cli.options import FAULTY, config_option, fail, json_option, listed, print_json
from service.config import Config, load
from service.config.document import Document, Keys
from service.config.json_schema import shipped
from service.config.yaml_text import read_document
from service.errors import ConfigFaulty, Fault, MachineExhausted, StoreUnavailable
from service.mail.words import conflicts
from service.store.database import is_empty


@click.command()
@config_option
@json_option
@click.option("--strict", is_flag=True, help="Let warnings count as faults.")
@click.option(
    "--no-database", is_flag=True, help="Look at the file alone, and not at what was received so far."
)
def check(config_path: Path, *, strict: bool, no_database: bool, as_json: bool) -> None:
    """Say whether config.yaml is right: exit 0, or 2 and every fault as FILE:LINE:COLUMN: text.

    Warns of what works, but is probably not meant so. Where there is a database, it tells which monitors fire and
    never recover (the second webhook is missing), which names were received that no monitor takes, and which
    components subscribers chose that there are no longer.

    \b
    Example:
      replycast check --strict
    """  # noqa: D301  click's mark for lines that it must not wrap
    try:
        config = load(config_path, os.environ, is_to_serve=True)
    except ConfigFaulty as error:
        if as_json:
            print_json({"ok": False, "faults": listed(error.faults), "warnings": []})
        else:
            for fault in error.faults:
                click.echo(str(fault))
        sys.exit(FAULTY)
    except MachineExhausted as error:
        fail(str(error))
    warnings = _all_warnings(config, wall_clock(), with_database=not no_database)
    if as_json:
        print_json({"ok": True, "faults": [], "warnings": listed(warnings)})
    else:
        for warning in warnings:
            click.echo(f"{warning} (warning)")
        verdict = "right"
        if strict and warnings:
            verdict = f"not right with --strict: {_count(len(warnings), 'warning')}"
        click.echo(
            f"{config_path}: {verdict}; {_count(len(config.monitors), 'monitor')}, "
            f"{_count(len(config.employees), 'employee')}"
        )
    if strict and warnings:
        sys.exit(FAULTY)


@click.command()
def schema() -> None:
    """Print the JSON Schema of config.yaml, by which editors complete and check it.

    \b
    Example:
      replycast schema > config.schema.json
      # and as config.yaml's first line:
      # yaml-language-server: $schema=config.schema.json
    """  # noqa: D301  click's mark for lines that it must not wrap
    click.echo(shipped(), nl=False)


def _all_warnings(config: Config, now: datetime, *, with_database: bool) -> tuple[Fault, ...]:
    """Give all of them in the order of the file, each once."""
    document, _ = read_document(config.path.read_text(), str(config.path))
    found = [*config.warnings, *_placed(document, _of_file(config))]
    if with_database:
        found += _placed(document, _of_the_past(config, now))
    return tuple(sorted(dict.fromkeys(found), key=lambda one: (one.line, one.column)))


def _placed(document: Document, found: Iterator[tuple[Keys, str]]) -> Iterator[Fault]:
    return (document.fault(keys, text, at_key=True) for keys, text in found)


def _of_file(config: Config) -> Iterator[tuple[Keys, str]]:
    for conflict in conflicts(config.replies.languages, config.replies.words):
        yield ("replies",), conflict
    for at, monitor in enumerate(config.monitors):
        if monitor.auto_publish and not monitor.notify_employees:
            text = "it publishes by itself, and no employee hears of it: name somebody in `notify_employees`"
            yield ("monitors", at, "auto_publish"), text


def _of_the_past(config: Config, now: datetime) -> Iterator[tuple[Keys, str]]:
    try:
        with looking(config) as connection:
            if connection is None or is_empty(connection):
                return
            health = examine(connection, config, now)
            lost = lost_choices(connection, config)
    except StoreUnavailable as error:
        yield ("database",), f"what was received so far could not be looked at: {error}"
        return
    for at, one in enumerate(health.monitors):
        for problem in one.problems:
            yield ("monitors", at, "alert_name"), problem
    for name in health.unmatched:
        if not name.near and not name.elsewhere:
            unheard = name.in_words.rstrip(".")
            yield ("monitors",), f"{unheard}: add one, or `*`, which takes what no other does"
    for choice in lost:
        yield ("components",), choice.in_words


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
