"""Small pieces of the sentences that faults are made of; knows neither YAML nor our keys."""

import re
from collections.abc import Iterable
from difflib import get_close_matches

_LONGEST_QUOTE = 60
_LONGEST_GUESS = 64
_MOST_NAMES = 8
_SPACE = re.compile(r"\s+")
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]"
)


def quote(text: str) -> str:
    """Put a text into backticks: one line, 60 characters at most, nothing in it that a terminal obeys."""
    shown = visible(_SPACE.sub(" ", text)).replace("`", "'").strip()
    return f"`{shown if len(shown) <= _LONGEST_QUOTE else shown[: _LONGEST_QUOTE - 1] + '…'}`"


def visible(text: str) -> str:
    """Replace every character that a terminal obeys or does not show."""
    return "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in text)


def is_printable(text: str) -> bool:
    """Whether a text is free of control characters (tab and line breaks are none here) and surrogates."""
    return _UNPRINTABLE.search(text) is None


def suggest(word: str, known: Iterable[str]) -> str:
    """Give `, did you mean `x`?`, or else name the known words, or nothing where there are none."""
    by_folded = {one.casefold(): one for one in known}
    close = get_close_matches(word.casefold(), by_folded, n=1) if len(word) <= _LONGEST_GUESS else []
    if close:
        return f", did you mean {quote(by_folded[close[0]])}?"
    names = [quote(one) for one in by_folded.values()]
    more = ["…"] if len(names) > _MOST_NAMES else []
    return f" (known: {', '.join(names[:_MOST_NAMES] + more)})" if names else ""
