"""Which mails are to end a subscription, and which never are."""

from datetime import UTC, datetime

import pytest

from service.cli.explaining import ReplyReader
from service.config.settings import Authenticity, Replies
from service.mail.leaving import Leaving, read_leaving, says_unsubscribe
from service.mail.replies import read_reply

TOKEN = "mfrggzdfmztwq2lknnwg23tpob"
ADDRESS = f"status+unsubscribe-{TOKEN}@acme.example"
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def written(
    text: str, *, to: str = "status@acme.example", sender: str = "ana@reader.example", more: str = ""
) -> bytes:
    """Write a mail to us."""
    return f"From: {sender}\r\nTo: {to}\r\nSubject: Re: x\r\n{more}\r\n{text}\r\n".encode()


def read(raw: bytes) -> Leaving | None:
    """Read a mail as the service does."""
    return read_leaving(raw, read_reply(raw, own_address="status@acme.example", instance_id="i"))


@pytest.mark.parametrize("text", ["", "unsubscribe", "publish", "Please keep me!", "> publish"])
def test_a_mail_to_the_address_is_whatever_it_says(text: str) -> None:
    assert read(written(text, to=ADDRESS)) == Leaving((TOKEN,))


@pytest.mark.parametrize(
    "sender", ["eve@evil.example", "a@x.example, b@x.example", "a@x.example <b@x.example>"]
)
def test_a_mail_to_the_address_is_whoever_sent_it(sender: str) -> None:
    assert read(written("x", to=ADDRESS, sender=sender)) == Leaving((TOKEN,))


@pytest.mark.parametrize("field", ["Delivered-To", "X-Original-To", "Envelope-To", "Cc"])
def test_the_address_may_have_been_lost_from_to(field: str) -> None:
    assert read(written("x", more=f"{field}: {ADDRESS}\r\n")) == Leaving((TOKEN,))


@pytest.mark.parametrize(
    "sign",
    [
        "Auto-Submitted: auto-replied",
        "Precedence: bulk",
        "Return-Path: <>",
        "X-Autoreply: yes",
        "List-Id: <a.b>",
    ],
)
@pytest.mark.parametrize("to", [ADDRESS, "status@acme.example"])
def test_an_automatic_mail_never_is(sign: str, to: str) -> None:
    assert read(written("unsubscribe", to=to, more=f"{sign}\r\n")) is None


def test_an_answer_to_a_mail_that_asked_for_a_decision_never_is() -> None:
    assert read(written("unsubscribe", to=f"status+{TOKEN}@acme.example")) is None


@pytest.mark.parametrize(
    "line",
    [
        "unsubscribe",
        "Unsubscribe!",
        "*UNSUBSCRIBE*",
        "“Abmelden.”",
        "Bitte abmelden",
        "me désabonner",
        "退订",
        "ОТПИСАТЬСЯ",
    ],
)
def test_a_plain_word_on_the_first_line_is_the_senders_own_wish(line: str) -> None:
    assert says_unsubscribe(line)
    assert read(written(f"\r\n{line}\r\n\r\n> our mail")) == Leaving(())


@pytest.mark.parametrize(
    "line",
    [
        "",
        "unsubscribe?",
        "> unsubscribe",
        "don't unsubscribe",
        "How do I unsubscribe",
        "- unsubscribe",
        "no",
        "stop",
    ],
)
def test_what_is_not_exactly_such_a_word_is_none(line: str) -> None:
    assert not says_unsubscribe(line)
    assert read(written(line)) is None


def test_a_plain_word_of_an_unclear_sender_is_none() -> None:
    assert read(written("unsubscribe", sender="a@x.example, ana@reader.example")) is None


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (written("hello", to=ADDRESS), "unsubscribe"),
        (written("abmelden"), "unsubscribe"),
        (written("hello"), "no_token"),
        (written("unsubscribe", to=ADDRESS, more="Auto-Submitted: auto-replied\r\n"), "automatic"),
    ],
)
def test_explain_reply_names_it(raw: bytes, reason: str) -> None:
    reader = ReplyReader("status@acme.example", Authenticity(), Replies(), lambda _: None)
    assert reader.explain(raw, NOW).found["reason"] == reason
