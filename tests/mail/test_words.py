"""The words of each language: they act where the language is configured, and nowhere else."""

# ruff: noqa: RUF001 - letters and punctuation of other writings are what is tested
import pytest

from service.config.languages import LANGUAGES
from service.mail.commands import read_command
from service.mail.lines import clean_line
from service.mail.refusal_words import REFUSALS, THANKS
from service.mail.words import ENGLISH, FIELDS, WORDS, Command, EditedField, conflicts, vocabulary

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


@pytest.mark.parametrize("language", sorted(set(WORDS) - {"pl"}))
def test_no_language_conflicts_with_english(language: str) -> None:
    assert conflicts([language], {}) == ()


def test_a_word_that_means_two_things_orders_nothing() -> None:
    assert vocabulary(["pl"], {}).words["tak"] is Command.PUBLISH
    assert "tak" not in vocabulary(["pl", "da"], {}).words
    assert "`tak` means publish in pl and thanks in da: it orders nothing" in conflicts(["pl", "da"], {})


def test_a_pole_who_says_yes_in_a_way_that_is_no_in_english_discards_nothing() -> None:
    assert "no" not in vocabulary(["pl"], {}).words
    assert conflicts(["pl"], {}) == ("`no` means discard in en and thanks in pl: it orders nothing",)


def test_all_languages_together_conflict_in_nothing_else() -> None:
    assert [sentence.split("`")[1] for sentence in conflicts(list(WORDS), {})] == ["no", "tak"]


def test_config_yaml_may_choose_between_two_meanings() -> None:
    own = {"publish": ("tak",), "discard": ("no",)}
    words = vocabulary(["pl", "da"], own).words
    assert (words["tak"], words["no"]) == (Command.PUBLISH, Command.DISCARD)
    assert conflicts(["pl", "da"], own) == ()


def test_thanks_never_order_anything() -> None:
    known = vocabulary(list(WORDS), {}).words
    assert [word for words in THANKS.values() for word in words if word in known] == []


@pytest.mark.parametrize("language", WORDS)
def test_thanks_alone_are_no_command(language: str) -> None:
    known = vocabulary([language], {}).words
    assert [word for word in THANKS[language] if read_command(word, known)] == []


@pytest.mark.parametrize("word", ["Raus  damit", "raus damit!", "\u201cRaus damit\u201d"])
def test_a_company_has_words_of_its_own(word: str) -> None:
    known = vocabulary(["de"], {"publish": (word,)}).words
    assert known["raus damit"] is Command.PUBLISH


@pytest.mark.parametrize("word", ["ignore", "No"])
def test_a_word_of_its_own_never_turns_another_meaning_round(word: str) -> None:
    own = {"publish": (word,)}
    assert word.lower() not in vocabulary([], own).words
    assert conflicts([], own) == (
        f"`{word.lower()}` means discard in en and publish in config.yaml: it orders nothing",
    )


@pytest.mark.parametrize(
    ("languages", "word"), [([], "stop"), (["de"], "nicht"), (["zh"], "等"), ([], "thanks")]
)
def test_a_refusal_or_thanks_cannot_be_made_to_publish(languages: list[str], word: str) -> None:
    own = {"publish": (word,)}
    assert word not in vocabulary(languages, own).words
    assert len(conflicts(languages, own)) == 1


def test_a_word_claimed_for_two_commands_orders_nothing() -> None:
    own = {"publish": ("go",), "discard": ("go",)}
    assert "go" not in vocabulary([], own).words
    assert conflicts([], own) == (
        "`go` means discard in config.yaml and publish in config.yaml: it orders nothing",
    )


def test_a_word_for_no_command_is_refused() -> None:
    with pytest.raises(ValueError, match="explode"):
        vocabulary([], {"explode": ("boom",)})


def test_a_language_that_does_not_ship_adds_nothing() -> None:
    assert vocabulary(["tlh"], {}) == ENGLISH


@pytest.mark.parametrize("language", WORDS)
def test_every_language_has_words_for_edits_and_statuses(language: str) -> None:
    known = vocabulary([language], {})
    assert set(known.fields.values()) == set(EditedField)
    assert len(known.statuses) == (4 if language == "en" else 7)


@pytest.mark.parametrize("language", WORDS)
def test_no_word_names_two_fields(language: str) -> None:
    subject, message = FIELDS[language]
    assert not set(subject) & set(message)


@pytest.mark.parametrize(
    ("line", "language", "command"),
    [
        ("公開。", "ja", Command.PUBLISH),
        ("「公開」", "ja", Command.PUBLISH),
        ("公開！！", "ja", Command.PUBLISH),
        ("公開してください。", "ja", Command.PUBLISH),
        ("发布！", "zh", Command.PUBLISH),
        ("《发布》", "zh", Command.PUBLISH),
        ("發布", "zh", Command.PUBLISH),
        ("¡Publicar!", "es", Command.PUBLISH),
        ("« publier »", "fr", Command.PUBLISH),
        ("D\u2019accord.", "fr", Command.PUBLISH),
        ("ОПУБЛИКОВАТЬ", "ru", Command.PUBLISH),
        ("Ложная Тревога!", "ru", Command.DISCARD),
        ("VÄÄRÄ HÄLYTYS", "fi", Command.DISCARD),
        ("SCHLIESSEN", "de", Command.CLOSE),
        ("schlie\u00dfen", "de", Command.CLOSE),
        ("vero\u0308ffentlichen", "de", Command.PUBLISH),
        ("Publish INC-12", "fi", Command.PUBLISH),
        ("公開 INC-12", "ja", Command.PUBLISH),
        ("发布INC-12", "zh", Command.PUBLISH),
    ],
)
def test_a_word_is_known_in_the_writing_of_its_language(line: str, language: str, command: Command) -> None:
    spoken = read_command(line, vocabulary([language], {}).words)
    assert spoken is not None
    assert spoken.command is command


@pytest.mark.parametrize(
    ("line", "language"),
    [
        ("公開しないで", "ja"),
        ("公開しますか", "ja"),
        ("公開？", "ja"),
        ("不发布", "zh"),
        ("发布吗？", "zh"),
        ("не опубликовать", "ru"),
        ("дa", "ru"),
        ("nicht veröffentlichen", "de"),
        ("¿publicar?", "es"),
        ("publicar,", "es"),
        ("veröffentlichen…", "de"),
        ("> ja", "de"),
        ("- oui", "fr"),
        ("р\u0443blish", "ru"),
        ("jа", "de"),
    ],
)
def test_what_is_not_exactly_a_word_is_none_in_any_language(line: str, language: str) -> None:
    assert read_command(line, vocabulary([language], {}).words) is None
