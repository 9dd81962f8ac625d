"""Reads the Authentication-Results (RFC 8601) that a mail server wrote above a mail, tolerantly and within bounds.

Linear in the length of what is read, whatever a stranger wrote there; never raises and judges nothing.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from service.mail.parsing import MOST_HEADER_BYTES

MOST_CHARACTERS: Final = 4 * 1024
"""Of one field: those of Fastmail, with their many methods, run over the 2 KiB that suffice elsewhere."""
MOST_FIELDS: Final = 10
"""Of one mail server on one mail: OpenDKIM, OpenDMARC and an SPF filter write one or two each."""

_NAME: Final = re.compile(rb"([!-9;-~]+)[\t ]*:")
_WRITTEN_BY_FILTERS: Final = frozenset({"dkim-filter", "dmarc-filter", "received-spf"})
"""What may stand between the Authentication-Results fields of one server."""
_WRITTEN_BY_AUTHORS: Final = frozenset(
    {"from", "to", "cc", "subject", "date", "message-id", "mime-version", "content-type"}
)
_TOKEN: Final = re.compile(
    r'(?P<plain>[^\s;=()"\\]+)|(?P<gap>\s+)|(?P<quoted>"[^"\\]*(?:\\.[^"\\]*)*")'
    r"|(?P<equals>=)|(?P<end>;)|(?P<opening>\()|(?P<stray>\))|(?P<unclosed>.)",
    re.DOTALL | re.ASCII,
)
_IN_COMMENT: Final = re.compile(r"[^()\\]+|\\.|.", re.DOTALL)
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_DMARC_ANYWHERE: Final = re.compile(r"(?<![\w.-])dmarc(?:/\d+)?\s*=\s*\"?(\w+)", re.IGNORECASE | re.ASCII)
_EQUALS: Final = None
"""Stands for `=` among the words of a segment, since a quoted word may be one itself."""


@dataclass(frozen=True, slots=True)
class Header:
    """The fields of a mail in their order, as a mail server tells them apart: lines end with LF or CRLF."""

    fields: tuple[tuple[str, bytes], ...]
    """Pairs of lower-case name and value, still folded."""
    is_whole: bool
    """False if it is longer than 64 KiB; the field that was cut is left out."""
    has_bare_cr: bool
    """Whether a carriage return stands alone: readers disagree on whether a line ends there."""

    def values(self, name: str) -> tuple[bytes, ...]:
        """Give the values of every field of this lower-case name."""
        return tuple(value for field, value in self.fields if field == name)


@dataclass(frozen=True, slots=True)
class MethodResult:
    """What a mail server found by one method: `dkim=pass header.d=acme.example`."""

    method: str
    """Lower-case, without its version."""
    result: str
    """Lower-case."""
    properties: tuple[tuple[str, str], ...] = ()
    """Pairs of lower-case name (`header.from`, also `reason`) and value; a name may occur again."""

    def values(self, name: str) -> tuple[str, ...]:
        """Give every value of this lower-case property."""
        return tuple(value for key, value in self.properties if key == name)


@dataclass(frozen=True, slots=True)
class AuthenticationResults:
    """One field, read."""

    authserv_id: str
    """Lower-case; "" where there is none, which is Microsoft 365's way."""
    results: tuple[MethodResult, ...]
    is_sound: bool
    """False if it is too long or a comment or quote in it does not close: a pass in it proves nothing."""
    dmarc_words: frozenset[str]
    """Every result that stands after `dmarc=` anywhere in it, in comments and quotes as well, lower-case."""


def read_header(raw: bytes) -> Header:
    """Read the header of a mail, at most its first 64 KiB; it ends at the first line that is no field."""
    lines = raw[:MOST_HEADER_BYTES].split(b"\n")
    ended_at = next((at for at, line in enumerate(lines) if line in {b"", b"\r"}), None)
    is_whole = ended_at is not None or len(raw) <= MOST_HEADER_BYTES
    found: list[tuple[str, list[bytes]]] = []
    has_bare_cr = False
    for line in lines[:ended_at]:
        kept = line.removesuffix(b"\r")
        has_bare_cr = has_bare_cr or b"\r" in kept
        if found and kept[:1] in {b" ", b"\t"}:
            found[-1][1].append(kept)
        elif match := _NAME.match(kept):
            found.append((match[1].decode("ascii").lower(), [kept[match.end() :]]))
        elif not (kept.startswith(b"From ") and not found):
            break
    if not is_whole and found:
        found.pop()
    return Header(
        fields=tuple((name, b"\r\n".join(pieces)) for name, pieces in found),
        is_whole=is_whole,
        has_bare_cr=has_bare_cr,
    )


def find_topmost(
    header: Header, is_ours: Callable[[str], bool], most: int = MOST_FIELDS
) -> tuple[AuthenticationResults, ...]:
    """Give the fields that our own mail server wrote, and none that a stranger can have written below them.

    The topmost Authentication-Results must be ours by its authserv-id and stand above everything that an
    author writes (From, Subject, …); those of the same authserv-id that follow it directly count with it.
    Where another server's stands on top ours did not write last, and a field that bears our name may be
    forged: then none counts. A border server must remove fields that claim its name (RFC 8601, section 5);
    one that neither writes nor removes any lets a stranger write ours, which no reader can tell.
    """
    found: list[AuthenticationResults] = []
    for name, value in header.fields:
        if name == "authentication-results":
            read = read_results(value)
            if not is_ours(read.authserv_id) or (found and read.authserv_id != found[0].authserv_id):
                break
            found.append(read)
            if len(found) == most:
                break
        elif name in _WRITTEN_BY_AUTHORS or (found and name not in _WRITTEN_BY_FILTERS):
            break
    return tuple(found)


def read_results(value: bytes) -> AuthenticationResults:
    """Read the value of one field, at most 4 KiB of it, folded or not.

    Takes comments (nested), quotes, versions, white space around `=`, unknown methods and segments that say
    nothing, as Microsoft 365 writes them.
    """
    text = b" ".join(value[: 4 * MOST_CHARACTERS].split()).decode("utf-8", "replace")
    segments, is_closed = _split(text[:MOST_CHARACTERS])
    has_id = segments[0][:1] not in ([], [_EQUALS]) and segments[0][1:2] != [_EQUALS]
    authserv_id = (segments[0][0] or "").lower().rstrip(".") if has_id else ""
    results = (_read_segment(segment) for segment in segments[1 if has_id else 0 :])
    return AuthenticationResults(
        authserv_id=authserv_id,
        results=tuple(result for result in results if result is not None),
        is_sound=is_closed and len(text) <= MOST_CHARACTERS and len(value) <= 4 * MOST_CHARACTERS,
        dmarc_words=frozenset(word.lower() for word in _DMARC_ANYWHERE.findall(text[:MOST_CHARACTERS])),
    )


def _split(text: str) -> tuple[list[list[str | None]], bool]:
    """Part at each `;` into segments of words, comments dropped; and say whether all that opens also closes."""
    segments: list[list[str | None]] = [[]]
    word: str | None = None
    is_closed = True
    for kind, token in _lex(text):
        if kind in {"plain", "quoted"}:
            word = (word or "") + (token if kind == "plain" else _ESCAPED.sub(r"\1", token[1:-1]))
            continue
        if word is not None:
            segments[-1].append(word)
            word = None
        if kind == "equals":
            segments[-1].append(_EQUALS)
        elif kind == "end":
            segments.append([])
        is_closed = is_closed and kind not in {"stray", "unclosed"}
    if word is not None:
        segments[-1].append(word)
    return segments, is_closed


def _lex(text: str) -> Iterator[tuple[str, str]]:
    """Give the kind and text of each token; a comment is a gap, and behind what never closes comes nothing."""
    at, kind = 0, ""
    while kind != "unclosed" and (match := _TOKEN.match(text, at)):
        at, kind = match.end(), match.lastgroup or ""
        if kind == "opening":
            at, depth = _skip_comment(text, at)
            kind = "unclosed" if depth else "gap"
        yield kind, match[0]


def _skip_comment(text: str, at: int) -> tuple[int, int]:
    """Give the place behind a comment (RFC 5322, section 3.2.2: quotes mean nothing in it) and its open rest."""
    depth = 1
    while depth and (match := _IN_COMMENT.match(text, at)):
        at = match.end()
        depth += {"(": 1, ")": -1}.get(match[0], 0)
    return at, depth


def _read_segment(segment: list[str | None]) -> MethodResult | None:
    """Read `method=result` and its properties; None for a segment that begins with anything else."""
    match segment:
        case [str(method), None, str(result), *rest]:
            name = method.partition("/")[0].lower()
            if not name:
                return None
            return MethodResult(name, result.lower(), tuple(_pairs(rest)))
    return None


def _pairs(segment: list[str | None]) -> list[tuple[str, str]]:
    found = []
    at = 0
    while at + 2 < len(segment):
        name, equals, value = segment[at : at + 3]
        if name is not None and equals is _EQUALS and value is not None:
            found.append((name.lower(), value))
            at += 3
        else:
            at += 1
    return found
