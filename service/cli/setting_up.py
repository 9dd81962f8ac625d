"""`replycast init`: asks, or takes by options, what a first config.yaml needs; writes it; says what to do next."""

import os
import secrets
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from service.cli.archive import written_whole
from service.cli.asking import answers_of
from service.cli.first_config import (
    IMAP_PASSWORD_FILE,
    SECRET_FILE,
    SMTP_PASSWORD_FILE,
    Webhook,
    webhooks_to_paste,
    write_config,
)
from service.cli.options import (
    FAULTY,
    USUAL_PORT,
    Whole,
    config_option,
    fail,
    json_option,
    listed,
    print_json,
    reason_of,
)
from service.config import Config, Security, parse
from service.config.json_schema import shipped
from service.config.secret_files import read_secret_file
from service.config.values import is_loopback_host
from service.errors import ConfigFaulty


@click.command()
@config_option
@json_option
@click.option("--site-name", help="What the status page is called.")
@click.option("--url", help="The address at which readers reach it.")
@click.option(
    "--timezone", help="In which times are shown; left out: UTC, or on a terminal what is answered."
)
@click.option("--admin-name", help="The first admin's name.")
@click.option("--admin-email", help="The first admin's e-mail address.")
@click.option("--monitor", help="What the first monitor is called in VictorOps.")
@click.option(
    "--component",
    default="",
    help="What it is about, as the page shows it; left out: the monitor's name, if that is no pattern.",
)
@click.option("--sandbox", is_flag=True, help="No mail server yet: the mail sandbox takes all mails.")
@click.option("--from", "sender", help="What mails come from, as 'Acme Status <status@acme.example>'.")
@click.option("--smtp-host", help="The relay that takes outgoing mail.")
@click.option("--smtp-port", type=Whole(1, 65535), help="Left out: the usual one.")
@click.option(
    "--smtp-security",
    type=click.Choice([one.value for one in Security]),
    default=Security.STARTTLS.value,
    show_default=True,
    help="How the way to the relay is protected.",
)
@click.option("--smtp-username", help=f"Its password is read from {SMTP_PASSWORD_FILE} beside config.yaml.")
@click.option("--imap-host", help="The IMAP server of the mailbox that replies arrive in.")
@click.option("--imap-port", type=Whole(1, 65535), help="Left out: the usual one.")
@click.option(
    "--imap-security",
    type=click.Choice([one.value for one in Security]),
    default=Security.TLS.value,
    show_default=True,
    help="How the way to the mailbox is protected.",
)
@click.option("--imap-username", help=f"Its password is read from {IMAP_PASSWORD_FILE} beside config.yaml.")
@click.option(
    "--force", is_flag=True, help="Replace a config.yaml that exists; the webhook's secret is kept."
)
def init(config_path: Path, *, force: bool, as_json: bool, **given: Any) -> None:  # noqa: ANN401  click's options
    """Write a first config.yaml, and print the two webhooks to paste into VictorOps.

    On a terminal it asks for what no option says, and asks again where an answer cannot be used. The webhook's
    secret is made up and kept in a file of its own, readable by its owner alone. Where something does not fit,
    nothing is written.

    \b
    Example:
      replycast init --sandbox --site-name "Acme Status" --url http://127.0.0.1:8080 \\
        --admin-name "Jordan Ray" --admin-email jordan@acme.example --monitor "Email Server"
    """  # noqa: D301  click's mark for lines that it must not wrap
    if config_path.exists() and not force:
        fail(f"{config_path} exists: edit it, or let --force replace it", FAULTY)
    folder = config_path.absolute().parent
    is_asking = has_terminal() and not as_json
    answers, passwords = answers_of(given, is_asking=is_asking)
    schema = f"{config_path.stem}.schema.json"
    text = write_config(answers, schema=schema)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        config, secret = _write(config_path, text, {schema: shipped()}, passwords)
    except ConfigFaulty as error:
        for fault in error.faults:
            click.echo(str(fault), err=True)
        fail("nothing was written", FAULTY)
    except (OSError, ValueError) as error:
        fail(f"nothing was written: {reason_of(error)}")
    _tell(config, webhooks_to_paste(config.site.url, secret), schema, as_json=as_json)


def has_terminal() -> bool:
    """Whether there is somebody to ask."""
    return sys.stdin.isatty()


def _write(
    path: Path, text: str, open_files: Mapping[str, bytes], passwords: Mapping[str, str]
) -> tuple[Config, str]:
    """Write all files, or none where config.yaml would not be right; raises ConfigFaulty, OSError, ValueError."""
    folder, made = path.absolute().parent, list[Path]()
    kept = folder / SECRET_FILE
    secret = read_secret_file(kept) if kept.exists() else secrets.token_urlsafe(32)
    try:
        for name, content in {SECRET_FILE: secret, **passwords}.items():
            _put(folder / name, f"{content}\n".encode(), made.append)
        config = parse(text, path, os.environ, is_to_serve=True)
        for name, body in open_files.items():
            _put(folder / name, body, made.append)
            (folder / name).chmod(0o644)
        _put(path.absolute(), text.encode(), made.append)
    except BaseException:
        for file in made:
            file.unlink(missing_ok=True)
        raise
    return config, secret


def _put(path: Path, body: bytes, note: Callable[[Path], None]) -> None:
    is_new = not path.exists()
    with written_whole(path) as part:
        part.write_bytes(body)
    if is_new:
        note(path)


def _port_option(url: str) -> str:
    """Give what `serve` must be told so that it listens where the URL leads; behind a proxy, that is not known here."""
    parts = urlsplit(url)
    is_served = parts.scheme == "http" and is_loopback_host(parts.hostname or "")
    return f" --port {parts.port}" if is_served and parts.port not in {None, USUAL_PORT} else ""


def _tell(config: Config, pasted: tuple[Webhook, ...], schema: str, *, as_json: bool) -> None:
    following = f"replycast serve --config {config.path}{_port_option(config.site.url)}"
    if as_json:
        print_json(
            {
                "config": str(config.path),
                "secret_file": SECRET_FILE,
                "schema": schema,
                "warnings": listed(config.warnings),
                "webhooks": [asdict(one) for one in pasted],
                "next": following,
            }
        )
        return
    for warning in config.warnings:
        click.echo(f"{warning} (warning)")
    click.echo(f"{config.path}: right. Its secret is in {SECRET_FILE}, its schema for editors in {schema}.\n")
    click.echo("In VictorOps (Integrations, Outgoing Webhooks) add these two:")
    for one in pasted:
        click.echo(
            f"\n  Event         {one.event}\n  Method        {one.method}\n  Content type  {one.content_type}"
        )
        click.echo(f"  To            {one.url}\n  Payload")
        click.echo("\n".join(f"    {line}" for line in one.payload.splitlines()))
    click.echo(f"\nNext: {following}")
