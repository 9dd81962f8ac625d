"""Reads the vendor's template after values were pasted into it unescaped, so that it is no JSON any more.

Its work is bounded by the text's length, and a value that cannot be told without doubt is never guessed.
"""

import itertools
import string
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pyjson5

from service.errors import PostUnreadable
from service.providers.spelling import is_escaped, line_of

Scalar = str | int | float | bool | None

_KEY_CHARACTERS = string.ascii_letters + string.digits + "_.$-"
_BARE_CHARACTERS = frozenset(_KEY_CHARACTERS + "+{}")
_BARE_LENGTH = 200
_CLOSERS = {'"': '"', "'": "'", "{": "}", "[": "]"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A property that must be told without doubt, by its folded spellings, the preferred one first."""

    label: str
    spellings: tuple[str, ...]
    is_word: bool = False
    """Whether it is a plain word, so that a quote or a line break in it is a sign of a misreading."""


@dataclass(frozen=True, slots=True)
class _Property:
    """A key and the text of its value; `opener` is its quote or bracket, or empty for a bare word."""

    key: str
    at: int
    opener: str
    content: str

    @property
    def has_odd_quotes(self) -> bool:
        """Whether the pasted value may be half of a longer one that holds a key and a quote of its own."""
        return self.opener in {'"', "'"} and self.content.count(self.opener) % 2 == 1


def fold_key(key: str) -> str:
    """Fold a property's name so that its spellings compare equal: case, underscores, hyphens and spaces."""
    return key.casefold().replace("_", "").replace("-", "").replace(" ", "").strip()


def salvage(text: str, wanted: Sequence[Wanted]) -> dict[str, Scalar] | None:
    """Recover the properties of `{key: "value", …}` although values hold quotes, backslashes or braces.

    A value ends where its closing quote is followed by a comma and the next key, or by the last brace. Gives
    None if the text has no such form at all. Raises PostUnreadable, saying where, if a wanted property is
    missing, stands twice or cannot be told from its neighbours. Optional ones that are in doubt are left out.
    """
    found = _properties(text)
    if found is None:
        return None
    folded = [fold_key(one.key) for one in found]
    essential = {spelling for one in wanted for spelling in one.spellings}
    doubtful = _doubtful(found, lambda index: folded[index] in essential)
    for one in wanted:
        _tell(text, one, _places(folded, one), found, doubtful)
    return {
        one.key: _value(one)
        for index, one in enumerate(found)
        if index not in doubtful and one.opener not in {"{", "["}
    }


def _places(folded: list[str], wanted: Wanted) -> list[int]:
    spelling = next((spelling for spelling in wanted.spellings if spelling in folded), None)
    return [index for index, key in enumerate(folded) if key == spelling]


def _tell(text: str, wanted: Wanted, places: list[int], found: list[_Property], doubtful: set[int]) -> None:
    if not places:
        raise PostUnreadable(f"{wanted.label} is missing, or cannot be told from the text around it")
    lines = [line_of(text, found[index].at) for index in places[:2]]
    if len(places) > 1:
        raise PostUnreadable(
            f"line {lines[1]}: {wanted.label} stands here again, it is at line {lines[0]} too"
        )
    one = found[places[0]]
    is_broken = wanted.is_word and not {'"', "'", "\n"}.isdisjoint(one.content)
    if places[0] in doubtful or is_broken or one.opener in {"{", "["}:
        raise PostUnreadable(f"line {lines[0]}: it cannot be told where the value of {wanted.label} ends")


def _properties(text: str) -> list[_Property] | None:
    """Find every key that follows a complete value; cut at the colons, no character is looked at often."""
    pieces = text.split(":")
    heads: list[tuple[str, int, int]] = []
    ends: list[int] = []
    at, is_quoted_style = 0, False
    for piece, following in itertools.pairwise(pieces):
        offset, at = at, at + len(piece) + 1
        stem, key, is_quoted = _key_at_end(piece) if piece else ("", "", False)
        if not heads:
            if not key or stem.strip() != "{":
                return None
            is_quoted_style = is_quoted
        elif not key or is_quoted is not is_quoted_style:
            continue
        else:
            end = _end_before_key(text, stem, offset, heads[-1][2])
            if end is None:
                continue
            ends.append(end)
        heads.append((key, offset + len(stem) + is_quoted, at + len(following) - len(following.lstrip())))
    if not heads:
        return None
    ends.append(_end_of_last(text, heads[-1]))
    return [_property(text, *head, end) for head, end in zip(heads, ends, strict=True)]


def _key_at_end(piece: str) -> tuple[str, str, bool]:
    before = piece.rstrip()
    quote = before[-1:]
    if quote not in {'"', "'"}:
        stem = before.rstrip(_KEY_CHARACTERS)
        return stem, before[len(stem) :], False
    stem = before[:-1].rstrip(_KEY_CHARACTERS)
    return stem[:-1], before[len(stem) : -1] if stem.endswith(quote) else "", True


def _end_before_key(text: str, stem: str, offset: int, value_at: int) -> int | None:
    """Give where the value before a key ends, or None if that key is a part of the value."""
    head = stem.rstrip()
    if head.endswith(","):
        end = offset + len(head[:-1].rstrip())
        return end if _is_complete(text, value_at, end) else None
    is_comma_forgotten = "\n" in stem[len(head) :] and head[-1:] in {'"', "'"}
    end = offset + len(head)
    return end if is_comma_forgotten and _is_complete(text, value_at, end) else None


def _is_complete(text: str, value_at: int, end: int) -> bool:
    opener = text[value_at : value_at + 1]
    if opener in _CLOSERS:
        return end > value_at + 1 and text[end - 1] == _CLOSERS[opener]
    return end - value_at <= _BARE_LENGTH and _BARE_CHARACTERS.issuperset(text[value_at:end])


def _end_of_last(text: str, head: tuple[str, int, int]) -> int:
    key, _, value_at = head
    whole = text.rstrip()
    if not whole.endswith("}"):
        raise PostUnreadable(f"line {line_of(text, len(whole))}: the closing }} is missing")
    end = len(whole[:-1].rstrip().removesuffix(",").rstrip())
    if not _is_complete(text, value_at, end):
        raise PostUnreadable(f"it cannot be told where the value of {key[:80]} ends")
    return end


def _property(text: str, key: str, at: int, value_at: int, end: int) -> _Property:
    opener = text[value_at : value_at + 1]
    if opener in _CLOSERS:
        return _Property(key, at, opener, text[value_at + 1 : end - 1])
    return _Property(key, at, "", text[value_at:end])


def _doubtful(found: list[_Property], is_essential: Callable[[int], bool]) -> set[int]:
    """Find values that may be pieces of one: `Queue "a", b: "c"` looks like two, each with an odd quote."""
    doubtful: set[int] = set()
    opened: int | None = None
    for index, one in enumerate(found):
        if is_essential(index):
            opened = None
        if one.has_odd_quotes:
            if opened is not None:
                doubtful.update(range(opened, index + 1))
            opened = index
    return doubtful


def _value(one: _Property) -> Scalar:
    if one.opener and not ("\\" in one.content and is_escaped(one.content)):
        return one.content
    try:
        value = pyjson5.decode(f"{one.opener}{one.content}{one.opener}", maxdepth=0)
    except (pyjson5.Json5Exception, ValueError):
        return one.content
    return value if isinstance(value, str | int | float | None) else one.content
