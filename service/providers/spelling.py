"""Quotes and backslashes: brings a copied text nearer to JSON and never changes what its values say."""

import re
import string

_ESCAPED = frozenset("\"'\\/")
_HEX = frozenset(string.hexdigits)
_CODE_LENGTH = 4
"""Hexadecimal digits after a backslash and u."""

# Possessive throughout, and no alternative can fail after its first two characters: it never backtracks.
_STRINGS_AND_COMMENTS = re.compile(
    r"//[^\n]*+|/\*(?:[^*]++|\*(?!/))*+(?:\*/)?"
    r'|"(?:[^"\\]++|\\.)*+"?'
    r"|'(?:[^'\\]++|\\.)*+'?",
    re.DOTALL,
)
_CURLY = "[\u201c\u201d\u201e\u201f\u00ab\u00bb\u2018\u2019\u201a\u201b\u2039\u203a]"
_CURLY_DELIMITER = re.compile(rf"(?<=[{{\[,:])(\s*+)({_CURLY})|({_CURLY})(?=\s*+[:,}}\]])")
_CURLY_DOUBLE = frozenset("\u201c\u201d\u201e\u201f\u00ab\u00bb")


def line_of(text: str, at: int) -> int:
    """Give the 1-based line of a position in a text."""
    return text.count("\n", 0, max(at, 0)) + 1


def straighten(text: str) -> tuple[str, int | None]:
    """Replace curly quotes where they delimit a key or value, and give the position of the first replaced.

    A curly quote delimits if it stands next to a bracket, colon or comma; inside a value it is left alone.
    """
    found = _CURLY_DELIMITER.search(text)
    return _CURLY_DELIMITER.sub(_straight, text), None if found is None else found.end() - 1


def _straight(match: re.Match[str]) -> str:
    gap, quote = match.group(1) or "", match.group(2) or match.group(3)
    return gap + ('"' if quote in _CURLY_DOUBLE else "'")


def keep_pasted_backslashes(text: str) -> str:
    r"""Double the backslashes of those strings that were pasted and not written by a serialiser.

    `"C:\temp"` in a text that is no strict JSON is a path, not a tab. Only a string whose every backslash
    begins `\"`, `\'`, `\\`, `\/` or `\uXXXX`, and which is no UNC path, is taken for an escaped one.
    """
    return _STRINGS_AND_COMMENTS.sub(_with_literal_backslashes, text) if "\\" in text else text


def _with_literal_backslashes(match: re.Match[str]) -> str:
    piece = match.group()
    if piece[0] == "/" or "\\" not in piece or is_escaped(piece[1:-1]):
        return piece
    return piece[0] + piece[1:-1].replace("\\", "\\\\") + piece[-1]


def is_escaped(content: str) -> bool:
    """Whether a serialiser wrote these backslashes, by the rule of keep_pasted_backslashes."""
    if content.startswith("\\\\") and content[2:3] != "\\":
        return False
    at = content.find("\\")
    while at >= 0:
        follower = content[at + 1 : at + 2]
        code = content[at + 2 : at + 2 + _CODE_LENGTH]
        is_code = follower == "u" and len(code) == _CODE_LENGTH and _HEX.issuperset(code)
        if follower not in _ESCAPED and not is_code:
            return False
        at = content.find("\\", at + 2)
    return True
