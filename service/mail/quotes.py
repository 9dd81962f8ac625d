"""A body's lines → what its sender wrote, told from quotes, attributions, signatures and what stands above.

Knows what the clients of fifteen languages put around an answer. Only ever tells apart; what the new text orders
is for others, and where nobody can tell what is new, it says so.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from itertools import takewhile
from typing import Final

from service.mail.banners import LONG_ENOUGH_TO_WRAP, banner_length, next_written
from service.mail.greetings import is_greeting
from service.mail.lines import clean_line
from service.mail.plain_text import without_invisible
from service.mail.signatures import is_device_line, is_signature_mark
from service.mail.words import ENGLISH, Vocabulary


@dataclass(frozen=True, slots=True)
class NewText:
    """What of a body its sender wrote; `first_line` is "" if there is nothing."""

    first_line: str
    """Cleaned, to be compared."""
    text: str
    first_written: str = ""
    """The first line before it was cleaned."""
    following: tuple[str, ...] = ()
    """The lines below the first, up to a quote or a signature."""
    is_among_quotes: bool = False
    """Whether new text and quotes alternate, so that nobody can tell what the first line answers."""


_MOST_ATTRIBUTION_LINES: Final = 4
_MOST_FIELDS_LOOKED_AT: Final = 5
_LONGEST_ATTRIBUTION: Final = 400

_QUOTED: Final = re.compile(r"\s*(?:[>\uff1e|]|[A-Za-z]{1,4}>)")
_ATTRIBUTION_START: Final = re.compile(
    r"\s*(?:(?:on|am|le|el|il|em|op|den|på|dne|dnia|w dniu|a|în|vào|quoting|zitat von)\b"
    # a weekday, a date or a name with its address, where the client puts no word before them
    r"|(?:\w{2,13}[.,]{0,2} ){0,2}\d{1,4}[./\s年-]|[^<]{0,80}<|\S{1,64}@\S)",
    re.IGNORECASE,
)
_ATTRIBUTION_VERB: Final = re.compile(
    r"\b(?:wrote|writes|quoting|schrieb|schreibt|zitat von|schreef|schrijft|geschreven|écrit|escribió|scritto|scrive"
    r"|escreveu|skrev|skriver|kirjoitti|kirjoittaa|napisał|napsala?|pisze|írta|scris|написала?|пишет|пише|yazd\u0131"
    r"|έγραψε)(?:\(\w\)|/a)?(?=\W)|写道|寫道|のメール",
    re.IGNORECASE,
)
_ADDRESS: Final = re.compile(r"[<([]\s?(?:mailto:)?[^\s<>()@]{1,64}@[^\s<>()@]{1,253}[>)\]]")
_REST_IS_QUOTED: Final = re.compile(
    r"-{2,} ?[^-\s][^-]{2,200}-{2,}|_{10,}|\u2500{10,}"
    r"|(?:begin forwarded message|anfang der weitergeleiteten (?:nachricht|e-mail)"
    r"|début du message (?:réexpédié|transféré)|inicio del mensaje reenviado"
    r"|início da mensagem (?:reencaminhada|encaminhada)|inizio messaggio inoltrato|begin doorgestuurd bericht"
    r"|początek przekazywanej wiadomości|vidarebefordrat (?:brev|meddelande)|start på videresendt besked"
    r"|videresendt melding|välitetty viesti alkaa|начало переадресованного (?:сообщения|письма)"
    r"|転送されたメッセージ|下面是被转发的邮件|以下是轉寄的郵件)\W*",
    re.IGNORECASE,
)
_OWN_MARK: Final = "reply above this line"
_FROM_LINE: Final = re.compile(
    r"(?:from|von|de|da|van|från|fra|od|lähettäjä|от(?: кого)?|发件人|寄件者|寄件人|差出人|送信者) ?:",
    re.IGNORECASE,
)
_FIRST_FIELD: Final = re.compile(
    r"(?:sent|date|to|cc|gesendet|datum|an|envoyé|à|enviad[oa](?: el| em)?|fecha|para|data|inviato|a|verzonden"
    r"|aan|skickat|till|sendt|dato|til|wysłano|wysłane|do|lähetetty|päiväys|vastaanottaja|отправлено|дата|кому"
    r"|发送时间|寄件日期|收件人|收件者|日期|送信日時|日付|宛先) ?:",
    re.IGNORECASE,
)
_FIELD_LINE: Final = re.compile(
    rf"(?:{_FIRST_FIELD.pattern})"
    r"|(?:subject|betreff|objet|asunto|assunto|oggetto|onderwerp|ämne|emne|temat|aihe|тема|主题|主旨|件名) ?:",
    re.IGNORECASE,
)


class _Kind(Enum):
    BLANK = auto()
    NEW = auto()
    QUOTED = auto()
    SIGNATURE = auto()


_WRITTEN: Final = frozenset({_Kind.BLANK, _Kind.NEW})


def find_new_text(
    lines: Sequence[str], vocabulary: Vocabulary = ENGLISH, *, may_stand_below: bool = True
) -> NewText:
    """Find what the sender wrote among a body's lines, and its first line.

    At most one external-mail banner and one greeting are passed over. Text below a quote counts only if every
    earlier line is a quote or its attribution, none follows, and `may_stand_below` is set.
    """
    lines = _without_armour(lines)
    lines = lines[banner_length(lines) :]
    kinds = _tell_kinds(lines)
    if not may_stand_below and _Kind.QUOTED in kinds:
        kinds = kinds[: kinds.index(_Kind.QUOTED)]
    new = [number for number, kind in enumerate(kinds) if kind is _Kind.NEW]
    if not new:
        return NewText("", "")
    first = new[1] if len(new) > 1 and is_greeting(lines[new[0]], vocabulary) else new[0]
    text = "\n".join(lines[number] for number in range(new[0], len(kinds)) if kinds[number] in _WRITTEN)
    end = next((number for number in range(first, len(kinds)) if kinds[number] not in _WRITTEN), len(kinds))
    return NewText(
        first_line=clean_line(lines[first]),
        text=without_invisible(text).strip(),
        first_written=lines[first],
        following=tuple(lines[first + 1 : end]),
        is_among_quotes=_is_among_quotes(lines, kinds, new[0], first),
    )


def _without_armour(lines: Sequence[str]) -> Sequence[str]:
    """Take a text out of its OpenPGP cleartext signature (RFC 9580, section 7)."""
    start = next_written(lines, 0)
    if start == len(lines) or lines[start].strip() != "-----BEGIN PGP SIGNED MESSAGE-----":
        return lines
    inside = next(
        (number + 1 for number in range(start, len(lines)) if not lines[number].strip()), len(lines)
    )
    signed = takewhile(lambda line: line.strip() != "-----BEGIN PGP SIGNATURE-----", lines[inside:])
    return [line.removeprefix("- ") for line in signed]


def _tell_kinds(lines: Sequence[str]) -> list[_Kind]:
    """Tell each line's kind, up to the line from which on all is quoted without a mark."""
    cleaned = list(map(clean_line, lines))
    kinds: list[_Kind] = []
    is_signature = False
    while (number := len(kinds)) < len(lines):
        text = cleaned[number]
        if _QUOTED.match(lines[number]):
            is_signature = False
            kinds.append(_Kind.QUOTED)
        elif not text:
            kinds.append(_Kind.BLANK)
        elif _is_start_of_quoted_rest(cleaned, number):
            break
        elif length := _attribution_length(cleaned, number):
            following = next((at for at in range(number + length, len(lines)) if cleaned[at]), None)
            if following is None or not _QUOTED.match(lines[following]):
                break
            is_signature = False
            kinds.extend([_Kind.QUOTED] * length)
        else:
            is_signature = is_signature or is_signature_mark(text) or _is_device_signature(cleaned, number)
            kinds.append(_Kind.SIGNATURE if is_signature else _Kind.NEW)
    return kinds


def _is_device_signature(cleaned: Sequence[str], number: int) -> bool:
    """Tell whether `Sent from my iPhone` stands here by itself, and not as the end of a wrapped sentence."""
    above = cleaned[number - 1] if number else ""
    return len(above) < LONG_ENOUGH_TO_WRAP and is_device_line(cleaned[number])


def _is_start_of_quoted_rest(cleaned: Sequence[str], number: int) -> bool:
    line = cleaned[number].replace("*", "").strip()
    if _REST_IS_QUOTED.fullmatch(line) or (_OWN_MARK in line.lower() and not line[0].isalpha()):
        return True
    if not (_FROM_LINE.match(line) or _FIRST_FIELD.match(line)):
        return False
    following = takewhile(bool, cleaned[number + 1 : number + 1 + _MOST_FIELDS_LOOKED_AT])
    block = [line, *(other.replace("*", "").strip() for other in following)]
    return any(map(_FROM_LINE.match, block)) and any(map(_FIELD_LINE.match, block))


def _attribution_length(cleaned: Sequence[str], number: int) -> int:
    """Count the lines of an attribution (`On … wrote:`) that begins here; 0 if none does."""
    most = _MOST_ATTRIBUTION_LINES if _ATTRIBUTION_START.match(cleaned[number]) else 1
    text = ""
    for length, piece in enumerate(cleaned[number : number + most], start=1):
        if not piece or _QUOTED.match(piece) or len(text) > _LONGEST_ATTRIBUTION:
            return 0
        text = f"{text} {piece}" if text else piece
        if piece.endswith(":") and _names_a_writer(text):
            return length
    return 0


def _names_a_writer(text: str) -> bool:
    has_digit = re.search(r"[0-9]", text) is not None
    if _ATTRIBUTION_VERB.search(text):
        return has_digit or "@" in text
    return has_digit and _ADDRESS.search(text) is not None


def _is_among_quotes(lines: Sequence[str], kinds: Sequence[_Kind], first_new: int, first: int) -> bool:
    if _Kind.QUOTED in kinds[:first]:
        is_clean = (
            set(kinds[:first_new]) <= {_Kind.BLANK, _Kind.QUOTED} and _Kind.QUOTED not in kinds[first_new:]
        )
        above = first_new - 1
        is_torn_off = kinds[above] is _Kind.QUOTED and len(lines[above].strip()) >= LONG_ENOUGH_TO_WRAP
        return not is_clean or is_torn_off
    quoted = [number for number, kind in enumerate(kinds) if kind is _Kind.QUOTED]
    between = range(quoted[0], quoted[-1]) if quoted else range(0)
    return any(kinds[number] is _Kind.NEW and not _is_torn_off(lines, kinds, number) for number in between)


def _is_torn_off(lines: Sequence[str], kinds: Sequence[_Kind], number: int) -> bool:
    """Tell whether a line is the end of a quoted one that a mail server wrapped without marking it."""
    is_between = kinds[number - 1] is kinds[number + 1] is _Kind.QUOTED
    return is_between and len(lines[number - 1].strip()) >= LONG_ENOUGH_TO_WRAP
