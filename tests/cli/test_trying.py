"""`replycast send-test`: by the way that real mails and posts go."""

import socket
from functools import partial
from pathlib import Path

import pytest
from anyio import to_thread

from service.mail.sandbox import Sandbox
from tests.cli.running import ON_THIS_MACHINE, run, run_json, start, write_config
from tests.rooms import CONFIG, OWN_ADDRESS

RELAY = """\
mail:
  from: "Acme Status <status@acme.example>"
  smtp: {{host: 127.0.0.1, port: {port}, security: none}}
"""


@pytest.mark.anyio
async def test_a_mail_goes_through_the_relay(tmp_path: Path) -> None:
    sandbox = await Sandbox.start(own_address=OWN_ADDRESS)
    try:
        config = write_config(tmp_path, CONFIG + RELAY.format(port=sandbox.smtp.port))
        send = partial(run, "send-test", "mail", "you@reader.example", "--config", config)
        result = await to_thread.run_sync(send)
        assert result.exit_code == 0, result.output
        assert result.stdout.startswith("127.0.0.1 took it for you@reader.example: 250")
        [mail] = sandbox.mails
        assert mail.recipient == "you@reader.example"
        assert b"Auto-Submitted: auto-generated" in mail.raw
    finally:
        await sandbox.stop()


@pytest.mark.parametrize(
    ("address", "more", "code", "said"),
    [
        ("you@reader.example", "", 1, "config.yaml has no `mail` section"),
        ("nobody", "", 2, "`nobody` is not an e-mail address"),
        ("you@reader.example", RELAY.format(port=1), 1, "127.0.0.1"),
    ],
)
def test_what_cannot_be_sent_is_said(tmp_path: Path, address: str, more: str, code: int, said: str) -> None:
    result = run("send-test", "mail", address, "--config", write_config(tmp_path, CONFIG + more))
    assert (result.exit_code, said in result.stderr) == (code, True), result.output
    assert "Errno" not in result.stderr


@pytest.mark.xdist_group("processes")
def test_a_webhook_is_taken_and_nobody_is_told(tmp_path: Path) -> None:
    config = write_config(tmp_path, ON_THIS_MACHINE + "webhooks: {victorops: {secret: hush}}\n")
    with start("serve", "--config", config, "--port", 0, folder=tmp_path) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().removeprefix("listening on ").strip()
            said = run_json("send-test", "webhook", "--url", url, "--config", config)
            assert (said["status"], said["answer"]) == (202, '{"id":1}')
            wrong = tmp_path / "wrong.yaml"
            wrong.write_text(config.read_text().replace("hush", "other"))
            refused = run("send-test", "webhook", "--url", url, "--config", wrong)
            assert (refused.exit_code, "refused it: 401" in refused.stderr) == (1, True)
            assert "other" not in refused.output
        finally:
            process.terminate()
            process.communicate(timeout=30)
    assert run("incidents", "list", "--config", config).stdout == "there is no such incident\n"


def test_a_service_that_does_not_answer_is_named(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        result = run("send-test", "webhook", "--url", url, "--config", write_config(tmp_path))
    assert result.exit_code == 1
    assert f"replycast: {url}/webhook/victorops does not answer: " in result.stderr
    assert "Errno" not in result.stderr
