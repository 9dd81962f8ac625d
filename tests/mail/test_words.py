"""The words of each language: they act where the language is configured, and nowhere else."""

import pytest

from service.config.languages import LANGUAGES
from service.mail.commands import clean_line, read_command
from service.mail.words import ENGLISH, REFUSALS, THANKS, WORDS, Command, conflicts, vocabulary

EVERY_WORD = [
    (language, command, word)
    for language, table in WORDS.items()
    for command, words in table.items()
    for word in words
]


def test_the_languages_of_config_yaml_are_those_that_have_words() -> None:
    assert set(LANGUAGES) == set(WORDS) == set(REFUSALS) == set(THANKS)


@pytest.mark.parametrize("language", WORDS)
def test_every_language_has_a_word_for_every_command(language: str) -> None:
    assert set(WORDS[language]) == set(Command) - {Command.EDIT}
    assert all(words for words in WORDS[language].values())


@pytest.mark.parametrize(("language", "command", "word"), EVERY_WORD)
def test_a_word_acts_in_its_language_however_it_is_written(
    language: str, command: Command, word: str
) -> None:
    known = vocabulary([language], {}).words
    for line in (word, word.upper(), f"*{word}*", f"\u201c{word}\u201d", f"{word}!", f" {word}. "):
        spoken = read_command(line, known)
        assert spoken is not None, line
        assert spoken.command is command


@pytest.mark.parametrize(("language", "command", "word"), EVERY_WORD)
def test_a_word_of_another_language_does_nothing(language: str, command: Command, word: str) -> None:
    if word not in ENGLISH.words:
        assert read_command(word) is None, (language, command)


@pytest.mark.parametrize(("language", "command", "word"), EVERY_WORD)
def test_words_are_written_as_they_are_compared(language: str, command: Command, word: str) -> None:
    assert clean_line(word).lower() == word, (language, command)


@pytest.mark.parametrize("language", WORDS)
def test_no_language_conflicts_with_english(language: str) -> None:
    assert conflicts([language], {}) == ()


def test_a_word_that_means_two_things_orders_nothing() -> None:
    assert vocabulary(["pl"], {}).words["tak"] is Command.PUBLISH
    assert "tak" not in vocabulary(["pl", "da"], {}).words
    assert conflicts(["pl", "da"], {}) == ("`tak` means publish in pl and thanks in da: it orders nothing",)


def test_thanks_never_order_anything() -> None:
    for words in THANKS.values():
        for word in words:
            assert word not in vocabulary(list(WORDS), {}).words


def test_a_company_has_words_of_its_own() -> None:
    known = vocabulary(["de"], {"publish": ("Raus  damit",)}).words
    assert known["raus damit"] is Command.PUBLISH


def test_a_word_of_its_own_that_conflicts_is_named() -> None:
    assert conflicts([], {"publish": ("ignore",)}) == (
        "`ignore` means discard in en and publish in config.yaml: it orders nothing",
    )
