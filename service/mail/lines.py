"""One line of a mail as it is compared and shown: cleaned, unwrapped, folded. Knows no words and decides nothing."""

import re
import unicodedata
from typing import Final

from service.mail.plain_text import without_invisible

LONGEST_LINE: Final = 1000
_QUOTES: Final = "\"'`\u201c\u201d\u201e\u201f\u2018\u2019\u201a\u201b«»\u2039\u203a"
_BRACKETS: Final = frozenset({"「」", "『』", "《》", "〈〉", "【】"})
_CLOSING: Final = ".!\u3002"
STRAIGHT: Final = str.maketrans({"\u2019": "'", "\u2018": "'", "\u02bc": "'"})
"""Apostrophes, as every keyboard has them."""
_WORD: Final = re.compile(r"[\w']+(?:-[\w']+)*")
_ASKS: Final = re.compile(r"[?\u061f\u037e]\s*$")


def clean_line(line: str) -> str:
    """Give a line as it is compared and shown: NFKC, nothing invisible, white space folded, at most 1,000 long."""
    line = line.lstrip()[:LONGEST_LINE]
    if not (line.isascii() and line.isprintable()):
        line = without_invisible(unicodedata.normalize("NFKC", without_invisible(line)))
    return " ".join(line.split())[:LONGEST_LINE].rstrip()


def tidy_line(line: str) -> str:
    """Give a line as the public may read it: nothing invisible, white space folded, its letters as they were."""
    return " ".join(without_invisible(line).split())


def fold_line(line: str) -> str:
    """Give a cleaned line as it is looked up: without case, its apostrophes straight."""
    return line.translate(STRAIGHT).casefold()


def words_of(text: str) -> list[str]:
    """Give the words of a folded line; an apostrophe or a hyphen within one does not part it."""
    return _WORD.findall(text)


def negates(word: str) -> bool:
    """Tell whether a folded word denies by its end, as `don't` does; whole words that deny are each language's."""
    return word.endswith("n't")


def unwrap(text: str) -> str:
    """Give a cleaned line without wrapping quotes and asterisks, closing full stops and exclamation marks."""
    if text.endswith("..."):
        return text
    while True:
        inner = text.rstrip(_CLOSING).strip()
        if inner[:1] == "\u00a1" and text.endswith("!"):
            inner = inner[1:].strip()
        if len(inner) > 1 and _is_wrapped(inner[0], inner[-1]):
            inner = inner[1:-1].strip()
        if inner == text:
            return text
        text = inner


def is_question(line: str) -> bool:
    """Tell whether a line asks: `publish?` is never an order."""
    return _ASKS.search(clean_line(line).rstrip(_QUOTES + "*_!. ")) is not None


def is_wide(letter: str) -> bool:
    """Tell whether a letter is East Asian and takes two columns (Unicode, annex 11)."""
    return unicodedata.east_asian_width(letter) in {"W", "F"}


def columns(text: str) -> int:
    """Count how wide a text is where an East Asian letter takes two columns, as clients do that wrap lines."""
    return len(text) + sum(map(is_wide, text))


def _is_wrapped(first: str, last: str) -> bool:
    return (
        (first in _QUOTES and last in _QUOTES)
        or (first == last and first in "*_")
        or first + last in _BRACKETS
    )
