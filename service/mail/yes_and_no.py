"""The plain yes and no of each language: what a question is answered with, and no order by its own name.

In answer to a notification they are words for publish and discard. In answer to "was this you?" a no must never carry
out what it denies, nor "publish" confirm a discard.
"""

from typing import Final

from service.mail.commands import without_tag
from service.mail.lines import fold_line

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


def is_yes(line: str) -> bool:
    """Tell whether a line that is exactly a word for publish says yes, and no more."""
    return fold_line(without_tag(line)) in _YES


def is_no(line: str) -> bool:
    """Tell whether a line that is exactly a word for discard says no, and no more."""
    return fold_line(without_tag(line)) in _NO
