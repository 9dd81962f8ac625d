"""The answers that the sandbox writes for its users: as an ordinary mail client would."""

from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest

from service.errors import AddressInvalid
from service.mail.sandbox import SandboxMail, reply_to

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
ORIGINAL = """\
From: Acme Status <status@acme.example>
To: Ana Ray <ana@acme.example>
Reply-To: Acme Status <status+token@acme.example>
Subject: [INC-12] =?utf-8?q?St=C3=B6rung?=
Date: Tue, 24 Nov 2026 07:59:00 +0000
Message-ID: <two@acme.example>
References: <one@acme.example>
MIME-Version: 1.0
Content-Type: multipart/alternative; boundary="b"

--b
Content-Type: text/plain; charset="utf-8"
Content-Transfer-Encoding: 8bit

Shall we publish?

Übel
--b
Content-Type: text/html

<p>Shall we publish?</p>
--b--
"""


def answer(original: str, text: str = "publish") -> EmailMessage:
    mail = SandboxMail(1, "status@acme.example", "ana@acme.example", original.encode())
    reply = message_from_bytes(reply_to(mail, text, now=NOW), policy=policy.default)
    assert isinstance(reply, EmailMessage)
    return reply


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("From", "Ana Ray <ana@acme.example>"),
        ("To", "status+token@acme.example"),
        ("Subject", "Re: [INC-12] Störung"),
        ("In-Reply-To", "<two@acme.example>"),
        ("References", "<one@acme.example> <two@acme.example>"),
        ("Date", "Tue, 24 Nov 2026 08:00:00 +0000"),
        ("Content-Type", 'text/plain; charset="utf-8"'),
    ],
)
def test_an_answer_has_the_headers_of_a_mail_client(header: str, value: str) -> None:
    assert str(answer(ORIGINAL)[header]) == value


def test_an_answer_has_the_text_on_top_and_the_original_quoted_below() -> None:
    assert answer(ORIGINAL, "publish\n\nThanks").get_content().splitlines() == [
        "publish",
        "",
        "Thanks",
        "",
        "On Tue, 24 Nov 2026 07:59:00 +0000, Acme Status wrote:",
        "> Shall we publish?",
        ">",
        "> Übel",
    ]


def test_an_answer_to_an_answer_keeps_its_subject() -> None:
    assert answer("From: a@x.example\nSubject: RE: outage\n\n")["Subject"] == "RE: outage"


def test_without_reply_to_the_author_is_answered() -> None:
    assert answer("From: a@x.example\n\n")["To"] == "a@x.example"


def test_two_answers_differ_in_their_message_id() -> None:
    assert answer(ORIGINAL)["Message-ID"] != answer(ORIGINAL)["Message-ID"]


def test_a_mail_from_nobody_cannot_be_answered() -> None:
    with pytest.raises(AddressInvalid):
        answer("Subject: hello\n\n")


@pytest.mark.parametrize(
    "original",
    [
        "From: a@x.example\nMessage-ID: <[a\nSubject: =?nope?q?x?=\n\nhello",
        "From: a@x.example\nSubject: =?utf-8?b?!?=\nContent-Type: text/plain; charset=nope\n\nhello",
        "From: a@x.example\nSubject: a\x07b\n\thidden\n\nhello",
        "From: a@x.example\nContent-Type: text/plain\nContent-Transfer-Encoding: base64\n\n!",
        "From: a@x.example\nContent-Type: multipart/mixed\n\nhello",
    ],
)
def test_a_broken_mail_can_be_answered_all_the_same(original: str) -> None:
    assert answer(original).get_content().splitlines()[0] == "publish"
