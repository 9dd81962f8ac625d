"""The plain yes, no and wait of each language: what a question is answered with, and no order by its own name.

In answer to a notification they are words for publish and discard. In answer to "was this you?" a no must never carry
out what it denies, nor "publish" confirm a discard. And nobody tells the public `no` or `wait`, and no more.
"""

from typing import Final

from service.mail.commands import without_tag
from service.mail.lines import clean_line, fold_line, unwrap

_YES: Final = frozenset(
    fold_line(word)
    for word in (
        *(
            "yes",
            "ok",
            "okay",
            "ja",
            "oui",
            "d'accord",
            "sí",
            "si",
            "de acuerdo",
            "sim",
            "de acordo",
            "sì",
            "d'accordo",
        ),
        *("va bene", "akkoord", "tak", "zgoda", "kyllä", "да", "はい", "是", "是的"),
    )
)
_NO: Final = frozenset(
    fold_line(word)
    for word in (
        "no",
        "nein",
        "non",
        "não",
        "nao",
        "nee",
        "nie",
        "nej",
        "nei",
        "ei",
        "нет",
        "いいえ",
        "否",
        "不",
    )
)
_STOP: Final = frozenset(
    fold_line(word)
    for word in (
        *(
            "nope",
            "not yet",
            "don't",
            "stop",
            "wait",
            "please wait",
            "hold on",
            "never mind",
            "cancel",
            "undo",
        ),
        *("noch nicht", "stopp", "halt", "warte", "warten", "wartet", "bitte warten", "abbrechen"),
        *(
            "pas encore",
            "arrêtez",
            "attends",
            "attendez",
            "attendre",
            "todavía no",
            "espera",
            "espere",
            "esperar",
        ),
        *("ainda não", "pare", "aguarde", "aguardar", "non ancora", "aspetta", "aspettate", "attendere"),
        *("nog niet", "wacht", "wachten", "jeszcze nie", "stój", "czekaj", "poczekaj", "czekać"),
        *("inte än", "vänta", "ikke endnu", "ikke ennå", "vent", "ei vielä", "odota", "odottakaa"),
        *("ещё нет", "стоп", "подожди", "подождите", "まだ", "待って", "待ってください", "やめて"),
        *("等等", "等一下", "停", "不要"),
    )
)


def is_yes(line: str) -> bool:
    """Tell whether a line that is exactly a word for publish says yes, and no more."""
    return fold_line(without_tag(line)) in _YES


def is_no(line: str) -> bool:
    """Tell whether a line that is exactly a word for discard says no, and no more."""
    return fold_line(without_tag(line)) in _NO


def is_no_or_wait(text: str) -> bool:
    """Tell whether a whole text says no, stop or wait, and no more: `update: no` has no news for anybody."""
    return fold_line(unwrap(clean_line(text))) in _NO | _STOP
