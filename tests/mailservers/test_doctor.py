"""`replycast doctor mail` against a real Postfix and Dovecot, well and broken."""

import json
from pathlib import Path

import pytest
from click.testing import Result

from tests.cli.running import run
from tests.mailservers.servers import MailServers
from tests.rooms import CONFIG

pytestmark = pytest.mark.mailservers


def examine(
    servers: MailServers, folder: Path, *, password: str | None = None, port: int | None = None
) -> Result:
    """Run the command over the mail servers."""
    own = servers.new_address()
    imap = servers.imap_for(own)
    secret = json.dumps(imap.password.reveal() if password is None else password)
    path = folder / "config.yaml"
    path.write_text(
        f"""\
mail:
  from: "Acme <{own}>"
  smtp: {{host: 127.0.0.1, port: {port or servers.smtp.port}, security: none}}
  imap: {{host: 127.0.0.1, port: {imap.port}, security: none, username: "{own}", password: {secret}}}
{CONFIG}"""
    )
    command = ["doctor", "mail", "--json", "--patience", "20", "--config", str(path)]
    return run(*command)


def test_a_healthy_mail_system_is_told_so(mail_servers: MailServers, tmp_path: Path) -> None:
    result = examine(mail_servers, tmp_path)
    states = {finding["name"]: finding["state"] for finding in json.loads(result.stdout)}
    assert result.exit_code == 0
    for name in (
        "imap login",
        "smtp",
        "arrival",
        "IDLE",
        "MOVE",
        "token in Delivered-To",
        "token in References",
    ):
        assert states[name] == "ok", name
    assert states["Authentication-Results"] == "warn", "nobody writes any here"


def test_a_wrong_password_is_named(mail_servers: MailServers, tmp_path: Path) -> None:
    result = examine(mail_servers, tmp_path, password="wrong")
    [finding] = json.loads(result.stdout)
    assert (result.exit_code, finding["name"], finding["state"]) == (1, "imap login", "bad")
    assert "wrong" not in finding["text"]


def test_a_relay_that_is_not_there_is_named(mail_servers: MailServers, tmp_path: Path) -> None:
    result = examine(mail_servers, tmp_path, port=9)
    assert result.exit_code == 1
    assert json.loads(result.stdout)[-1]["name"] == "smtp"
