"""One line: cleaned for comparing, tidied for the public, folded for looking up."""

# ruff: noqa: RUF001 - letters and punctuation of other writings are what is tested
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.mail.commands import begins_like
from service.mail.lines import clean_line, columns, fold_line, is_question, tidy_line, unwrap
from service.mail.words import WORDS, Command, vocabulary

EVERYTHING = vocabulary(list(WORDS), {})
UNSEEN = "\u200b\u200c\u200d\u200e\u202e\u2060\ufeff\u00ad\u034f\u180e\u3164\u2800\ufe0f\x00\x1b\x7f"


@given(st.text())
def test_cleaning_twice_changes_nothing_more(line: str) -> None:
    assert clean_line(clean_line(line)) == clean_line(line)


@given(st.text())
def test_a_cleaned_line_is_one_short_line(line: str) -> None:
    cleaned = clean_line(line)
    assert len(cleaned) <= 1000
    assert cleaned == " ".join(cleaned.split())


@given(st.text(max_size=40), st.text(UNSEEN, max_size=5))
def test_what_cannot_be_seen_does_not_count(text: str, unseen: str) -> None:
    assert clean_line(text + unseen) == clean_line(unseen + text) == clean_line(text)


@given(st.text())
def test_folding_and_unwrapping_come_to_an_end(line: str) -> None:
    assert unwrap(unwrap(line)) == unwrap(line)
    assert fold_line(fold_line(line)) == fold_line(line)


def test_the_public_reads_letters_as_they_were_written() -> None:
    assert tidy_line(" 5½\u00a0 TB™ \u202e（ＯＫ）\t") == "5½ TB™ （ＯＫ）"


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        ("publish.", "publish"),
        ("publish!!", "publish"),
        ("«publish»", "publish"),
        ("« publish »", "publish"),
        ("„publish“.", "publish"),
        ("「公開」。", "公開"),
        ("《发布》", "发布"),
        ("¡Publicar!", "Publicar"),
        ("publish...", "publish..."),
        ("publish,", "publish,"),
        ("(publish)", "(publish)"),
        ("¡publish", "¡publish"),
        ("*publish", "*publish"),
        ("!", ""),
        ("", ""),
    ],
)
def test_marks_around_a_word_are_taken_off(text: str, inside: str) -> None:
    assert unwrap(text) == inside


@pytest.mark.parametrize("line", ["公開？", "publish？！", "¿publicar?", "هل ننشر؟"])
def test_a_question_is_told_in_any_writing(line: str) -> None:
    assert is_question(line)


def test_east_asian_letters_take_two_columns() -> None:
    assert (columns("abc"), columns("公開x")) == (3, 5)


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("hold on", Command.HOLD),
        ("false alarm, sorry", Command.DISCARD),
        ("mise à jour demain", Command.UPDATE),
        ("ok, go", Command.PUBLISH),
        ("we hold", None),
        ("", None),
    ],
)
def test_a_line_may_begin_like_a_command(line: str, command: Command | None) -> None:
    assert begins_like(line, EVERYTHING.words) is command
