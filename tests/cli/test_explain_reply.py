"""`replycast explain-reply`: what mails would be taken for, however many and however hostile."""

import json
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path

import pytest

from service.mail.tokens import message_id
from tests.cli.running import run, run_json

TOKEN = "a" * 26
KEYS = {"automatic", "bounce", "token", "sender", "authentic", "command", "argument", "new_text", "reason"}


def a_reply(text: str = "publish", **fields: str) -> bytes:
    mail = EmailMessage()
    mail["From"] = "Jordan Ray <jordan@acme.example>"
    mail["To"] = "status@acme.example"
    mail["Subject"] = "Re: [INC-1] Email is unavailable"
    mail["In-Reply-To"] = message_id("0" * 32, "acme.example", TOKEN)
    for name, value in fields.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(text)
    return mail.as_bytes()


def hostile() -> bytes:
    mail = EmailMessage()
    mail["From"] = "jordan@acme.example"
    for number in range(60):
        mail.add_attachment(f"part {number}")
    return mail.as_bytes()


@pytest.fixture
def no_config(tmp_path: Path) -> tuple[str, Path]:
    return "--config", tmp_path / "missing.yaml"


def test_a_mail_from_standard_input_needs_neither_file_nor_config(no_config: tuple[str, Path]) -> None:
    said = run_json("explain-reply", *no_config, stdin=a_reply("publish\n\n> earlier"))
    assert set(said) == KEYS
    assert said["authentic"] in {"yes", "no", "unknown"}
    wanted = {
        "automatic": False,
        "bounce": False,
        "token": TOKEN,
        "sender": "jordan@acme.example",
        "command": "publish",
        "argument": "",
        "reason": "command_read",
    }
    assert {name: said[name] for name in wanted} == wanted


def test_an_automatic_mail_orders_nothing(no_config: tuple[str, Path]) -> None:
    said = run_json("explain-reply", *no_config, stdin=a_reply(Auto_Submitted="auto-replied"))
    assert (said["automatic"], said["command"], said["reason"]) == (True, None, "automatic")


def test_our_own_address_is_taken_from_the_config(tmp_path: Path) -> None:
    own = "Acme Status <jordan@acme.example>"
    path = tmp_path / "config.yaml"
    path.write_text(
        f"site: {{name: Acme, url: 'https://a.example'}}\nmail: {{from: '{own}', smtp: {{host: a.example}}}}\n"
        "employees: []\ncomponents: []\nmonitors: []\n"
    )
    assert run("check", "--config", path).exit_code == 0
    assert run_json("explain-reply", "--config", path, stdin=a_reply())["reason"] == "automatic"


def test_several_files_give_one_object_a_line_in_their_order(
    tmp_path: Path, no_config: tuple[str, Path]
) -> None:
    texts = {"one.eml": a_reply("publish"), "two.eml": hostile(), "three.eml": a_reply("discard")}
    for name, raw in texts.items():
        (tmp_path / name).write_bytes(raw)
    result = run("explain-reply", *(tmp_path / name for name in texts), "--json", *no_config)
    assert result.exit_code == 0
    said = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(one["command"], one["reason"]) for one in said] == [
        ("publish", "command_read"),
        (None, "unreadable"),
        ("discard", "command_read"),
    ]
    assert all(set(one) == KEYS for one in said)
    in_words = run("explain-reply", *(tmp_path / name for name in texts), *no_config).stdout
    assert [f"{tmp_path / name}:" in in_words for name in texts] == [True] * 3


@pytest.mark.parametrize(
    "raw", [b"", b"\x00" * 1_000, b"\xff\xfe", b"From: <[a\nMessage-ID: <[a\n\npublish", hostile()]
)
def test_a_hostile_mail_is_explained_and_orders_nothing(raw: bytes, no_config: tuple[str, Path]) -> None:
    said = run_json("explain-reply", *no_config, stdin=raw)
    assert set(said) == KEYS
    assert said["command"] is None


def test_what_cannot_be_read_in_words(no_config: tuple[str, Path]) -> None:
    assert run("explain-reply", *no_config, stdin=hostile()).stdout.startswith("reason: unreadable\n")


@contextmanager
def few_files_may_be_open() -> Iterator[None]:
    """Lower the number of files that this process may open to a few more than it has open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    highest = max(int(entry.name) for entry in Path("/proc/self/fd").iterdir())
    resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 20, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_more_files_than_may_be_open_at_once_are_explained(
    tmp_path: Path, no_config: tuple[str, Path]
) -> None:
    mails = [tmp_path / f"{number}.eml" for number in range(60)]
    for mail in mails:
        mail.write_bytes(a_reply())
    with few_files_may_be_open():
        result = run("explain-reply", *mails, "--json", *no_config)
    assert result.exit_code == 0, result.output
    assert len(result.stdout.splitlines()) == len(mails)


def test_a_file_that_is_not_there_is_a_wrong_argument(tmp_path: Path, no_config: tuple[str, Path]) -> None:
    result = run("explain-reply", tmp_path / "missing.eml", *no_config)
    assert result.exit_code == 2
    assert "missing.eml" in result.stderr
