"""Orders that give an incident other words before it is published."""

# ruff: noqa: RUF001 - letters and punctuation of other writings are what is tested
import pytest

from service.mail.spoken import Edit, Order
from service.mail.words import Command
from tests.mail.test_spoken import LONG, order_of


@pytest.mark.parametrize(
    ("body", "edit"),
    [
        ("publish\nsubject: Mail is slow", Edit("Mail is slow", None)),
        ("Publish.\n*Subject:* Mail is slow", Edit("Mail is slow", None)),
        (
            "publish\n\nSubject: Mail is slow\nMessage: It takes\nan hour.",
            Edit("Mail is slow", "It takes\nan hour."),
        ),
        ("message: late\nsubject: slow", Edit("slow", "late")),
        ("message:\nIt takes an hour.", Edit(None, "It takes an hour.")),
        (f"message: {LONG}\nwill write again.\n\nSorry.", Edit(None, f"{LONG} will write again.\n\nSorry.")),
        ("message: One.\n\nTwo.\n\nCheers,\nJordan", Edit(None, "One.\n\nTwo.")),
        ("message: One.\n\nTwo.\n\nJordan Ray\nAcme Ltd.", Edit(None, "One.\n\nTwo.")),
        ("message: One:\n- a\n- b\n\n\n1. c\n2. d", Edit(None, "One:\n- a\n- b\n\n1. c\n2. d")),
        ("message: One.\n> subject: quoted", Edit(None, "One.")),
        ("subject: Mail is slow\n\nJordan", Edit("Mail is slow", None)),
        ("subject: Mail is\nslow", Edit("Mail is slow", None)),
        ("subject: A\nsubject: B", Edit("A subject: B", None)),
        ("message: Subject to change: 5 h", Edit(None, "Subject to change: 5 h")),
    ],
)
def test_an_edit_gives_other_words(body: str, edit: Edit) -> None:
    order = order_of(body)
    assert order is not None
    assert (order.command, order.argument, order.edit) == (Command.EDIT, "", edit)


@pytest.mark.parametrize(
    ("body", "language"),
    [
        ("ja\nBetreff: Langsam\nNachricht: Spät", "de"),
        ("publier\nObjet : Langsam\nMessage : Spät", "fr"),
        ("опубликовать\nТема: Langsam\nСообщение: Spät", "ru"),
        ("公開\n件名：Langsam\n本文：Spät", "ja"),
        ("发布\n主题：Langsam\n正文：Spät", "zh"),
        ("publish\nsubject: Langsam\nmessage: Spät", "fi"),
    ],
)
def test_an_edit_is_read_in_other_languages(body: str, language: str) -> None:
    order = order_of(body, language)
    assert order is not None
    assert order.edit == Edit("Langsam", "Spät")


def test_an_edit_may_name_the_incident() -> None:
    order = order_of("publish INC-12\nsubject: Slow")
    assert order is not None
    assert (order.incident_number, order.argument) == (12, "")


@pytest.mark.parametrize(
    "body",
    [
        "publish\nWith these words:\nsubject: Slow",
        "publish\n\nJordan\n\nmessage: late",
        "publish\n> It is down\n\nmessage: late",
        "publish\nBetreff: Langsam",
        "publish\n件名：遅い",
    ],
)
def test_the_old_words_are_not_published_where_new_ones_may_have_been_meant(body: str) -> None:
    assert order_of(body) is None


@pytest.mark.parametrize(
    "body", ["publish\nJordan", "publish\n> subject: x", "publish\n\nIt is real: see mx1."]
)
def test_what_is_no_edit_is_a_plain_publish(body: str) -> None:
    assert order_of(body) == Order(Command.PUBLISH)
