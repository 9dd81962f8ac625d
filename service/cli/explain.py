"""`replycast explain-webhook` and `explain-reply`: what a body or a mail would be taken for. They store nothing."""

import sys
from pathlib import Path
from textwrap import indent
from typing import BinaryIO

import click
import orjson

from service.app import wall_clock
from service.cli import explaining
from service.cli.mail_words import mail_in_words
from service.cli.options import FAULTY, config_option, fail, json_option, load_or_exit, print_json, reason_of
from service.cli.post_words import post_in_words
from service.errors import ConfigFaulty, PermanentFault


@click.command("explain-webhook")
@click.argument("provider")
@click.argument("body", type=click.File("rb"), default="-", metavar="[BODYFILE]")
@config_option
@click.option(
    "--content-type", default="application/json", show_default=True, help="As the post's Content-Type."
)
@click.option("--event", default="", help="As ?event= in the webhook's URL.")
@json_option
def explain_webhook(
    provider: str,
    body: BinaryIO,
    config_path: Path,
    content_type: str,
    event: str,
    *,
    as_json: bool,
) -> None:
    """Say what a webhook's body would be taken for; nothing is stored.

    \b
    Example:
      echo '{monitorName: "Email Server", state: "CRITICAL"}' | replycast explain-webhook victorops
    """  # noqa: D301  click's mark for lines that it must not wrap
    config = load_or_exit(config_path)
    query = {"event": event} if event else {}
    try:
        explained = explaining.explain_post(config, provider, body.read(), content_type, query)
    except PermanentFault as error:
        fail(str(error), FAULTY)
    if as_json:
        print_json(explained)
    else:
        click.echo(post_in_words(explained))


@click.command("explain-reply")
@click.argument(
    "mails",
    nargs=-1,
    # not click.File, which would open thousands of mails at once
    type=click.Path(exists=True, dir_okay=False, allow_dash=True),
    metavar="[EMLFILE]...",
)
@config_option
@json_option
def explain_reply(mails: tuple[str, ...], config_path: Path, *, as_json: bool) -> None:
    """Say what a mail would be taken for; no database is needed and nothing is stored.

    Without a file it is read from standard input. With --json, several files give one object a line.

    \b
    Example:
      replycast explain-reply answer.eml
    """  # noqa: D301  click's mark for lines that it must not wrap
    try:
        reader = explaining.ReplyReader.under(config_path)
    except ConfigFaulty as error:
        for fault in error.faults:
            click.echo(str(fault), err=True)
        sys.exit(FAULTY)
    for path in mails or ("-",):
        try:
            with click.open_file(path, "rb") as mail:
                explained = reader.explain(mail.read(), wall_clock())
        except OSError as error:
            fail(reason_of(error), FAULTY)
        if as_json:
            click.echo(orjson.dumps(explained.found))
            continue
        said = mail_in_words(explained.found, reader.authenticity.policy, explained.evidence)
        click.echo(f"{path}:\n{indent(said, '  ')}\n" if len(mails) > 1 else said)
