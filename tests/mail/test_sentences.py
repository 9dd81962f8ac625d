"""What stands behind `update` or `close`: a text for the public, or the rest of a sentence that is meant for us."""

import pytest

from service.mail.quotes import find_new_text
from service.mail.spoken import read_order
from service.mail.words import ENGLISH, Vocabulary
from tests.mail.test_spoken import EVERYTHING, JORDAN, order_of


@pytest.mark.parametrize(
    "line",
    [
        "close to the limit now",
        "close it",
        "close it now, please",
        "close the incident when mx1 is back",
        "close call!",
        "update me please",
        "update us when it works",
        "update is coming soon",
        "update coming",
        "update the status page",
        "updates are coming",
        "closed",
        "update tomorrow",
        "updated: all is well",
        "更新されました",
        "please update: all is well",
    ],
)
def test_a_sentence_that_only_begins_like_an_order_is_none(line: str) -> None:
    assert order_of(line, "ja") is None


@pytest.mark.parametrize(
    ("language", "lines"),
    [
        (
            "en",
            (
                "close not yet.|Close, not yet.|close but not before Tom confirmed it|Close it only after Tom confirmed"
                "|close it yourself please|Close nothing!|Close incident INC-12.|close - no, wait for me first"
                "|Close -- wrong incident, ignore this mail.|Close never mind, my mistake.|Close must wait."
                "|Update not needed.|Update from Tom: do not tell customers yet|Update don't post anything yet"
                "|update customers only after legal has approved|Update the customers yourself, I am busy."
                "|update Tom please.|Update Tom|update hold on, wrong mail|Resolve first, then publish.|close fixed."
                "|Update: no|update: Wait.|close: *Stop!*|update\nno|close No, that was another one."
                # a capital letter proves nothing: it may be that of a name
                "|update Tom and Lee please|update Bob and me on Slack|update Sales before lunch|update Tom."
                "|update Tom, do not tell the customers|close Only after Tom agrees|close Only after the backup."
                "|close When Tom agrees|close If it stays green|close Once Tom agrees|close After lunch today"
                "|close Maybe later today|close Better wait until noon|close Tonight.|close Monday.|close Almost done"
                "|close Not fixed|close It after lunch, please|close no it is broken|close it Friday"
                "|update this page with what we know|close it, Tom agrees|update them that mail is down"
                "|update Restart|close back after lunch"
            ),
        ),
        (
            "de",
            (
                "Schließen nicht!|Beenden noch nicht.|Schließen erst morgen.|Abschließen wir noch nicht, Tom prüft."
                "|update Kunden bitte informieren|update Tom bevor du schließt|update folgt in Kürze"
            ),
        ),
        ("fr", "Fermer pas encore.|Clore plus tard.|Mise à jour pas nécessaire."),
        ("es", "Cerrar todavía no.|Actualizar no hace falta."),
        ("pt", "Fechar ainda não.|Encerrar só amanhã."),
        ("it", "Chiudere non ancora.|Chiudi solo domani."),
        ("nl", "Sluiten nog niet.|Bijwerken niet nodig.|Afsluiten pas morgen."),
        ("pl", "Zamknij jeszcze nie.|Zamknij dopiero jutro."),
        ("sv", "Stäng inte än.|Stäng den inte än.|Uppdatera inte kunderna ännu."),
        ("da", "Luk ikke endnu.|Luk den ikke endnu, vent på Tom.|Opdater ikke kunderne endnu."),
        ("no", "Lukk ikke ennå.|Oppdater ikke kundene ennå.|Avslutt ikke!"),
        ("fi", "Sulje vasta huomenna.|Päivitys ei tarpeen."),
        ("ru", "Закрыть пока нельзя.|Закрыть позже.|Обновить не нужно."),
        ("ja", "終了 まだです|更新 しないでください"),
        ("zh", "关闭 等一下|更新 不要"),
    ],
)
def test_what_refuses_behind_the_word_of_an_order_is_no_text_for_the_public(
    language: str, lines: str
) -> None:
    understood = [line for line in lines.split("|") if order_of(line, language) is not None]
    assert understood == []


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("update We have not found the cause yet.", "We have not found the cause yet."),
        ("update we found the cause and work on it", "we found the cause and work on it"),
        ("update it was a cable", "it was a cable"),
        ("update it's a disk again", "it's a disk again"),
        ("update customers can log in again", "customers can log in again"),
        ("update 5 of 7 servers are back", "5 of 7 servers are back"),
        ("close Fixed.", "Fixed."),
        ("close: fixed", "fixed"),
        ("close: Not our fault.", "Not our fault."),
        ("update: only mails are late", "only mails are late"),
        ("close: false alarm", "false alarm"),
        ("close: False alarm.", "False alarm."),
        ("close: error", "error"),
        ("close: ok", "ok"),
        ("close: yes", "yes"),
        ("update: Status", "Status"),
        ("close: OK\nall mails arrive again.", "OK\nall mails arrive again."),
        ("update: No\nmail was lost.", "No\nmail was lost."),
    ],
)
def test_a_text_may_deny_what_it_tells_of_and_anything_behind_a_colon(line: str, text: str) -> None:
    order = order_of(line)
    assert order is not None
    assert order.text == text


@pytest.mark.parametrize("known", [ENGLISH, EVERYTHING], ids=["english", "everything"])
@pytest.mark.parametrize(
    "text",
    [
        *(
            "Works again",
            "Fixed",
            "Done",
            "Problem solved",
            "Fix deployed",
            "DNS broken",
            "Behoben",
            "Résolu",
        ),
        *("it recovered at noon", "it came back after a reboot", "it resolved itself", "this got fixed"),
        *("it affects all users", "it may take longer", "it should work again", "this takes an hour"),
        *("as of 10:00 mail works again", "first analysis shows a broken disk", "again down since 10:00"),
        *(
            "no mails are lost",
            "nobody is affected",
            "we are sorry for the trouble",
            "Customers cannot log in.",
        ),
        *("Fixed after a restart.", "this incident was caused by a disk", "us-east is back"),
    ],
)
def test_news_without_a_colon_are_a_text(text: str, known: Vocabulary) -> None:
    for word in ("update", "close"):
        order = read_order(find_new_text([f"{word} {text}"], known), known, JORDAN)
        assert order is not None
        assert order.text == text
