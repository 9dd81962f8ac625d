"""Example mails of real clients, each with what it must be taken for, and the fields of a reply."""

import json
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from service.errors import MailUnreadable
from service.mail.authenticity import Judgement, Verdict
from service.mail.replies import Reply, ReplyReason, explain, explain_unreadable, read_reply
from service.mail.words import Command, vocabulary

MAILS = Path(__file__).parent / "eml"
EXPECTED: dict[str, dict[str, Any]] = json.loads((MAILS / "expected.json").read_text(encoding="utf-8"))
TOKEN = "mfrggzdfmztwq2lknnwg23tpob"
OTHER_TOKEN = "abcdefghijklmnopqrstuvwxyz"
PUBLIC_ID = "0123456789abcdef0123456789abcdef"
NOT_JUDGED = Judgement(Verdict.UNKNOWN, "nobody was asked")


def read(raw: bytes | str, language: str = "en", *, anything: bool = False) -> Reply:
    body = raw if isinstance(raw, bytes) else raw.encode()
    return read_reply(
        body,
        own_address="status@acme.example",
        instance_id="acme-1",
        vocabulary=vocabulary([language], {}),
        any_reply_publishes=anything,
    )


def seen(reply: Reply) -> dict[str, Any]:
    """Give what the table of examples may name, beyond what `explain` says."""
    return explain(reply, NOT_JUDGED) | {
        "status": reply.status,
        "span_minutes": reply.span and reply.span / timedelta(minutes=1),
        "edit": asdict(reply.edit) if reply.edit else None,
        "sign": reply.automatic_sign,
    }


def mail(text: str = "publish", *fields: str) -> str:
    header = [f"To: status+{TOKEN}@acme.example", *fields]
    if not any(field.lower().startswith("from:") for field in fields):
        header.insert(0, "From: Jordan Ray <jordan@ACME.example>")
    return "\r\n".join([*header, "", text])


def test_every_example_is_in_the_table() -> None:
    assert {path.stem for path in MAILS.glob("*.eml")} == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_an_example_is_taken_for_what_it_is(name: str) -> None:
    wanted: dict[str, Any] = {"token": TOKEN, "language": "en", "any_reply": False} | EXPECTED[name]
    language, anything = wanted.pop("language"), wanted.pop("any_reply")
    reply = read((MAILS / f"{name}.eml").read_bytes(), language, anything=anything)
    if reply.bounce:
        wanted.pop("token")
    assert {key: seen(reply)[key] for key in wanted} == wanted


@pytest.mark.parametrize("name", EXPECTED)
def test_an_example_reads_the_same_with_the_line_ends_of_smtp(name: str) -> None:
    raw = (MAILS / f"{name}.eml").read_bytes()
    assert read(raw.replace(b"\n", b"\r\n")) == read(raw)


def test_a_plain_reply_is_read_whole() -> None:
    raw = mail(
        "Publish INC-12.\r\n\r\nIt is real.\r\n",
        "Subject: =?utf-8?q?Re=3A_=5BINC-12=5D_M=C3=BCll?=",
        "Message-ID: <a@b.example>",
        f"References: <x@y.example>\t<{TOKEN}.{PUBLIC_ID}@acme.example>",
    )
    assert read(raw) == Reply(
        automatic=False,
        automatic_sign="",
        bounce=False,
        tokens=(TOKEN,),
        token=TOKEN,
        sender="jordan@acme.example",
        sender_fault="",
        command=Command.PUBLISH,
        argument="INC-12",
        incident_number=12,
        span=None,
        status=None,
        text="",
        edit=None,
        subject_tag=12,
        first_line="Publish INC-12.",
        new_text="Publish INC-12.\n\nIt is real.",
        reason=ReplyReason.COMMAND_READ,
        message_id="<a@b.example>",
        references=("<x@y.example>", f"<{TOKEN}.{PUBLIC_ID}@acme.example>"),
        subject="Re: [INC-12] Müll",
    )


@pytest.mark.parametrize(
    "message_id",
    ["<[a", "<>", "<a>", "a@b", "<a@b", "<a b@c>", "<a@b>\u00e9", "<" + "a" * 300 + "@b>", "<a@b@c>\x00"],
)
def test_an_unsound_message_id_is_not_answered(message_id: str) -> None:
    assert read(mail("publish", f"Message-ID: {message_id}")).message_id is None


def test_the_last_twenty_references_are_kept() -> None:
    raw = mail("publish", "References: " + "\r\n ".join(f"<{number}@x.example>" for number in range(300)))
    assert read(raw).references == tuple(f"<{number}@x.example>" for number in range(280, 300))


def test_in_reply_to_stands_in_for_missing_references() -> None:
    assert read(mail("publish", "In-Reply-To: <a@x.example>")).references == ("<a@x.example>",)


def test_what_was_read_is_shown_cut_and_harmless() -> None:
    reply = read(mail("\x1b[31mred\u202e " + "word " * 40))
    assert reply.first_line == ("[31mred " + "word " * 40)[:80]


def test_a_subject_is_one_line_without_control_characters() -> None:
    assert read(mail("", "Subject: =?utf-8?q?a=0D=0ABcc=3A_x=07?=")).subject == "a Bcc: x"


@pytest.mark.parametrize(
    ("from_field", "fault"),
    [
        ("From: jordan@acme.example <evil@x.example>", "malformed"),
        ("From: Jordan <jordan@acme.example> <evil@x.example>", "malformed"),
        ("From: jordan@acme.example, evil@x.example", "2 addresses"),
        ("From: team: jordan@acme.example;", "group"),
        ("From: undisclosed-recipients:;", "0 addresses"),
        ("From: jordan", "malformed"),
        ("From: <>", "malformed"),
        ("From: ", "0 addresses"),
        ("From: jordan@acme.example\x00@x.example", "malformed"),
        ("From: <@relay.example:jordan@acme.example>", "malformed"),
        ("From: jordan@acme.example\r\nFrom: jordan@acme.example", "2 From fields"),
        ("From: jordan@acme.example\r\nFROM: evil@x.example", "2 From fields"),
        ("From: " + "(" * 1000 + ")" * 1000 + " jordan@acme.example", "cannot be read"),
        ("From: " + "a" * 3000 + " <jordan@acme.example>", "longer"),
    ],
)
def test_an_unclear_sender_never_orders(from_field: str, fault: str) -> None:
    reply = read(mail("publish", from_field))
    assert (reply.sender, reply.command, reply.reason) == (None, None, ReplyReason.SENDER_UNCLEAR)
    assert fault in reply.sender_fault


def test_a_mail_without_from_has_no_sender() -> None:
    assert read("To: status@acme.example\n\npublish").sender_fault == "there is no From"


@pytest.mark.parametrize(
    "from_field",
    [
        "From: jordan@acme.example",
        "From: <jordan@ACME.example>",
        'From: "Ray, Jordan" <jordan@acme.example>',
        "From: Jordan R. Ray <jordan@acme.example>",
        "From: =?utf-8?q?J=C3=B6rdan?= <jordan@acme.example>",
        "From: Jördan <jordan@acme.example>",
        "From: Jordan (on call) <jordan@acme.example>",
        "From: Jordan\r\n <jordan@acme.example>",
        'From: "evil@x.example" <jordan@acme.example>',
    ],
)
def test_a_sound_sender_is_read(from_field: str) -> None:
    reply = read(mail("publish", from_field))
    assert (reply.sender, reply.command) == ("jordan@acme.example", Command.PUBLISH)


def test_a_bounce_is_named_before_all_else() -> None:
    raw = "Subject: Undelivered Mail\nX-Failed-Recipients: a@x.example\n\npublish"
    assert read(raw).reason is ReplyReason.BOUNCE


def test_an_automatic_mail_is_named_before_an_unclear_sender() -> None:
    assert read("Auto-Submitted: auto-replied\n\npublish").reason is ReplyReason.AUTOMATIC


def test_a_command_without_token_is_read_but_says_so() -> None:
    reply = read("From: jordan@acme.example\nSubject: [INC-12]\n\npublish")
    assert (reply.command, reply.reason, reply.token) == (Command.PUBLISH, ReplyReason.NO_TOKEN, None)


@pytest.mark.parametrize("words", ["update: St\xf6rung bei M\xfcller", "subject: St\xf6rung bei M\xfcller"])
def test_a_text_with_letters_that_cannot_be_told_is_asked_back(words: str) -> None:
    head = mail("", "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit").encode()
    broken = f"{words} ".encode() + b"\xe4x\r\n"
    assert read(head + broken).reason is ReplyReason.GARBLED
    # in what is quoted nobody minds
    assert read(head + f"{words}\r\n\r\n> ".encode() + b"\xe4x\r\n").reason is ReplyReason.COMMAND_READ


HTML_ALONE = "Content-Type: text/html; charset=utf-8"


@pytest.mark.parametrize(
    "below",
    [
        "<p class=MsoNormal><o:p>&nbsp;</o:p></p><p class=MsoNormal><b>Jordan Ray</b> | Head of Ops</p>",
        "<p>(Tom: the cause is the VPN, keep that among us)</p>",
        "<div id='ms-outlook-mobile-signature'>mobile +49 170 1234567</div>",
    ],
)
def test_the_public_reads_the_first_paragraph_alone_of_html_too(below: str) -> None:
    reply = read(mail(f"<p class=MsoNormal>update: We know the cause.</p>{below}", HTML_ALONE))
    assert (reply.reason, reply.text) == (ReplyReason.COMMAND_READ, "We know the cause.")


@pytest.mark.parametrize("above", ["Hi,", "[EXTERNAL]"])
def test_what_was_typed_in_the_signatures_place_below_a_greeting_or_banner_counts(above: str) -> None:
    typed = "<div id='Signature'><div>publish</div><div>Jordan</div></div>"
    assert read(mail(f"<div>{above}</div>{typed}", HTML_ALONE)).command is Command.PUBLISH


def test_the_public_reads_a_list_whole_or_nothing() -> None:
    below = "<ul><li>mail is slow</li><li>chat works</li></ul>"
    text = "update: We know:\r\n{}- mail is slow\r\n- chat works"
    whole = "We know:\n- mail is slow\n- chat works"
    assert read(mail(f"<div>update: We know:</div>{below}", HTML_ALONE)).text == whole
    assert read(mail(text.format(""))).text == whole
    for raw in (
        mail(f"<p>update: We know:</p>{below}", HTML_ALONE),
        mail(text.format("\r\n")),
        mail("close: We know:\r\n\r\n- mail is slow"),
    ):
        assert (read(raw).command, read(raw).reason) == (None, ReplyReason.TEXT_MISSING)
    assert read(mail("update: We know:\r\n\r\nJordan Ray")).text == "We know:"


def test_explaining_gives_the_keys_that_are_promised() -> None:
    assert explain(read(mail("Publish INC-12")), NOT_JUDGED) == {
        "automatic": False,
        "bounce": False,
        "token": TOKEN,
        "sender": "jordan@acme.example",
        "authentic": "unknown",
        "command": "publish",
        "argument": "INC-12",
        "new_text": "Publish INC-12",
        "reason": "command_read",
    }


def test_explaining_an_unreadable_mail_gives_the_same_keys() -> None:
    explained = explain_unreadable(MailUnreadable("the mail has more than 50 parts"))
    assert (explained.keys(), explained["reason"]) == (explain(read(mail()), NOT_JUDGED).keys(), "unreadable")
