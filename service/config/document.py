"""Plain values out of config.yaml, each with the place where it stands; knows nothing of our keys.

What a fault quotes is always the text of the file, never what the environment or a secret file put there.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from service.config.wording import quote, visible
from service.errors import Fault

Keys = tuple[str | int, ...]
"""The way from the top of the file to a value: `("monitors", 0, "subject")`."""

UNQUOTED: Final = frozenset(
    {
        "secret",
        "signing_secret",
        "password",
        "secret_key",
        "client_secret",
        "refresh_token",
        "database",
        "database_password",
        "url",
        "token_url",
        "token",
    }
)
"""Keys whose values are, or may hold, something secret: a fault names the key instead."""


class Spoiled:
    """Stands where a value had a fault of its own, so that no second one is reported for it."""


SPOILED: Final = Spoiled()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value and its key stand (1-based), and how the value is written in the file."""

    line: int
    column: int
    key_line: int
    key_column: int
    text: str | None
    """The scalar as YAML reads it, before expansion; None for a mapping or list."""
    source: str
    """The scalar as it stands in the file, quotes, indentation and all; empty for a mapping or list."""


_TOP = Place(1, 1, 1, 1, None, "")


@dataclass(frozen=True, slots=True)
class Document:
    """A tree of dicts, lists, texts, numbers, booleans and SPOILED, and the place of each of them."""

    file: str
    tree: Any
    places: Mapping[Keys, Place]

    def place(self, keys: Keys) -> Place:
        """Give the place of a value, or of the nearest thing around it that stands in the file."""
        while keys and keys not in self.places:
            keys = keys[:-1]
        return self.places.get(keys, _TOP)

    def fault(self, keys: Keys, text: str, *, at_key: bool = False) -> Fault:
        """Say what is wrong with the value (or the key) at `keys`."""
        place = self.place(keys)
        line, column = (place.key_line, place.key_column) if at_key else (place.line, place.column)
        return Fault(self.file, line, column, visible(text))

    def quoted(self, keys: Keys) -> str:
        """Name a value in a sentence: as the file has it, or by its key where that must not be shown."""
        text = self.place(keys).text
        name = next((key for key in reversed(keys) if isinstance(key, str)), "the file")
        return quote(name if text is None or name in UNQUOTED else text)


def find(tree: Any, *pattern: str | int) -> Iterator[tuple[Keys, Any]]:  # noqa: ANN401 — whatever YAML holds
    """Give every value that a pattern leads to, with its keys; `*` stands for every key or index."""
    if not pattern:
        yield (), tree
        return
    first, rest = pattern[0], pattern[1:]
    inside: Iterator[tuple[str | int, Any]] = iter(())
    if isinstance(tree, dict):
        inside = iter(tree.items()) if first == "*" else iter([(first, tree[first])] if first in tree else [])
    elif isinstance(tree, list) and first == "*":
        inside = iter(enumerate(tree))
    for key, value in inside:
        for keys, found in find(value, *rest):
            yield (key, *keys), found


def texts(tree: Any, *pattern: str | int) -> Iterator[tuple[Keys, str]]:  # noqa: ANN401 — as `find`
    """Give what `find` gives, texts alone."""
    return ((keys, value) for keys, value in find(tree, *pattern) if isinstance(value, str))


def with_value(tree: Any, keys: Keys, value: Any) -> Any:  # noqa: ANN401 — as `find`
    """Give a copy of the tree in which the value at `keys` (all but the last exist) is another."""
    if not keys:
        return value
    first, rest = keys[0], keys[1:]
    if isinstance(tree, list):
        return [with_value(one, rest, value) if at == first else one for at, one in enumerate(tree)]
    return {**tree, first: with_value(tree.get(first), rest, value)}
