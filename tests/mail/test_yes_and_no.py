"""Plain words of agreement and refusal: each language has some, and none of them is an order by its own name."""

import pytest

from service.mail.words import WORDS, Command
from service.mail.yes_and_no import is_no, is_yes


@pytest.mark.parametrize("language", WORDS)
def test_each_language_has_a_yes_and_a_no_among_its_words(language: str) -> None:
    words = WORDS[language]
    assert any(map(is_yes, words[Command.PUBLISH]))
    assert any(map(is_no, words[Command.DISCARD]))


def test_no_word_of_another_command_is_either() -> None:
    for words in WORDS.values():
        for command, spelled in words.items():
            assert command is Command.PUBLISH or not any(map(is_yes, spelled))
            assert command is Command.DISCARD or not any(map(is_no, spelled))


@pytest.mark.parametrize("line", ["publish", "veröffentlichen", "publier", "公開", "approve", "freigeben"])
def test_an_order_to_publish_is_no_yes(line: str) -> None:
    assert not is_yes(line)


@pytest.mark.parametrize("line", ["discard", "ignore", "verwerfen", "破棄", "false alarm"])
def test_an_order_to_discard_is_no_no(line: str) -> None:
    assert not is_no(line)


@pytest.mark.parametrize("line", ["Yes.", "*yes*", "yes INC-12", "OK!", "Ja [INC-12]", "Sì"])
def test_a_yes_may_be_written_as_any_command(line: str) -> None:
    assert is_yes(line)
