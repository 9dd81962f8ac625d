"""What a person wrote → the one order in it, with the text, span or changes that belong to it.

The first line decides; what is not exactly an order is named, for the caller to ask back. Never guesses.
"""

import re
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import timedelta
from itertools import dropwhile
from typing import Final

from service.mail.commands import read_command
from service.mail.lines import clean_line, columns, fold_line, tidy_line, unwrap
from service.mail.quotes import NewText
from service.mail.sentences import is_sentence
from service.mail.signatures import is_sign_off
from service.mail.spoken_text import MOST_SUBJECT, MOST_TEXT, join_wrapped, read_span
from service.mail.words import ANY_FIELD, Command, EditedField, Vocabulary
from service.mail.yes_and_no import is_no_or_wait
from service.model import UpdateStatus

_MOST_HEAD_WORDS: Final = 3
_TAKES_TEXT: Final = frozenset({Command.UPDATE, Command.CLOSE})
_TAKES_MORE: Final = _TAKES_TEXT | {Command.HOLD}
_MARKS: Final = "*_ "
"""What clients put around bold and slanted words in plain text."""
_EMPHASIS: Final = re.compile(r"\A(?P<mark>[*_]{1,2})(?P<text>[^*_]+)(?P=mark)\Z")
_COLON: Final = re.compile(r"(?P<head>[^:\uff1a]{1,40})[:\uff1a][*_]*(?P<rest>.*)", re.DOTALL)
_TAG: Final = re.compile(
    r"(?:(?P<head>.*?) )?\[?INC-(?P<number>[0-9]{1,9})\]?(?: (?P<tail>.*))?",
    re.IGNORECASE | re.ASCII | re.DOTALL,
)
_HELD_AT_ONCE: Final = re.compile(r"(?P<head>[^\W\d_]{1,20}) ?(?P<rest>\d.*)")
_LETTER: Final = re.compile(r"[^\W_]")


@dataclass(frozen=True, slots=True)
class Edit:
    """Other words for an incident; None: as they were."""

    subject: str | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """A command with what belongs to it. An update without text and an edit without change lack it."""

    command: Command
    argument: str = ""
    """The rest of what was read, for a person: the tag, the span, the text."""
    incident_number: int | None = None
    span: timedelta | None = None
    """Of a hold that says how long."""
    status: UpdateStatus | None = None
    text: str = ""
    is_cut: bool = False
    """Whether the text announces what stands in another paragraph."""
    edit: Edit | None = None

    @property
    def lacks_text(self) -> bool:
        """Whether that is missing without which it means nothing, or only half."""
        return (
            self.is_cut
            or (self.command is Command.UPDATE and not self.text)
            or (self.command is Command.EDIT and self.edit in {None, Edit()})
        )


def read_order(new: NewText, vocabulary: Vocabulary, signers: AbstractSet[str] = frozenset()) -> Order | None:
    """Read the order that the first line is, or give None.

    `signers` are the folded words of the writer's name: a line of nothing else ends a text.
    """
    first = _EMPHASIS.sub(r"\g<text>", tidy_line(new.first_written))
    body = _Body(first, new.following, new.text, vocabulary, signers)
    if _field_of(first, vocabulary):
        return _with_edit(body, [first, *new.following], None)
    if spoken := read_command(first, vocabulary.words):
        command, number = spoken.command, spoken.incident_number
        if command is Command.PUBLISH and body.has_fields():
            # changed words that do not follow at once were meant for something: better not publish the old ones
            return _with_edit(body, new.following, number) if body.begins_with_field() else None
        return (
            _with_text(command, number, "", body)
            if command is Command.UPDATE
            else Order(command, spoken.argument, number)
        )
    return _read_longer(body)


@dataclass(frozen=True, slots=True)
class _Body:
    """What was written: the first line, tidied, and those below it."""

    first: str
    lines: tuple[str, ...]
    whole: str
    """All that is new, below quotes as well."""
    vocabulary: Vocabulary
    signers: AbstractSet[str]

    def has_fields(self) -> bool:
        heads = (_COLON.match(tidy_line(line).lstrip(_MARKS)) for line in self.whole.split("\n"))
        return any(found is not None and _folded(found["head"]) in ANY_FIELD for found in heads)

    def begins_with_field(self) -> bool:
        written = next((line for line in self.lines if clean_line(line)), "")
        return _field_of(written, self.vocabulary) is not None

    def paragraph(self) -> Iterator[str]:
        """Give the lines below the first up to a blank one or the beginning of a signature."""
        for line in self.lines:
            text = tidy_line(line)
            if not text or is_sign_off(text, self.signers):
                return
            yield text

    def goes_on(self) -> bool:
        """Tell whether more is written below the paragraph, and no signature."""
        below = dropwhile(tidy_line, self.lines)
        written = next((text for line in below if (text := tidy_line(line))), "")
        return bool(written) and not is_sign_off(written, self.signers)


def _field_of(line: str, vocabulary: Vocabulary) -> tuple[EditedField, str] | None:
    """Give which words a line changes (`subject: …`), and to what."""
    found = _COLON.match(tidy_line(line).lstrip(_MARKS))
    name = vocabulary.fields.get(_folded(found["head"])) if found else None
    return (name, found["rest"].strip()) if name and found else None


def _with_edit(body: _Body, lines: Sequence[str], number: int | None) -> Order:
    """Read `subject:` and `message:` lines; a message may have several paragraphs, a subject only one."""
    found: dict[EditedField, list[str]] = {}
    current: EditedField | None = None
    for line in dropwhile(lambda line: not tidy_line(line), lines):
        text = tidy_line(line)
        field = _field_of(text, body.vocabulary)
        if field and field[0] not in found:
            current, found[field[0]] = field[0], [field[1]]
        elif is_sign_off(text, body.signers) or (current is None and text):
            break
        elif current is EditedField.SUBJECT and not text:
            current = None
        elif current is not None:
            found[current].append(text)
    subject = " ".join(found.get(EditedField.SUBJECT, [])).strip()[:MOST_SUBJECT]
    message = join_wrapped(found.get(EditedField.MESSAGE, []))[:MOST_TEXT]
    edit = Edit(subject if _says(subject) else None, message if _says(message) else None)
    return Order(Command.EDIT, incident_number=number, edit=edit)


def _read_longer(body: _Body) -> Order | None:
    """Read a line that begins with a command which takes something behind it."""
    for head, behind, has_colon in _divisions(body.first):
        named, number = _without_tag(head.strip(_MARKS))
        command = body.vocabulary.words.get(_folded(named))
        if command not in _TAKES_MORE:
            continue
        number, rest = _leading_tag(behind) if number is None else (number, behind)
        if command is Command.HOLD:
            return _hold(clean_line(rest), number)
        is_text = has_colon or _is_text(rest, body.vocabulary)
        return _with_text(command, number, rest, body) if is_text else None
    return None


def _is_text(rest: str, vocabulary: Vocabulary) -> bool:
    has_status = _status_of(rest, vocabulary)[0] is not None
    return bool(rest) and (has_status or not is_sentence(rest, vocabulary))


def _divisions(first: str) -> Iterator[tuple[str, str, bool]]:
    """Part a line into the words of a command and the rest in each way: at its colon, at its first spaces."""
    if found := _COLON.match(first.lstrip(_MARKS)):
        yield found["head"], found["rest"].strip(), True
    words = first.split(" ")
    for count in range(min(_MOST_HEAD_WORDS, len(words)), 0, -1):
        yield " ".join(words[:count]), " ".join(words[count:]), False
    if found := _HELD_AT_ONCE.fullmatch(first):
        yield found["head"], found["rest"], False


def _without_tag(head: str) -> tuple[str, int | None]:
    found = _TAG.fullmatch(head)
    if found and found["head"] and not found["tail"]:
        return found["head"], int(found["number"])
    return head, None


def _leading_tag(rest: str) -> tuple[int | None, str]:
    found = _TAG.fullmatch(rest)
    if found and not found["head"]:
        return int(found["number"]), (found["tail"] or "").strip()
    return None, rest


def _hold(rest: str, number: int | None) -> Order | None:
    text = unwrap(rest)
    if not text:
        return Order(Command.HOLD, incident_number=number)
    span = read_span(text)
    return None if span is None else Order(Command.HOLD, text, number, span=span)


def _with_text(command: Command, number: int | None, rest: str, body: _Body) -> Order | None:
    """Take the rest of the line and the paragraph that it starts (clients wrap at 72 to 78).

    A plain no is no text, not even behind a colon.
    """
    before = columns(body.first) - columns(rest)
    status = None
    lines = [rest, *body.paragraph()]
    if command is Command.UPDATE:
        status, lines[0] = _status_of(rest, body.vocabulary)
        if not rest and len(lines) > 1:
            status, lines[1] = _status_of(lines[1], body.vocabulary)
    text = join_wrapped(lines, before)[:MOST_TEXT]
    text = text if _says(text) else ""
    if is_no_or_wait(text):
        return None
    is_cut = text.endswith((":", "\uff1a")) and body.goes_on()
    return Order(command, text, number, status=status, text=text, is_cut=is_cut)


def _status_of(text: str, vocabulary: Vocabulary) -> tuple[UpdateStatus | None, str]:
    """Part the status that an update may begin with, and a colon behind it or a line of its own, from its text."""
    found = _COLON.match(text)
    status = vocabulary.statuses.get(_folded(found["head"] if found else text))
    if status is None:
        return None, text
    return status, found["rest"].lstrip(_MARKS) if found else ""


def _folded(head: str) -> str:
    return fold_line(clean_line(head.strip(_MARKS)).strip(_MARKS))


def _says(text: str) -> bool:
    return _LETTER.search(text) is not None
