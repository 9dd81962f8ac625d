"""One line → the command that it exactly is, or none.

Scanning a whole text for a command fires wrongly in every second client, so only one line is ever read here, and
it must be exactly a command. Never guesses: what only comes near one is told apart, for the caller to ask back.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from service.mail.lines import clean_line, fold_line, is_wide, unwrap
from service.mail.words import ENGLISH, Command


@dataclass(frozen=True, slots=True)
class Spoken:
    """A line that is exactly a command, perhaps with the number of the incident (`publish INC-12`)."""

    command: Command
    argument: str = ""
    incident_number: int | None = None


_SHORT_WORD: Final = 3
_MOST_WORDS: Final = 4
_LONGEST_WORD: Final = 40
_NEAR: Final = 0.75
"""Of the letters so many are the same, in the same order, of what is taken for a misspelt word."""
_INCIDENT: Final = re.compile(
    r"(?P<word>.+?) ?(?P<tag>\[?INC-(?P<number>[0-9]{1,9})\]?)", re.IGNORECASE | re.ASCII
)


def read_command(line: str, words: Mapping[str, Command] = ENGLISH.words) -> Spoken | None:
    """Read a line that is exactly a command, or give None.

    Wrapping quotes and asterisks and closing full stops and exclamation marks do not count; a question mark,
    a quote or list mark, an ellipsis or any further word makes it no command.
    """
    text = unwrap(clean_line(line))
    if command := words.get(fold_line(text)):
        return Spoken(command)
    match = _INCIDENT.fullmatch(text)
    if match and (command := words.get(fold_line(match["word"]))):
        return Spoken(command, match["tag"], int(match["number"]))
    return None


def without_tag(line: str) -> str:
    """Give the words of a line that is exactly a command, without the number of the incident."""
    text = unwrap(clean_line(line))
    match = _INCIDENT.fullmatch(text)
    return match["word"] if match else text


def mentions_command(line: str, words: Mapping[str, Command] = ENGLISH.words) -> bool:
    """Tell whether a line that is no command comes near one: `please don't publish`, `ok then`."""
    text = fold_line(clean_line(line))
    if any(word in text for word in words if len(word) > _SHORT_WORD or is_wide(word[0])):
        return True
    return bool(set(re.findall(r"\w+", text)[:2]) & words.keys())


def begins_like(line: str, words: Mapping[str, Command] = ENGLISH.words) -> Command | None:
    """Give the command of the word or words that a line begins with: of `hold on` that is to hold."""
    parts = re.findall(r"[\w'-]+", fold_line(clean_line(line)))[:_MOST_WORDS]
    starts = (" ".join(parts[:count]) for count in range(len(parts), 0, -1))
    return next((words[start] for start in starts if start in words), None)


def comes_near(line: str, words: Mapping[str, Command] = ENGLISH.words) -> Command | None:
    """Give the command that a line which is none was perhaps meant to be, misspelt or with more behind it.

    It is for advice alone, and never acts.
    """
    begun = begins_like(line, words)
    if begun is not None:
        return begun
    typed = next(iter(re.findall(r"[\w'-]+", fold_line(clean_line(line)))), "")[:_LONGEST_WORD]
    near = get_close_matches(typed, (word for word in words if len(word) > _SHORT_WORD), n=1, cutoff=_NEAR)
    return words[near[0]] if near else None
