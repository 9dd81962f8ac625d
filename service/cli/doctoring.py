"""`replycast doctor`: examines what the service depends on, each thing for a limited time, one line each."""

import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

import click

from service.app import wall_clock
from service.cli.collector import examine_traces
from service.cli.doctor import Finding, State, examine_database, examine_mail
from service.cli.options import FAILED, config_option, json_option, load_or_exit, print_json
from service.cli.subscriber_choices import examine_choices
from service.cli.surroundings import (
    dns_texts,
    examine_certificate,
    examine_database_clock,
    examine_dns,
    examine_files,
    examine_mailbox,
    examine_public,
    examine_relay,
)
from service.config import Config

LONGEST: Final = 75.0
"""Seconds that one examination may take before it is given up; a relay may take sixty to greet us."""
_COLOURS: Final = {State.OK: "green", State.WARN: "yellow", State.BAD: "red"}

Examination = Callable[[], Iterator[Finding]]


@click.group(invoke_without_command=True)
@config_option
@json_option
@click.pass_context
def doctor(context: click.Context, config_path: Path, *, as_json: bool) -> None:
    """Examine what the service depends on: exit 1 if something is broken.

    Without a further word: files, database, clocks, subscribers, public address, certificate, mail servers and
    DNS. It changes and sends nothing; `doctor mail` sends a mail to itself and says more.

    \b
    Example:
      replycast doctor --config config.yaml
    """  # noqa: D301  click's mark for lines that it must not wrap
    if context.invoked_subcommand is not None:
        # what stands before the further word counts for it too
        context.default_map = {context.invoked_subcommand: {"config_path": config_path, "as_json": as_json}}
    else:
        _tell(_all(load_or_exit(config_path)), as_json=as_json)


@doctor.command("mail")
@config_option
@json_option
@click.option("--patience", default=60.0, show_default=True, help="Seconds to wait for the mail.")
def doctor_mail(config_path: Path, *, as_json: bool, patience: float) -> None:
    """Send a mail to our own plus-address and say what of it comes back: exit 1 if something is broken.

    \b
    Example:
      replycast doctor mail --patience 120
    """  # noqa: D301  click's mark for lines that it must not wrap
    config = load_or_exit(config_path)
    _tell(examine_mail(config, patience=patience, clock=wall_clock), as_json=as_json)


@doctor.command("database")
@config_option
@json_option
def doctor_database(config_path: Path, *, as_json: bool) -> None:
    """Say whether the database can be used, and keeps what it is given: exit 1 if something is broken.

    \b
    Example:
      replycast doctor database
    """  # noqa: D301  click's mark for lines that it must not wrap
    _tell(examine_database(load_or_exit(config_path)), as_json=as_json)


def _tell(findings: Iterable[Finding], *, as_json: bool) -> None:
    """Print each finding as soon as it is there, and exit by the worst of them."""
    told = []
    for finding in findings:
        told.append(finding)
        if not as_json:
            # click leaves the colour out where no terminal reads it
            state = click.style(f"{finding.state:5}", fg=_COLOURS[finding.state])
            click.echo(f"{state} {finding.name:24} {finding.text}")
    if as_json:
        print_json([{"name": one.name, "state": one.state, "text": one.text} for one in told])
    if any(finding.state is State.BAD for finding in told):
        sys.exit(FAILED)


def _all(config: Config) -> Iterator[Finding]:
    mail = config.mail
    examinations: list[tuple[str, Examination]] = [
        ("files", lambda: examine_files(config)),
        ("database", lambda: examine_database(config)),
        ("clock of the database", lambda: examine_database_clock(config, wall_clock)),
        ("subscribers", lambda: examine_choices(config)),
        ("public address", lambda: examine_public(config, wall_clock)),
        ("certificate", lambda: examine_certificate(config, wall_clock)),
        ("traces", lambda: examine_traces(os.environ)),
    ]
    if mail is not None:
        examinations += [
            ("smtp", lambda: examine_relay(mail, wall_clock)),
            ("imap", lambda: examine_mailbox(mail, wall_clock)),
            ("DNS", lambda: examine_dns(mail, dns_texts)),
        ]
    yield from together(examinations, LONGEST)
    if mail is None:
        yield Finding(
            "mail", State.WARN, "config.yaml has no `mail` section: the mail sandbox takes all mails"
        )


def together(examinations: Iterable[tuple[str, Examination]], longest: float) -> Iterator[Finding]:
    """Examine all at once, and give what was found in the order given; `longest` in seconds."""
    begun = [(name, _Running(examination)) for name, examination in examinations]
    for name, running in begun:
        running.join(longest)
        if running.fault is not None:
            raise running.fault
        if running.is_alive():
            yield Finding(name, State.BAD, f"no answer within {longest:.0f} s")
        else:
            yield from running.found


class _Running(threading.Thread):
    """One examination under way; one that hangs does not keep the process from ending."""

    def __init__(self, examination: Examination) -> None:
        super().__init__(daemon=True)
        self.found: list[Finding] = []
        self.fault: BaseException | None = None
        self._examination = examination
        self.start()

    def run(self) -> None:
        """Collect what is found."""
        try:
            self.found = list(self._examination())
        except BaseException as fault:  # noqa: BLE001  it is raised again where all is told
            self.fault = fault
