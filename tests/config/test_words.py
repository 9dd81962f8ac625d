"""`replies`: languages, words of one's own, and whether any reply publishes."""

import pytest

from service.config.form import COMMANDS
from service.config.kinds import fold_word
from service.config.languages import LANGUAGES
from service.config.settings import Replies
from service.mail.words import WORDS, Command, vocabulary
from tests.config.sample import SAMPLE, faults_of, marked, read

EVERY_WORD = sorted({word for table in WORDS.values() for words in table.values() for word in words})


def replies_of(written: str) -> Replies:
    return read(f"{SAMPLE}replies: {{{written}}}\n").replies


def test_english_counts_and_only_a_command_publishes_unless_said_otherwise() -> None:
    replies = read(SAMPLE).replies
    assert (replies.languages, replies.words, replies.any_reply_publishes) == (("en",), {}, False)


def test_the_languages_are_those_that_mail_has_words_of() -> None:
    assert set(LANGUAGES) == set(WORDS)


def test_the_commands_are_those_that_mail_has_words_for() -> None:
    assert set(COMMANDS) == set(Command) - {Command.EDIT}


def test_languages_are_given_by_their_codes() -> None:
    assert replies_of("languages: [en, de, JA]").languages == ("en", "de", "ja")


def test_one_language_needs_no_list() -> None:
    assert replies_of("languages: de").languages == ("de",)


def test_any_reply_may_publish() -> None:
    assert replies_of("any_reply_publishes: true").any_reply_publishes


def test_words_are_kept_as_replies_are_compared_with_them() -> None:
    replies = replies_of('words: {publish: [" Raus  DAMIT", "公開"], close: d\u2019accord, hold: []}')
    assert replies.words == {"publish": ("raus damit", "公開"), "close": ("d\u2019accord",)}


def test_a_word_of_one_s_own_is_a_command() -> None:
    replies = replies_of("languages: [de], words: {publish: [Raus damit]}")
    assert vocabulary(replies.languages, replies.words).words["raus damit"] is Command.PUBLISH


@pytest.mark.parametrize("word", [word for word in EVERY_WORD if word not in COMMANDS])
def test_whatever_ships_as_a_word_could_be_one_s_own(word: str) -> None:
    assert replies_of(f'words: {{publish: ["{word}"]}}').words == {"publish": (fold_word(word),)}


@pytest.mark.parametrize(
    ("written", "fragment"),
    [
        ("languages: [en, ¦german]", "`german` is no code of a language here, did you mean `de`?"),
        ("languages: [¦pt-BR]", "did you mean `pt`?"),
        ("languages: [¦nb]", "did you mean `no`?"),
        ("languages: [¦xx]", "is not one of en, de, fr"),
        ("languages: ¦[]", "`languages` is an empty list"),
        ("languages: [¦1]", "is read as a number, not as a text"),
        ("words: {¦publsh: [a]}", "unknown key `publsh` in `words`, did you mean `publish`?"),
        ("words: {¦edit: [a]}", "unknown key `edit` in `words`"),
        ("words: ¦[a]", "`words` must consist of `name: value` lines"),
        ("words: {publish: [go, ¦'go?']}", "`go?` is no command word: begin with a letter"),
        ("words: {publish: [¦'> go']}", "is no command word"),
        ("words: {publish: [¦'- go']}", "is no command word"),
        ("words: {publish: [¦go.]}", "is no command word"),
        ("words: {publish: [¦👍]}", "is no command word"),
        ("words: {publish: [¦'+1']}", "is no command word"),
        ("words: {publish: [¦'2']}", "is no command word"),
        ("words: {publish: [¦'']}", "this entry of `publish` is empty"),
        (
            f"words: {{publish: [¦{'a' * 61}]}}",
            "is too long to be typed on a phone: 60 characters are the most",
        ),
        ("words: {publish: [go], close: [¦GO]}", "the word `GO` stands here a second time"),
        ("words: {publish: [go, ¦'g\u200bo']}", "is no command word"),
        ("words: {publish: [¦discard]}", "`discard` is a command of its own: take another word"),
        ("any_reply_publishes: ¦1", "is neither true nor false"),
    ],
)
def test_a_fault_in_replies_is_one_fault_at_its_place(written: str, fragment: str) -> None:
    text, line, column = marked(f"{SAMPLE}replies: {{{written}}}\n")
    (fault,) = faults_of(text)
    assert fragment in fault.text
    assert (fault.line, fault.column) == (line, column)
