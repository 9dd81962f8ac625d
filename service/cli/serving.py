"""`replycast serve`: runs the service until it is told to stop."""

import asyncio
import faulthandler
import sys
from pathlib import Path

import click

import service.cli.plain_structlog  # noqa: F401  before anything else imports structlog
from service.app.roles import ServeRole
from service.app.running import serve as serve_until_stopped
from service.cli import explaining
from service.cli.logs import LogForm, set_up_logs
from service.cli.options import USUAL_PORT, Whole, config_option, fail, load_or_exit, reason_of
from service.errors import ReplycastError
from service.outbox.fanning_out import new_event_loop


@click.command()
@config_option
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port",
    type=Whole(0, 65535),
    default=USUAL_PORT,
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
    config = load_or_exit(config_path, is_to_serve=True)
    for warning in config.warnings:
        click.echo(f"warning: {warning}", err=True)
    set_up_logs(LogForm(log_format))

    def ready(address: str) -> None:
        # should Python itself crash from now on, the log says in the midst of what
        faulthandler.enable()
        click.echo(f"listening on {address}")
        if config.mail is None:
            click.echo(explaining.where_to_look(address, config))
        sys.stdout.flush()

    try:
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            runner.run(serve_until_stopped(config, host=host, port=port, ready=ready, role=ServeRole(role)))
    except (ReplycastError, OSError) as error:
        fail(reason_of(error))
