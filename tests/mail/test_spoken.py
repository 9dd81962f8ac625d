"""Orders that take something with them: holds, updates and closes."""

# ruff: noqa: RUF001 - letters and punctuation of other writings are what is tested
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.mail.quotes import find_new_text
from service.mail.spoken import Order, read_order
from service.mail.spoken_text import join_wrapped
from service.mail.words import ENGLISH, WORDS, Command, vocabulary
from service.model import UpdateStatus

EVERYTHING = vocabulary(list(WORDS), {})
JORDAN = frozenset({"jordan", "ray"})
LONG = "A disk was full; we are moving the mailboxes to another machine and"


def order_of(body: str, *languages: str) -> Order | None:
    """Read the order in what Jordan Ray wrote."""
    known = vocabulary(languages, {})
    return read_order(find_new_text(body.split("\n"), known), known, JORDAN)


@pytest.mark.parametrize(
    ("line", "minutes", "language"),
    [
        ("hold 30m", 30, "en"),
        ("Hold 30 min.", 30, "en"),
        ("HOLD 30M!", 30, "en"),
        ("hold30m", 30, "en"),
        ("*hold 30m*", 30, "en"),
        ("*hold* 30m", 30, "en"),
        ("hold 2h", 120, "en"),
        ("hold 1h30m", 90, "en"),
        ("hold 1h30", 90, "en"),
        ("hold 1h 30", 90, "en"),
        ("hold 1 hour and 15 minutes", 75, "en"),
        ("hold for 2 hours", 120, "en"),
        ("hold: 45 minutes", 45, "en"),
        ("hold 24h", 1440, "en"),
        ("hold 1d", 1440, "en"),
        ("hold 90 min", 90, "en"),
        ("hold \uff13\uff10\uff4d", 30, "en"),
        ("snooze 1h", 60, "en"),
        ("hold 30m", 30, "de"),
        ("halten 2 Stunden", 120, "de"),
        ("Zurückstellen für 1 Std.", 60, "de"),
        ("reporter de 30 minutes".replace("de ", ""), 30, "fr"),
        ("différer pendant 1 heure et 30 minutes", 90, "fr"),
        ("aplazar 2 horas", 120, "es"),
        ("adiar por 1 hora e 15 minutos", 75, "pt"),
        ("rimanda 45 minuti", 45, "it"),
        ("uitstellen 1 uur", 60, "nl"),
        ("wstrzymaj na 2 godziny", 120, "pl"),
        ("skjut upp 30 minuter", 30, "sv"),
        ("skjut upp 2 tim", 120, "sv"),
        ("udskyd 1 time", 60, "da"),
        ("utsett 30 minutter", 30, "no"),
        ("lykkää 2 tuntia", 120, "fi"),
        ("отложить на 30 минут", 30, "ru"),
        ("отложить 2 часа", 120, "ru"),
        ("保留 30分", 30, "ja"),
        ("保留１時間３０分", 90, "ja"),
        ("暂缓30分钟", 30, "zh"),
        ("暫緩：2小時", 120, "zh"),
    ],
)
def test_a_hold_says_how_long(line: str, minutes: int, language: str) -> None:
    order = order_of(line, language)
    assert order is not None
    assert (order.command, order.span) == (Command.HOLD, timedelta(minutes=minutes))


@pytest.mark.parametrize(
    "line",
    [
        "hold 25h",
        "hold 2d",
        "hold 0m",
        "hold 30",
        "hold -30m",
        "hold 30s",
        "hold 1.5h",
        "hold 30m please",
        "hold 30m 15",
        "hold until 14:00",
        "hold on",
        "hold it",
        "hold 30 apples",
        "hold 99999m",
        "holding 30m",
        "please hold 30m",
        "halten 30m",
        "- hold 30m",
    ],
)
def test_what_is_no_span_is_no_hold(line: str) -> None:
    assert order_of(line) is None


def test_a_hold_without_a_span_leaves_it_to_the_service() -> None:
    assert order_of("hold") == Order(Command.HOLD)


@pytest.mark.parametrize("line", ["hold INC-12 30m", "hold [INC-12] 30m", "Hold INC-12: 30m"])
def test_a_hold_may_name_the_incident(line: str) -> None:
    assert order_of(line) == Order(Command.HOLD, "30m", 12, span=timedelta(minutes=30))


@pytest.mark.parametrize(
    ("body", "command", "text"),
    [
        ("update We found the cause.", Command.UPDATE, "We found the cause."),
        ("update: fixed", Command.UPDATE, "fixed"),
        ("update:fixed", Command.UPDATE, "fixed"),
        ("update - We found the cause.", Command.UPDATE, "- We found the cause."),
        ("UPDATE : We found it", Command.UPDATE, "We found it"),
        ("*update:* We found it", Command.UPDATE, "We found it"),
        ("*Update* We found it", Command.UPDATE, "We found it"),
        ("Update: We found\nthe cause.\n\nJordan", Command.UPDATE, "We found\nthe cause."),
        ("update:\nWe found it.", Command.UPDATE, "We found it."),
        ("update\nWe found it.", Command.UPDATE, "We found it."),
        (f"update {LONG}\nwill write again.", Command.UPDATE, f"{LONG} will write again."),
        (f"update\n{LONG}\nwill write again.", Command.UPDATE, f"{LONG} will write again."),
        ("update We found it.\nBest regards,\nJordan", Command.UPDATE, "We found it."),
        ("update We found it.\nJordan", Command.UPDATE, "We found it."),
        ("update We found it.\n- Jordan Ray", Command.UPDATE, "We found it."),
        ("update We found it.\n-- \nJordan", Command.UPDATE, "We found it."),
        ("update We found it.\nSent from my iPhone", Command.UPDATE, "We found it."),
        ("update We found it.\nOn Tue, 24 Nov 2026, Acme wrote:\n> old", Command.UPDATE, "We found it."),
        ("update We found it.\n> old", Command.UPDATE, "We found it."),
        ("update: 5½ TB™ are lost：sorry", Command.UPDATE, "5½ TB™ are lost：sorry"),
        ("update: see https://acme.example/a?b=c", Command.UPDATE, "see https://acme.example/a?b=c"),
        ("update INC-12: We found it", Command.UPDATE, "We found it"),
        ("close It was a cable.", Command.CLOSE, "It was a cable."),
        ("close: it is over", Command.CLOSE, "it is over"),
        ("close INC-12 It was a cable.", Command.CLOSE, "It was a cable."),
        ("close", Command.CLOSE, ""),
        ("close:", Command.CLOSE, ""),
        ("close\nJordan", Command.CLOSE, ""),
        ("close\nIt was a cable.", Command.CLOSE, ""),
        ("Close.\n\nThanks", Command.CLOSE, ""),
    ],
)
def test_a_text_is_the_rest_of_the_line_and_the_paragraph_it_starts(
    body: str, command: Command, text: str
) -> None:
    order = order_of(body)
    assert order is not None
    assert (order.command, order.text, order.argument) == (command, text, text)


@pytest.mark.parametrize(
    ("body", "language", "text"),
    [
        ("Aktualisieren: Wir haben es gefunden.", "de", "Wir haben es gefunden."),
        ("mise à jour : c'est réglé", "fr", "c'est réglé"),
        ("mettre à jour Le disque était plein.", "fr", "Le disque était plein."),
        ("обновить: Диск заполнен.", "ru", "Диск заполнен."),
        ("更新：ディスクが一杯でした。", "ja", "ディスクが一杯でした。"),
        ("更新\u3000ディスクが一杯でした。", "ja", "ディスクが一杯でした。"),
        ("更新：磁盘已满。", "zh", "磁盘已满。"),
        (
            f"更新：{'ディスクが一杯でした。' * 3}\n別のサーバーに移します。",
            "ja",
            f"{'ディスクが一杯でした。' * 3}別のサーバーに移します。",
        ),
    ],
)
def test_a_text_is_read_in_other_languages(body: str, language: str, text: str) -> None:
    order = order_of(body, language)
    assert order is not None
    assert (order.command, order.text) == (Command.UPDATE, text)
    assert order_of(body) is None


@pytest.mark.parametrize(
    "sign_off",
    [
        *(
            "Best regards,",
            "Kind regards",
            "Cheers",
            "Thanks!",
            "Mit freundlichen Grüßen",
            "Viele Gruesse",
            "LG",
        ),
        *("Cordialement,", "Bien à vous", "Un saludo,", "Gracias", "Abraços,", "Cordiali saluti", "Groetjes"),
        *("Met vriendelijke groet,", "Pozdrawiam", "Med vänlig hälsning", "Venlig hilsen", "Vennlig hilsen"),
        *(
            "Ystävällisin terveisin",
            "С уважением,",
            "よろしくお願いいたします。",
            "此致",
            "Jordan",
            "Jordan Ray",
            "J. Ray",
        ),
    ],
)
def test_a_text_ends_where_its_writer_takes_leave(sign_off: str) -> None:
    order = order_of(f"update We found it.\n{sign_off}\nAcme Ltd.")
    assert order is not None
    assert order.text == ("We found it." if sign_off != "J. Ray" else "We found it.\nJ. Ray\nAcme Ltd.")


@pytest.mark.parametrize(
    ("body", "status", "text"),
    [
        ("update identified: A disk was full.", UpdateStatus.IDENTIFIED, "A disk was full."),
        ("update: identified: A disk was full.", UpdateStatus.IDENTIFIED, "A disk was full."),
        ("update Monitoring: it works", UpdateStatus.MONITORING, "it works"),
        ("update investigating:\nWe look.", UpdateStatus.INVESTIGATING, "We look."),
        ("update identified\nA disk was full.", UpdateStatus.IDENTIFIED, "A disk was full."),
        ("update\nidentified: A disk was full.", UpdateStatus.IDENTIFIED, "A disk was full."),
        ("update *identified:* A disk was full.", UpdateStatus.IDENTIFIED, "A disk was full."),
        ("update resolved: It works.", UpdateStatus.RESOLVED, "It works."),
        ("update Monitoring shows that it works.", None, "Monitoring shows that it works."),
        ("update Identified the cause", None, "Identified the cause"),
        ("close identified: A disk.", None, "identified: A disk."),
    ],
)
def test_an_update_may_name_its_status(body: str, status: UpdateStatus | None, text: str) -> None:
    order = order_of(body)
    assert order is not None
    assert (order.status, order.text) == (status, text)


def test_a_status_has_names_in_other_languages() -> None:
    order = order_of("aktualisieren: Beobachtung: Es geht wieder.", "de")
    assert order is not None
    assert (order.status, order.text) == (UpdateStatus.MONITORING, "Es geht wieder.")


@pytest.mark.parametrize(
    "body",
    [
        *(
            "update",
            "update:",
            "update INC-12",
            "update ...",
            "update: !",
            "update\n\nWe found it.",
            "update\nJordan",
        ),
        *(
            "update identified:",
            "update: Thanks,".replace(" Thanks,", "\nThanks,"),
            "subject:",
            "message:\n\n",
        ),
        *("publish\nsubject:", "publish\n\nmessage:\n-- \nJordan", "publish\nsubject: \nmessage: ..."),
    ],
)
def test_an_order_without_its_text_lacks_it(body: str) -> None:
    order = order_of(body)
    assert order is not None
    assert order.lacks_text


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        ([], ""),
        (["", "a", "", "", "b", ""], "a\n\nb"),
        (["a", "b"], "a\nb"),
        ([LONG, "b"], f"{LONG}\nb"[:-2] + " b"),
        (["x" * 60, "b"], "x" * 60 + "\nb"),
        ([LONG, "- b"], f"{LONG}\n- b"),
        ([LONG, "1. b"], f"{LONG}\n1. b"),
        (["x" * 150, "b"], "x" * 150 + "\nb"),
        (["長" * 36, "い"], "長" * 36 + "い"),
    ],
)
def test_lines_are_joined_where_a_client_broke_them(lines: list[str], text: str) -> None:
    assert join_wrapped(lines) == text


def test_a_text_is_bounded() -> None:
    order = order_of("message: " + "\n".join(["word " * 100] * 300))
    assert order is not None
    assert order.edit is not None
    assert len(order.edit.message or "") == 10_000


@given(st.text(max_size=300))
def test_reading_an_order_never_fails(body: str) -> None:
    order = read_order(find_new_text(body.splitlines(), EVERYTHING), EVERYTHING, JORDAN)
    assert order is None or order.command in Command


PIECES = st.sampled_from(
    ["publish", "yes", "subject:", "message:", "update", ":", " ", "\n", "is it", "-- ", "x"]
)


@given(st.lists(PIECES, max_size=12).map("".join))
def test_what_is_quoted_orders_nothing(body: str) -> None:
    quoted = [f"> {line}" for line in body.split("\n")]
    assert read_order(find_new_text(quoted), ENGLISH) is None


@given(st.lists(PIECES, max_size=12).map("".join))
def test_what_changes_words_never_publishes_the_old_ones(body: str) -> None:
    order = read_order(find_new_text(["publish", *body.split("\n"), "message: late"]), ENGLISH)
    assert order is None or order.command is not Command.PUBLISH or "-- " in body
