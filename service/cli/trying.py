"""`replycast send-test`: one mail through the configured relay, one post to the running service.

What it sends is marked: the mail as automatic, the post with a state that is recorded and has no effect.
"""

import asyncio
import json
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, formataddr, make_msgid
from pathlib import Path
from typing import Final

import click
import httpx2

from service.app import wall_clock
from service.cli.options import FAULTY, config_option, fail, json_option, load_or_exit, print_json, reason_of
from service.config import Config, Mail
from service.config.form import DEFAULT_PROVIDER
from service.config.values import parse_email
from service.errors import ReplycastError
from service.mail.automatic import LOOP_FIELD
from service.mail.oauth import AccessTokens
from service.mail.smtp import open_session

PATIENCE: Final = 15.0
"""Seconds to wait for an answer of the service, or of the relay to each command."""
NO_EFFECT: Final = "INFO"
"""A state that is recorded, and neither fires nor recovers."""


@click.group("send-test")
def send_test() -> None:
    """Send a test mail or a test webhook, by the way that real ones go."""


@send_test.command("mail")
@click.argument("address")
@config_option
@json_option
def mail_command(address: str, config_path: Path, *, as_json: bool) -> None:
    """Send a mail to ADDRESS through the relay of config.yaml, and say what the relay answered.

    \b
    Example:
      replycast send-test mail you@acme.example
    """  # noqa: D301  click's mark for lines that it must not wrap
    config = load_or_exit(config_path)
    try:
        recipient = parse_email(address.strip())
    except ValueError as error:
        fail(f"`{address}` {error}", FAULTY)
    if config.mail is None:
        fail("config.yaml has no `mail` section: the sandbox is on, and no mail leaves this machine")
    raw = bytes(_mail(config.site.name, config.mail, recipient, wall_clock()))
    try:
        answer = asyncio.run(_hand_over(config.mail, recipient, raw, wall_clock()))
    except ReplycastError as error:
        fail(reason_of(error))
    if as_json:
        print_json({"to": recipient, "relay": config.mail.smtp.host, "answer": answer})
    else:
        click.echo(f"{config.mail.smtp.host} took it for {recipient}: {answer}")


@send_test.command("webhook")
@config_option
@json_option
@click.option("--url", default="", help="Where the service is reached; left out: `site.url` of config.yaml.")
@click.option("--monitor", "name", default="", help="The alert's name; left out: the first monitor's.")
@click.option("--state", default=NO_EFFECT, show_default=True, help="CRITICAL fires for real, OK recovers.")
def webhook_command(config_path: Path, url: str, name: str, state: str, *, as_json: bool) -> None:
    """Post as VictorOps would, with the secret of config.yaml, and say what the service answered.

    The state INFO is recorded and has no effect: nobody is told.

    \b
    Example:
      replycast send-test webhook --url http://127.0.0.1:8080
    """  # noqa: D301  as above
    config = load_or_exit(config_path)
    where = f"{(url or config.site.url).rstrip('/')}/webhook/{DEFAULT_PROVIDER}"
    body = json.dumps({"monitorName": name or _first_name(config), "state": state})
    secret = config.webhooks.get(DEFAULT_PROVIDER)
    headers = {"content-type": "application/json"}
    if secret:
        headers["x-replycast-secret"] = secret.reveal()
    try:
        answer = httpx2.post(where, content=body.encode(), headers=headers, timeout=PATIENCE)
    except (httpx2.HTTPError, httpx2.InvalidURL, UnicodeError) as error:
        fail(f"{where} does not answer: {reason_of(error)}")
    said = " ".join(answer.text.split())[:500]
    if as_json:
        print_json({"url": where, "status": answer.status_code, "answer": said})
    elif answer.status_code == httpx2.codes.ACCEPTED:
        click.echo(f"{where} took it: {answer.status_code} {said}")
    if answer.status_code != httpx2.codes.ACCEPTED:
        fail(f"{where} refused it: {answer.status_code} {said}")


def _first_name(config: Config) -> str:
    names = (name for monitor in config.monitors for name in monitor.alert_names if not set(name) & set("*?"))
    return next(names, "Replycast test")


def _mail(site: str, mail: Mail, recipient: str, now: datetime) -> EmailMessage:
    made = EmailMessage()
    made["From"] = formataddr((mail.sender_name, mail.sender_address))
    made["To"] = recipient
    made["Subject"] = f"A test mail of {site}"
    made["Date"] = format_datetime(now)
    made["Message-ID"] = make_msgid(domain=mail.sender_address.rpartition("@")[2])
    made["Auto-Submitted"] = "auto-generated"
    made[LOOP_FIELD] = "send-test"
    made.set_content(
        f"This mail was sent by `replycast send-test mail` of {site}. Nothing needs to be done.\n"
    )
    return made


async def _hand_over(mail: Mail, recipient: str, raw: bytes, now: datetime) -> str:
    tokens = AccessTokens(mail.smtp.oauth, username=mail.smtp.username) if mail.smtp.oauth else None
    async with open_session(mail.smtp, tokens=tokens, now=now, command_timeout=PATIENCE) as session:
        return await session.send(sender=mail.sender_address, recipient=recipient, message=raw)
