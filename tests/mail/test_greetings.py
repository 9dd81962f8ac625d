"""Greetings above a reply's first line, and sentences that begin like one."""

# ruff: noqa: RUF001 - letters and punctuation of other writings are what is tested
import pytest

from service.mail.quotes import find_new_text
from service.mail.words import WORDS, vocabulary

EVERYTHING = vocabulary(list(WORDS), {})

GREETINGS = [
    "Hi team,",
    "Dear all,",
    "Hallo zusammen,",
    "Guten Tag!",
    "Sehr geehrte Damen und Herren,",
    "Liebe Kolleginnen,",
    "Bonjour à tous,",
    "Salut Sam,",
    "Hola Sam:",
    "Buenos días,",
    "Estimado Sam:",
    "Olá Sam,",
    "Bom dia,",
    "Ciao Sam,",
    "Buongiorno,",
    "Beste Sam,",
    "Goedemorgen,",
    "Cześć,",
    "Dzień dobry,",
    "Hej Sam,",
    "God morgon!",
    "Kære Sam,",
    "Kjære Sam,",
    "Hei kaikki,",
    "Hyvää päivää,",
    "Здравствуйте!",
    "Добрый день, Сэм!",
    "お疲れ様です。",
    "Sam さん、",
    "您好，",
    "大家好！",
    "hi sam",
    "hello everyone",
    "Hi Tom and Ana,",
    "Bonjour à toutes,",
    "Hej allihopa,",
    "Hallo liebe Kollegen,",
    "Hallo liebes Team,",
    "Guten Morgen liebes Team",
    "Hallo ihr Lieben,",
    "Beste heer Jansen,",
    "Geachte heer Jansen,",
    "Geachte mevrouw de Vries,",
    "Hi van der Berg",
    "Bonjour madame Durand,",
    "Bonjour monsieur Durand,",
    "Bonjour à vous,",
    "Salut tout le monde,",
    "Salut les gars,",
    "Bonjour toute l'équipe,",
    "Buongiorno signor Rossi,",
    "Buenas tardes señor García,",
    "Hola buenos días",
    "Dzień dobry panie Janie",
    "Hej på er",
    "Dear mr Smith,",
    "Dear sir or madam,",
    "Hi support team,",
    "hi status team",
    "hello dear team",
    "Hi to everyone,",
    "Hello to all,",
    "Hi my friend,",
    "hi jordan ray",
    "hi sam, lee",
    "hi, sam",
    "Hi, dear team",
    "Hi, Sam and Lee!",
    "Hi Will,",
    "Dear May,",
]


@pytest.mark.parametrize("greeting", GREETINGS)
def test_one_greeting_is_passed_over_in_any_language(greeting: str) -> None:
    assert find_new_text([greeting, "", "publish"], EVERYTHING).first_line == "publish"
    assert find_new_text([greeting, greeting, "publish"], EVERYTHING).first_line != "publish"


@pytest.mark.parametrize(
    "line",
    [
        "Hi don't,",
        "Hallo nein,",
        "Hallo nicht veröffentlichen,",
        "Bonjour non,",
        "Hola no,",
        "Ciao aspetta,",
        "Hej vänta,",
        "Привет, нет!",
        "Hi publish,",
        "Hei julkaise,",
        "Hey, stop!",
        "Hi, should we",
        "Hi, Tom will",
        "Hey, refuse to",
        "Hi, let Tom",
        "Hi, before you",
        "Hola, aún",
        "Hi, who will",
        "Hi, nobody",
        "Hi let Tom",
        "hi sam, ask tom",
        "Hi, May I",
        "HI SHOULD WE",
        "Hi we'll",
        "Hallo lass Tom",
        "Bonjour avant de",
        "Hej om Tom",
        "您好 请等",
        "Привет, пусть Том",
    ],
)
def test_a_greeting_that_says_more_is_none(line: str) -> None:
    assert find_new_text([line, "publish"], EVERYTHING).first_line != "publish"
