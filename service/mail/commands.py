"""The first line a person wrote → a command, and where that line stands among banners, greetings and quotes.

The line must be exactly a command; scanning a whole text for one fires wrongly in every second client. Words
are a table, to be given per language. Never guesses: what is not exact is for the caller to ask back.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from itertools import islice

from service.mail.plain_text import without_invisible
from service.mail.words import ENGLISH, Command


@dataclass(frozen=True, slots=True)
class Spoken:
    """A line that is exactly a command, perhaps with the number of the incident (`publish INC-12`)."""

    command: Command
    argument: str = ""
    incident_number: int | None = None


@dataclass(frozen=True, slots=True)
class NewText:
    """What of a body its sender wrote; `first_line` is "" if there is nothing."""

    first_line: str
    text: str
    following: tuple[str, ...] = ()
    """The lines below the first, up to a quote or a signature."""
    is_among_quotes: bool = False
    """Whether new text and quotes alternate, so that nobody can tell what the first line answers."""


_LONGEST_LINE = 1000
_LONG_ENOUGH_TO_WRAP = 50
_TOO_LONG_TO_WRAP = 100
"""Characters: a line shorter or longer than these was not broken by a client that wraps at 72 or so."""
_MOST_BANNER_LINES = 8
_MOST_ATTRIBUTION_LINES = 4
_MOST_FIELDS_LOOKED_AT = 5
_SHORT_WORD = 3

_QUOTES = "\"'`\u300c\u300d\u300e\u300f\u201c\u201d\u201e\u201f\u2018\u2019\u201a\u201b«»"
_INCIDENT = re.compile(r"(?P<word>.+) (?P<tag>\[?INC-(?P<number>[0-9]{1,9})\]?)", re.IGNORECASE | re.ASCII)

_GREETING = re.compile(
    r"(?:hi|hello|hey|dear|greetings|good (?:morning|afternoon|evening|day))"
    r"(?P<names>(?: [^\W\d_][\w.'\u2019-]{0,30}){0,3})\s?[,!.:]?",
    re.IGNORECASE,
)
_NEVER_A_NAME = frozenset(
    {"don't", "dont", "don\u2019t", "not", "never", "stop", "wait", "hold", "please", "do", "it", "later"}
)

_BANNER_LEAD = (
    r"\W*(?:(?:caution|warning|attention|notice|important|achtung|vorsicht|ext|extern|externe|external)"
    r"(?: (?:e-?mail|mail|message|sender|absender|nachricht))?\b\W*)"
)
_BANNER_TAG = re.compile(
    rf"(?=.*ext){_BANNER_LEAD}{{1,2}}"
    r"|\W*this (?:message|e-?mail) is from an external sender\W*"
)
_BANNER_SENTENCE = re.compile(
    rf"(?:{_BANNER_LEAD}{{1,2}}|\W*)(?:"
    r"this (?:e-?mail|message|mail) (?:was|is|has|originated|originates|came|comes)\b.{0,40}\b(?:outside|external)\b"
    r"|(?:you|some people who received this message) don['\u2019]t often get e-?mail from "
    r"|diese (?:e-?mail|nachricht) .{0,60}\b(?:außerhalb|extern)"
    r"|ce (?:courriel|message|mail) .{0,60}\b(?:extérieur|externe))"
)
_BANNER_MORE = re.compile(
    r"\W*(?:this (?:e-?mail|message) |(?:please )?(?:do not|don['\u2019]t|never) (?:click|open|reply|respond|follow)"
    r"|learn why|unless you|(?:please )?(?:exercise|use) caution|be (?:careful|cautious)|klicken sie"
    r"|if you (?:are|suspect|believe)|n'ouvrez|ne cliquez)"
)
_BANNER_END = re.compile(r"(?:[.!?:\]>*]|this is important)$")
_RULE = re.compile(r"[-=*_~#]{3,}")
_PROOFPOINT_START, _PROOFPOINT_END = "zjqcmqryfpfptbannerstart", "zjqcmqryfpfptbannerend"

_QUOTED = re.compile(r"\s*(?:>|\||[A-Za-z]{1,4}>)")
_ATTRIBUTION_START = re.compile(
    r"\s*(?:on|am|le|el|il|em|op|den|på|dne|dnia|w dniu|a|în|vào|quoting|zitat von)\b", re.IGNORECASE
)
_ATTRIBUTION_VERB = re.compile(
    r"\b(?:wrote|writes|quoting|schrieb|zitat von|schreef|geschreven|écrit|escribió|scritto|escreveu|skrev"
    r"|kirjoitti|napisał|napsala?|írta|scris|написал|пише|пишет|yazd\u0131|έγραψε)(?:\(\w\)|/a)?(?=\W)",
    re.IGNORECASE,
)
_REST_IS_QUOTED = re.compile(
    r"-{2,} ?[^-\s][^-]{2,200}-{2,}|_{10,}"
    r"|(?:begin forwarded message|anfang der weitergeleiteten nachricht|début du message (?:réexpédié|transféré))\W*",
    re.IGNORECASE,
)
_OWN_MARK = "reply above this line"
_FROM_LINE = re.compile(
    r"(?:from|von|de|da|van|från|fra|od|lähettäjä|от|发件人|寄件者|差出人) ?:",
    re.IGNORECASE,
)
_FIELD_LINE = re.compile(
    r"(?:sent|date|to|cc|subject|gesendet|datum|an|betreff|envoyé|à|objet|enviad[oa](?: el)?|fecha|para|asunto"
    r"|data|inviato|a|oggetto|verzonden|aan|onderwerp|skickat|till|ämne|sendt|dato|til|emne|wysłano|do|temat"
    r"|lähetetty|vastaanottaja|aihe|отправлено|дата|кому|тема|发送时间|收件人|主题|送信日時|宛先|件名) ?:",
    re.IGNORECASE,
)
_MOBILE_SIGNATURE = re.compile(
    r"(?:sent (?:from|via|with|by) |get outlook for |gesendet (?:von|mit) |von meinem \w+ gesendet"
    r"|envoyé (?:de|depuis|à partir) |enviado (?:desde|do) |inviato da |verzonden (?:vanaf|met) "
    r"|skickat från |sendt fra |wysłane z |lähetetty )",
    re.IGNORECASE,
)


class _Kind(Enum):
    BLANK = auto()
    NEW = auto()
    QUOTED = auto()
    SIGNATURE = auto()


_WRITTEN = frozenset({_Kind.BLANK, _Kind.NEW})


def clean_line(line: str) -> str:
    """Give a line as it is compared and shown: NFKC, nothing invisible, white space folded."""
    return " ".join(without_invisible(unicodedata.normalize("NFKC", line[:_LONGEST_LINE])).split())


def read_command(line: str, words: Mapping[str, Command] = ENGLISH.words) -> Spoken | None:
    """Read a line that is exactly a command, or give None.

    Wrapping quotes and asterisks and closing full stops and exclamation marks do not count; a question mark,
    a quote or list mark, an ellipsis or any further word makes it no command.
    """
    text = unwrap(clean_line(line))
    if command := words.get(text.lower()):
        return Spoken(command)
    match = _INCIDENT.fullmatch(text)
    if match and (command := words.get(match["word"].lower())):
        return Spoken(command, match["tag"], int(match["number"]))
    return None


def is_question(line: str) -> bool:
    """Tell whether a line asks: `publish?` is never an order."""
    return clean_line(line).rstrip(_QUOTES + "*_!. ").endswith("?")


def mentions_command(line: str, words: Mapping[str, Command] = ENGLISH.words) -> bool:
    """Tell whether a line that is no command comes near one: `please don't publish`, `ok then`."""
    text = clean_line(line).lower()
    if any(word in text for word in words if len(word) > _SHORT_WORD):
        return True
    return bool(set(re.findall(r"\w+", text)[:2]) & words.keys())


def find_new_text(lines: Sequence[str], *, may_stand_below: bool = True) -> NewText:
    """Find what the sender wrote among a body's lines, and its first line.

    At most one external-mail banner and one greeting are passed over. Text below a quote counts only if every
    earlier line is a quote or its attribution, none follows, and `may_stand_below` is set.
    """
    lines = lines[_banner_length(lines) :]
    kinds = _tell_kinds(lines)
    if not may_stand_below and _Kind.QUOTED in kinds:
        kinds = kinds[: kinds.index(_Kind.QUOTED)]
    new = [number for number, kind in enumerate(kinds) if kind is _Kind.NEW]
    if not new:
        return NewText("", "")
    first = new[1] if len(new) > 1 and _is_greeting(lines[new[0]]) else new[0]
    text = "\n".join(lines[number] for number in range(new[0], len(kinds)) if kinds[number] in _WRITTEN)
    end = next((number for number in range(first, len(kinds)) if kinds[number] not in _WRITTEN), len(kinds))
    return NewText(
        first_line=clean_line(lines[first]),
        text=without_invisible(text).strip(),
        following=tuple(lines[first + 1 : end]),
        is_among_quotes=_is_among_quotes(lines, kinds, new[0], first),
    )


def unwrap(text: str) -> str:
    """Give a cleaned line without wrapping quotes and asterisks, closing full stops and exclamation marks."""
    if text.endswith("..."):
        return text
    while True:
        inner = text.rstrip(".!\u3002").strip()
        is_quoted = len(inner) > 1 and inner[0] in _QUOTES and inner[-1] in _QUOTES
        if is_quoted or (len(inner) > 1 and inner[0] == inner[-1] and inner[0] in "*_"):
            inner = inner[1:-1].strip()
        if inner == text:
            return text
        text = inner


def _is_greeting(line: str) -> bool:
    match = _GREETING.fullmatch(clean_line(line))
    if match is None:
        return False
    names = set(match["names"].lower().split())
    return not names & _NEVER_A_NAME and not names & {part for word in ENGLISH.words for part in word.split()}


def _banner_length(lines: Sequence[str]) -> int:
    """Count the leading lines that hold an external-mail banner, blank lines before it included."""
    start = _next_written(lines, 0)
    if start < len(lines) and _RULE.fullmatch(lines[start].strip()):
        start = _next_written(lines, start + 1)
    if start >= len(lines):
        return 0
    head = clean_line(lines[start]).lower()
    if head.startswith(_PROOFPOINT_START):
        ends = (number for number, line in enumerate(lines) if _PROOFPOINT_END in line.lower())
        return next(ends, -1) + 1
    is_sentence = _BANNER_SENTENCE.match(head) is not None
    if not (is_sentence or _BANNER_TAG.fullmatch(head)) or head.endswith("?"):
        return 0
    end = start + 1
    while end < min(len(lines), start + _MOST_BANNER_LINES):
        line, previous = clean_line(lines[end]).lower(), lines[end - 1].strip()
        may_wrap = _LONG_ENOUGH_TO_WRAP <= len(previous) <= _TOO_LONG_TO_WRAP
        is_wrapped = may_wrap and not _BANNER_END.search(previous)
        if not line or not (is_wrapped or _BANNER_MORE.match(line) or _RULE.fullmatch(line)):
            break
        end += 1
    return end


def _next_written(lines: Sequence[str], start: int) -> int:
    return next((number for number in range(start, len(lines)) if clean_line(lines[number])), len(lines))


def _tell_kinds(lines: Sequence[str]) -> list[_Kind]:
    """Tell each line's kind, up to the line from which on all is quoted without a mark."""
    kinds: list[_Kind] = []
    is_signature = False
    while (number := len(kinds)) < len(lines):
        line = lines[number]
        if _QUOTED.match(line):
            is_signature = False
            kinds.append(_Kind.QUOTED)
        elif not clean_line(line):
            kinds.append(_Kind.BLANK)
        elif _is_start_of_quoted_rest(lines, number):
            break
        elif length := _attribution_length(lines, number):
            following = _next_written(lines, number + length)
            if following == len(lines) or not _QUOTED.match(lines[following]):
                break
            is_signature = False
            kinds.extend([_Kind.QUOTED] * length)
        else:
            is_signature = is_signature or line.strip() == "--" or bool(_MOBILE_SIGNATURE.match(line.strip()))
            kinds.append(_Kind.SIGNATURE if is_signature else _Kind.NEW)
    return kinds


def _is_start_of_quoted_rest(lines: Sequence[str], number: int) -> bool:
    line = clean_line(lines[number].replace("*", ""))
    if _REST_IS_QUOTED.fullmatch(line) or (_OWN_MARK in line.lower() and not line[0].isalpha()):
        return True
    if not (_FROM_LINE.match(line) or _FIELD_LINE.match(line)):
        return False
    following = (clean_line(other.replace("*", "")) for other in lines[number + 1 : number + 10])
    block = [line, *islice(filter(None, following), _MOST_FIELDS_LOOKED_AT)]
    return any(map(_FROM_LINE.match, block)) and any(map(_FIELD_LINE.match, block))


def _attribution_length(lines: Sequence[str], number: int) -> int:
    """Count the lines of an attribution (`On … wrote:`) that begins here; 0 if none does."""
    most = _MOST_ATTRIBUTION_LINES if _ATTRIBUTION_START.match(lines[number]) else 1
    text = ""
    for length, line in enumerate(lines[number : number + most], start=1):
        piece = clean_line(line)
        if not piece or _QUOTED.match(line):
            return 0
        text = f"{text} {piece}"
        if piece.endswith(":") and _ATTRIBUTION_VERB.search(text) and re.search(r"[0-9@]", text):
            return length
    return 0


def _is_among_quotes(lines: Sequence[str], kinds: Sequence[_Kind], first_new: int, first: int) -> bool:
    if _Kind.QUOTED in kinds[:first]:
        is_clean = (
            set(kinds[:first_new]) <= {_Kind.BLANK, _Kind.QUOTED} and _Kind.QUOTED not in kinds[first_new:]
        )
        above = first_new - 1
        is_torn_off = kinds[above] is _Kind.QUOTED and len(lines[above].strip()) >= _LONG_ENOUGH_TO_WRAP
        return not is_clean or is_torn_off
    quoted = [number for number, kind in enumerate(kinds) if kind is _Kind.QUOTED]
    between = range(quoted[0], quoted[-1]) if quoted else range(0)
    return any(kinds[number] is _Kind.NEW and not _is_torn_off(lines, kinds, number) for number in between)


def _is_torn_off(lines: Sequence[str], kinds: Sequence[_Kind], number: int) -> bool:
    """Tell whether a line is the end of a quoted one that a mail server wrapped without marking it."""
    is_between = kinds[number - 1] is kinds[number + 1] is _Kind.QUOTED
    return is_between and len(lines[number - 1].strip()) >= _LONG_ENOUGH_TO_WRAP
