"""`replycast explain-reply`: what mails would be taken for, however many and however hostile."""

import json
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path

import pytest

from service.cli.mail_words import mail_in_words
from service.config.settings import Policy
from service.mail.replies import ReplyReason
from service.mail.tokens import message_id
from service.mail.words import Command
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
    blocks = in_words.removesuffix("\n\n").split("\n\n")
    assert [block.splitlines()[0] for block in blocks] == [f"{tmp_path / name}:" for name in texts]
    assert all(line.startswith("  ") for block in blocks for line in block.splitlines()[1:])


@pytest.mark.parametrize(
    "raw", [b"", b"\x00" * 1_000, b"\xff\xfe", b"From: <[a\nMessage-ID: <[a\n\npublish", hostile()]
)
def test_a_hostile_mail_is_explained_and_orders_nothing(raw: bytes, no_config: tuple[str, Path]) -> None:
    said = run_json("explain-reply", *no_config, stdin=raw)
    assert set(said) == KEYS
    assert said["command"] is None


def test_what_cannot_be_read_in_words(no_config: tuple[str, Path]) -> None:
    reason, outcome = run("explain-reply", *no_config, stdin=hostile()).stdout.splitlines()
    assert reason == "reason  unreadable"
    assert outcome.startswith("Nothing would be done: it cannot be read")


def test_what_was_found_is_listed_for_a_person_and_what_would_happen_is_said(
    no_config: tuple[str, Path],
) -> None:
    said = run("explain-reply", *no_config, stdin=a_reply("publish INC-1\n\n> earlier")).stdout
    assert said == (
        "reason      command_read\n"
        "sender      jordan@acme.example\n"
        "authentic   unknown\n"
        "evidence    no authserv_id is configured, and no DKIM signature of acme.example\n"
        "written by  a person\n"
        f"token       {TOKEN}\n"
        "command     publish\n"
        "argument    INC-1\n"
        "new text    publish INC-1\n"
        "It would publish the incident, if its token is that of a notification to jordan@acme.example which can"
        " still be answered.\n"
    )


CONDITION = "if its token is that of a notification to jordan@acme.example which can still be answered"
BELIEVED = {
    "sender": "jordan@acme.example",
    "authentic": "yes",
    "command": "publish",
    "reason": "command_read",
}
FOUND = {"automatic": False, "bounce": False, "token": TOKEN, "argument": "", "new_text": "", **BELIEVED}


@pytest.mark.parametrize(
    ("changes", "policy", "outcome"),
    [
        ({}, Policy.REQUIRE, f"It would publish the incident, {CONDITION}."),
        ({"authentic": "unknown"}, Policy.TOKEN_ONLY, f"It would publish the incident, {CONDITION}."),
        (
            {"command": "help", "authentic": "unknown"},
            Policy.REQUIRE,
            "It would be answered with the commands",
        ),
        (
            {"command": "update", "authentic": "unknown"},
            Policy.REQUIRE,
            f"It would be asked back, {CONDITION}: nothing",
        ),
        (
            {"authentic": "no"},
            Policy.TOKEN_ONLY,
            "Nothing would be done: the mail server that is trusted says",
        ),
        (
            {"reason": "question", "command": None},
            Policy.REQUIRE,
            "Nothing would be done: its first line asks",
        ),
        (
            {"reason": "bounce", "automatic": True, "bounce": True, "authentic": "no", "command": None},
            Policy.REQUIRE,
            "Nothing would be done: it says that a mail of ours was not delivered",
        ),
        ({"reason": "unsubscribe", "token": None}, Policy.REQUIRE, "The subscription would end"),
    ],
)
def test_the_outcome_is_what_the_service_would_do(
    changes: dict[str, object], policy: Policy, outcome: str
) -> None:
    said = mail_in_words({**FOUND, **changes}, policy).splitlines()[-1]
    assert said.startswith(outcome)


@pytest.mark.parametrize("reason", ReplyReason)
@pytest.mark.parametrize("command", Command)
def test_there_is_a_sentence_for_whatever_a_mail_is_taken_for(reason: ReplyReason, command: Command) -> None:
    acts = reason in {ReplyReason.COMMAND_READ, ReplyReason.ANY_REPLY}
    found = {**FOUND, "reason": reason.value, "command": command.value if acts else None}
    said = mail_in_words(found, Policy.REQUIRE).splitlines()[-1]
    assert said.startswith("It would " if acts else "Nothing would be done: ")


def test_a_proven_mail_to_somebody_else_is_not_authentic_and_it_is_said_why(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(
        "site: {name: Acme, url: 'https://a.example'}\nmail:\n  from: status@acme.example\n"
        "  smtp: {host: a.example}\n  authenticity: {authserv_id: mx.acme.example}\n"
        "employees: []\ncomponents: []\nmonitors: []\n"
    )
    date = "Tue, 24 Nov 2026 09:00:00 +0000"
    proof = b"Authentication-Results: mx.acme.example; dmarc=pass header.from=acme.example\r\n"
    to_us = proof + a_reply(Date=date)
    to_another = to_us.replace(b"To: status@acme.example", b"To: lee@other.example").replace(
        b"In-Reply-To", f"Delivered-To: status+{TOKEN}@acme.example\nX-Was".encode()
    )
    assert run_json("explain-reply", "--config", path, stdin=to_us)["authentic"] == "yes"
    assert run_json("explain-reply", "--config", path, stdin=to_another)["authentic"] == "unknown"
    said = run("explain-reply", "--config", path, stdin=to_another).stdout
    assert (
        "evidence    dmarc=pass by mx.acme.example, but it is neither addressed to us nor an answer" in said
    )
    assert "nothing proves that jordan@acme.example wrote it as an answer to that notification" in said


def test_no_text_of_a_stranger_moves_the_cursor(no_config: tuple[str, Path]) -> None:
    said = run(
        "explain-reply", *no_config, stdin=a_reply("publish \x1b[2J now\r\nreason  command_read")
    ).stdout
    assert said.count("\n") == said.count("\r\n") + len(said.splitlines())
    assert "\x1b" not in said
    assert [line for line in said.splitlines() if line.startswith("reason")] == ["reason      not_exact"]


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
