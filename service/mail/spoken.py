"""What a person wrote → the one order in it, with the text, span or changes that belong to it.

The first line decides; what is not exactly an order is named, for the caller to ask back. Never guesses.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import Final

from service.mail.commands import NewText, clean_line, read_command, unwrap
from service.mail.plain_text import without_invisible
from service.mail.words import Command, Vocabulary
from service.model import UpdateStatus

LONGEST_HOLD: Final = timedelta(hours=24)
_LONGEST_TEXT: Final = 10_000

_UNIT: Final = (
    r"(?P<{0}>\d{{1,4}})\s?(?:{1})(?![a-zà-ÿа-я])\s?(?:and |und |et |y |e |en |i |och |og |ja |и )?"
)
_HOURS: Final = (
    r"hours?|hrs?|h|stunden?|std|heures?|horas?|ore|ora|uur|uren|godz(?:in[ay]?)?|timmar|timer|tuntia?"
    r"|час(?:а|ов)?|時間|小时|小時"  # noqa: RUF001  Russian is written in Cyrillic
)
_MINUTES: Final = (
    r"minutes?|mins?|m|minuten?|minutos?|minuti|minut[ay]?|minutter|minuuttia|мин(?:ут[аы]?)?|分(?:钟|鐘)?"
)
_SPAN: Final = re.compile(
    f"(?:{_UNIT.format('hours', _HOURS)})?(?:{_UNIT.format('minutes', _MINUTES)})?", re.IGNORECASE
)
_FIELDS: Final = {
    "subject": (
        *("subject", "betreff", "objet", "asunto", "assunto", "oggetto", "onderwerp", "temat", "ämne"),
        *("emne", "aihe", "тема", "件名", "主题", "主題"),
    ),
    "message": (
        *("message", "nachricht", "text", "mensaje", "mensagem", "messaggio", "bericht", "wiadomość"),
        *("meddelande", "besked", "melding", "viesti", "сообщение", "本文", "内容", "內容"),
    ),
}
_FIELD_OF: Final = {word: name for name, words in _FIELDS.items() for word in words}
_FIELD: Final = re.compile(r"\s*(?P<name>[^\W\d_]{2,12}) ?[:\uff1a]\s*(?P<rest>.*)", re.DOTALL)
_STATUS: Final = re.compile(
    r"(?P<status>investigating|identified|monitoring|resolved)\b ?[:,.-]? *(?P<rest>.*)",
    re.IGNORECASE | re.DOTALL,
)
_NO_TEXT: Final = re.compile(
    r"(?:to|me|us|by|in|at|enough|call)\b.*"
    r"|(?:it|this|that|them|now|soon|later|tomorrow|today|the incident|please)\b[ a-z]{0,20}[.!]*",
    re.DOTALL,
)
"""How a sentence goes on that only begins like an order: `close to the limit`, `update me`."""
_SIGN_OFF: Final = re.compile(
    r"(?:(?:best|kind|warm)(?: regards| wishes)?|regards|cheers|thanks|thank you|thx|br|rgds|sincerely|yours"
    r"|mfg|lg|vg|(?:mit )?freundliche[nr]? grü(?:ß|ss)en?|viele grü(?:ß|ss)e|gru(?:ß|ss)|danke"
    r"|cordialement|merci|bien à vous|saludos|gracias|atentamente|abraços|obrigad[oa]|cumprimentos|saluti|grazie"
    r"|groet(?:en|jes)?|met vriendelijke groet(?:en)?|bedankt|pozdrawiam|pozdrowienia|mvh|hälsningar|tack"
    r"|(?:med )?venlig hilsen|(?:med )?vennlig hilsen|hilsen|terveisin|kiitos|с уважением|спасибо)[ ,.!]*",  # noqa: RUF001  as above
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Edit:
    """Other words for an incident; None: as they were."""

    subject: str | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """A command with what belongs to it."""

    command: Command
    argument: str = ""
    """The rest of what was read, for a person: the tag, the span, the text."""
    incident_number: int | None = None
    span: timedelta | None = None
    status: UpdateStatus | None = None
    text: str = ""
    edit: Edit | None = None


def read_order(new: NewText, vocabulary: Vocabulary) -> Order | None:
    """Read the order that the first line is, or give None."""
    first = clean_line(new.first_line)
    if edit := _read_edit([first, *new.following]):
        return Order(Command.EDIT, edit=edit)
    if spoken := read_command(first, vocabulary.words):
        match spoken.command:
            case Command.PUBLISH if edit := _read_edit(new.following):
                return Order(Command.EDIT, edit=edit)
            case Command.UPDATE:
                return _with_text(Command.UPDATE, "", new.following)
        return Order(spoken.command, spoken.argument, spoken.incident_number)
    return _read_longer(first, new.following, vocabulary)


def is_refusal(first_line: str, vocabulary: Vocabulary) -> bool:
    """Tell whether a line holds any word that keeps a reply from publishing."""
    text = clean_line(first_line).lower()
    words = re.findall(r"[\w']+", text.replace("\u2019", "'"))
    pairs = [" ".join(pair) for pair in pairwise(words)]
    if vocabulary.refusals & {*words, *pairs}:
        return True
    return any(word in text for word in vocabulary.cjk_refusals)


def _read_longer(first: str, following: Sequence[str], vocabulary: Vocabulary) -> Order | None:
    """Read a line that begins with a command which takes something behind it."""
    for word, command in sorted(vocabulary.words.items(), key=lambda item: -len(item[0])):
        if command not in {Command.HOLD, Command.UPDATE, Command.CLOSE} or not first.lower().startswith(word):
            continue
        rest = first[len(word) :]
        if rest and rest[0].isalnum() and word.isascii():
            continue
        has_colon = rest.lstrip()[:1] in {":", "\uff1a"}
        rest = rest.lstrip(" :\uff1a\u3000")
        if command is Command.HOLD:
            return _read_hold(rest)
        if not has_colon and _NO_TEXT.fullmatch(rest):
            return None
        if not rest and not has_colon:
            return None
        return _with_text(command, rest, following)
    return None


def _read_hold(rest: str) -> Order | None:
    text = unwrap(rest).lower()
    found = _SPAN.fullmatch(text) if text else None
    if found is None:
        return None
    span = timedelta(hours=int(found["hours"] or 0), minutes=int(found["minutes"] or 0))
    return Order(Command.HOLD, text, span=span) if timedelta(0) < span <= LONGEST_HOLD else None


def _with_text(command: Command, rest: str, following: Sequence[str]) -> Order:
    """Take the rest of the line and the paragraph that it starts: clients wrap at 72 to 78."""
    lines = [rest] if rest else []
    for line in following:
        if not line.strip() or _SIGN_OFF.fullmatch(line.strip()):
            break
        lines.append(line.strip())
    text = _plain("\n".join(lines))
    status = None
    if found := _STATUS.match(text) if command is Command.UPDATE else None:
        status, text = UpdateStatus(found["status"].lower()), found["rest"].strip()
    return Order(command, text, status=status, text=text)


def _read_edit(lines: Sequence[str]) -> Edit | None:
    """Read `subject:` and `message:` lines, if the first written line is one; a message may have paragraphs."""
    found: dict[str, list[str]] = {}
    current = ""
    for line in lines:
        match = _FIELD.match(line)
        name = _FIELD_OF.get(match["name"].lower()) if match else None
        if name and match and name not in found:
            current, found[name] = name, [match["rest"]]
        elif not current and line.strip():
            return None
        elif _SIGN_OFF.fullmatch(line.strip()):
            break
        elif current == "subject" and not line.strip():
            current = "done"
        elif current in {"subject", "message"}:
            found[current].append(line)
        elif current and line.strip():
            break
    subject = " ".join(_plain(" ".join(found["subject"])).split()) if "subject" in found else None
    message = _plain("\n".join(found["message"])) if "message" in found else None
    return Edit(subject or None, message or None) if subject or message else None


def _plain(text: str) -> str:
    return without_invisible(text).strip()[:_LONGEST_TEXT]
