"""`replycast COMMAND`: all commands together, and the few that stand here: serve, schema, explain-…, demo."""

import asyncio
import sys
from pathlib import Path
from textwrap import indent
from typing import BinaryIO

import click
import orjson

from service.app.roles import ServeRole
from service.app.running import serve as serve_until_stopped
from service.app.running import wall_clock
from service.cli import explaining
from service.cli.backing_up import backup, restore
from service.cli.checking import check
from service.cli.deliveries import deliveries
from service.cli.demo import play
from service.cli.doctoring import doctor
from service.cli.exits import tell_in_help
from service.cli.exporting import export_page
from service.cli.inbox import inbox, replay
from service.cli.incidents import incidents
from service.cli.logs import LogForm, set_up_logs
from service.cli.mail_words import mail_in_words
from service.cli.maintaining import maintenance
from service.cli.moving import move_database
from service.cli.options import FAULTY, config_option, fail, json_option, load_or_exit, print_json
from service.cli.orders import ORDERS
from service.cli.post_words import post_in_words
from service.cli.setting_up import init
from service.cli.simulating import advise, simulate
from service.cli.subscribers import subscribers
from service.cli.tokens import token
from service.cli.trying import send_test
from service.config.json_schema import shipped
from service.errors import ConfigFaulty, PermanentFault, ReplycastError
from service.outbox.fanning_out import new_event_loop


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="replycast")
def main() -> None:
    """Turn monitoring webhooks into incidents that an employee publishes by answering an e-mail."""


@main.command()
@config_option
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8080,
    show_default=True,
    help="The port; 0 takes a free one.",
)
@click.option(
    "--role",
    type=click.Choice([role.value for role in ServeRole]),
    default=ServeRole.ALL.value,
    show_default=True,
    help="On PostgreSQL the service can be split. web takes posts and serves pages; "
    "worker decides, sends and takes in mails.",
)
@click.option(
    "--log-format",
    type=click.Choice([form.value for form in LogForm]),
    envvar="REPLYCAST_LOG_FORMAT",
    default=LogForm.AUTO.value,
    show_default=True,
    help="What the log on standard error looks like; auto: for people on a terminal, JSON elsewhere.",
)
def serve(config_path: Path, host: str, port: int, role: str, log_format: str) -> None:
    """Run the service until SIGTERM or Ctrl-C.

    \b
    Example:
      replycast serve --config config.yaml --port 8080
    """  # noqa: D301  click's mark for lines that it must not wrap
    config = load_or_exit(config_path)
    for warning in config.warnings:
        click.echo(f"warning: {warning}", err=True)
    set_up_logs(LogForm(log_format))

    def ready(address: str) -> None:
        click.echo(f"listening on {address}")
        if config.mail is None:
            click.echo(explaining.where_to_look(address, config))
        sys.stdout.flush()

    try:
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            runner.run(serve_until_stopped(config, host=host, port=port, ready=ready, role=ServeRole(role)))
    except (ReplycastError, OSError) as error:
        fail(str(error))


@main.command()
def schema() -> None:
    """Print the JSON Schema of config.yaml, by which editors complete and check it.

    \b
    Example:
      replycast schema > config.schema.json
      # and as config.yaml's first line:
      # yaml-language-server: $schema=config.schema.json
    """  # noqa: D301  as above
    click.echo(shipped(), nl=False)


@main.command("explain-webhook")
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
    """  # noqa: D301  as above
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


@main.command("explain-reply")
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
    """
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
            fail(str(error), FAULTY)
        if as_json:
            click.echo(orjson.dumps(explained))
            continue
        said = mail_in_words(explained, reader.authenticity.policy)
        click.echo(f"{path}:\n{indent(said, '  ')}\n" if len(mails) > 1 else said)


@main.command()
def demo() -> None:
    """Play the whole story against a service of its own, narrating; exit 0 only if it came out right."""
    sys.exit(play(click.echo))


main.add_command(maintenance)
main.add_command(export_page)
main.add_command(move_database)
main.add_command(subscribers)
main.add_command(deliveries)
main.add_command(token)
main.add_command(simulate)
main.add_command(advise)
main.add_command(init)
main.add_command(check)
main.add_command(doctor)
main.add_command(backup)
main.add_command(restore)
main.add_command(incidents)
main.add_command(inbox)
main.add_command(replay)
main.add_command(send_test)
for order in ORDERS:
    main.add_command(order)
tell_in_help(main)
