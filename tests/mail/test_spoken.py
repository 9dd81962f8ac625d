"""Orders that take something with them: holds, updates, closes, edits; and replies where any would publish."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.mail.commands import find_new_text
from service.mail.replies import Reply, ReplyReason, read_reply
from service.mail.spoken import Edit, Order, read_order
from service.mail.words import ENGLISH, WORDS, Command, vocabulary
from service.model import UpdateStatus

EVERYTHING = vocabulary(list(WORDS), {})
TOKEN = "mfrggzdfmztwq2lknnwg23tpob"


def order_of(body: str, *languages: str) -> Order | None:
    """Read the order in a body."""
    return read_order(find_new_text(body.split("\n")), vocabulary(languages, {}))


@pytest.mark.parametrize(
    ("line", "minutes"),
    [
        ("hold 30m", 30),
        ("Hold 30 min.", 30),
        ("hold 2h", 120),
        ("hold 1h30m", 90),
        ("hold 1 hour and 15 minutes", 75),
        ("hold: 45 minutes", 45),
        ("hold 24h", 1440),
    ],
)
def test_a_hold_says_how_long(line: str, minutes: int) -> None:
    order = order_of(line)
    assert order is not None
    assert (order.command, order.span) == (Command.HOLD, timedelta(minutes=minutes))


@pytest.mark.parametrize(
    ("line", "language"),
    [("halten 2 Stunden", "de"), ("отложить 30 минут", "ru"), ("保留 30分", "ja"), ("aplazar 2 horas", "es")],
)
def test_a_hold_is_read_in_other_languages(line: str, language: str) -> None:
    order = order_of(line, language)
    assert order is not None
    assert order.command is Command.HOLD


@pytest.mark.parametrize(
    "line", ["hold 25h", "hold 0m", "hold on", "hold it", "hold 30 apples", "holding 30m"]
)
def test_what_is_no_span_is_no_hold(line: str) -> None:
    assert order_of(line) is None


def test_a_hold_without_a_span_leaves_it_to_the_service() -> None:
    assert order_of("hold") == Order(Command.HOLD)


@pytest.mark.parametrize(
    ("body", "command", "text"),
    [
        ("update We found the cause.", Command.UPDATE, "We found the cause."),
        ("Update: We found\nthe cause.\n\nJordan", Command.UPDATE, "We found\nthe cause."),
        ("update:\nWe found it.", Command.UPDATE, "We found it."),
        ("update We found it.\nBest regards,\nJordan", Command.UPDATE, "We found it."),
        ("update We found it.\n-- \nJordan", Command.UPDATE, "We found it."),
        ("update We found it.\nSent from my iPhone", Command.UPDATE, "We found it."),
        ("update We found it.\nOn Tue, 24 Nov 2026, Acme wrote:\n> old", Command.UPDATE, "We found it."),
        ("close It was a cable.", Command.CLOSE, "It was a cable."),
        ("close: it is over", Command.CLOSE, "it is over"),
        ("close", Command.CLOSE, ""),
        ("close\nJordan", Command.CLOSE, ""),
        ("Close.\n\nThanks", Command.CLOSE, ""),
    ],
)
def test_a_text_is_the_rest_of_the_line_and_the_paragraph_it_starts(
    body: str, command: Command, text: str
) -> None:
    order = order_of(body)
    assert order is not None
    assert (order.command, order.text) == (command, text)


@pytest.mark.parametrize(
    "line",
    [
        "close to the limit now",
        "close it",
        "update me please",
        "updates are coming",
        "closed",
        "update tomorrow",
    ],
)
def test_a_sentence_that_only_begins_like_an_order_is_none(line: str) -> None:
    assert order_of(line) is None


def test_an_update_may_name_its_status() -> None:
    order = order_of("update identified: A disk was full.")
    assert order is not None
    assert (order.status, order.text) == (UpdateStatus.IDENTIFIED, "A disk was full.")


@pytest.mark.parametrize(
    ("body", "edit"),
    [
        ("publish\nsubject: Mail is slow", Edit("Mail is slow", None)),
        (
            "publish\n\nSubject: Mail is slow\nMessage: It takes\nan hour.",
            Edit("Mail is slow", "It takes\nan hour."),
        ),
        ("message: One.\n\nTwo.\n\nCheers,\nJordan", Edit(None, "One.\n\nTwo.")),
        ("subject: Mail is slow\n\nJordan", Edit("Mail is slow", None)),
        ("Betreff: Langsam", Edit("Langsam", None)),
    ],
)
def test_an_edit_gives_other_words(body: str, edit: Edit) -> None:
    order = order_of(body)
    assert order is not None
    assert (order.command, order.edit) == (Command.EDIT, edit)


@pytest.mark.parametrize("body", ["publish\nJordan", "publish\n> subject: x", "publish\n\nsubject:"])
def test_what_is_no_edit_is_a_plain_publish(body: str) -> None:
    order = order_of(body)
    assert order is not None
    assert order.command is Command.PUBLISH


def reply(body: str, *, anything: bool = True) -> Reply:
    """Read a mail of an employee where any reply publishes, or not."""
    head = f"From: jordan@acme.example\nTo: status+{TOKEN}@acme.example\nSubject: Re: x\n\n"
    return read_reply(
        (head + body).encode(),
        own_address="status@acme.example",
        instance_id="i",
        vocabulary=EVERYTHING,
        any_reply_publishes=anything,
    )


@pytest.mark.parametrize("body", ["Looks good to me", "Go ahead", "thanks, all fine", "👍"])
def test_any_reply_publishes_where_that_is_wanted(body: str) -> None:
    assert (reply(body).command, reply(body).reason) == (Command.PUBLISH, ReplyReason.ANY_REPLY)
    assert reply(body, anything=False).command is None


@pytest.mark.parametrize(
    "body",
    [
        "No way",
        "Not yet",
        "Please don't",
        "do not do that",
        "Stop!",
        "wait a moment",
        "False alarm I think",
        "Really?",
        "Fine. But is it true?",
        "publish tomorrow",
        "Nein, noch nicht",
        "Nicht veröffentlichen",
        "attends un peu",
        "подожди",
        "公開しないで",
        "",
        "> publish",
    ],
)
def test_a_refusal_or_a_question_never_publishes(body: str) -> None:
    assert reply(body).command is not Command.PUBLISH


def test_an_update_without_text_is_asked_back() -> None:
    assert (reply("update").command, reply("update").reason) == (None, ReplyReason.TEXT_MISSING)


@given(st.text(max_size=300))
def test_reading_an_order_never_fails(body: str) -> None:
    order = read_order(find_new_text(body.splitlines()), EVERYTHING)
    assert order is None or order.command in Command


@given(st.lists(st.text("publish yes:subject \n", max_size=20), min_size=1, max_size=6))
def test_what_is_quoted_orders_nothing(lines: list[str]) -> None:
    quoted = [f"> {line}" for text in lines for line in text.split("\n")]
    assert read_order(find_new_text(quoted), ENGLISH) is None
