"""Bytes and HTML of a mail's body → the lines a person reads.

Knows charsets, format=flowed (RFC 3676) and how clients mark quotes in HTML; what is quoted comes out with
`> ` in front, as it would in plain text. Never fetches anything, never runs or renders.
"""

import codecs
import re
import unicodedata
from typing import NamedTuple

from selectolax.lexbor import LexborHTMLParser, LexborNode

MOST_CHARACTERS = 64 * 1024
MOST_LINES = 400
MOST_MARKUP = 128 * 1024
"""Characters of HTML that are looked at: the parser's time grows with the square of the nesting."""
QUOTE_PREFIX = "> "

# Codecs that are slow on purpose-made input (idna, punycode) or turn escapes into other letters.
_CODECS_REFUSED = frozenset(
    {"idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined", "utf-7"}
)
# Not shown, not typed, or struck out by the one who wrote it.
_TEXTLESS_TAG = re.compile(
    "head|style|script|title|template|noscript|object|svg|math|iframe|textarea|select|s|del|strike"
)
_LINE_TAG = re.compile(
    "address|article|blockquote|br|center|dd|div|dl|dt|fieldset|footer|form|h[1-6]|header|hr|main|ol|p|pre"
    "|section|table|tbody|tr|ul"
)
_QUOTE_CLASSES = frozenset(
    {"moz-cite-prefix", "yahoo_quoted", "protonmail_quote", "gmail_attr", "zmail_extra"}
)
_REST_IS_QUOTED_IDS = frozenset(
    {
        "divrplyfwdmsg",
        "appendonsend",
        "x_divrplyfwdmsg",
        "x_appendonsend",
        "olk_src_body_section",
        "mail-editor-reference-message-container",
    }
)
_HIDDEN_STYLE = re.compile(
    r"(?:^|;)(?:display:none|visibility:hidden|mso-hide:all|font-size:0(?:\.0*)?(?:px|pt|em|rem|%)?(?:!|;|$)"
    r"|opacity:0(?:\.0*)?(?:!|;|$)|max-height:0(?:px)?(?:!|;|$)|text-decoration[a-z-]*:line-through)"
)
_OUTLOOK_BORDER = re.compile(r"(?:^|;)border-top:solid")
# Not str.splitlines(): it also breaks at form feeds and the like, which no client shows as a new line.
_LINE_BREAK = re.compile(r"\r\n|\r|\n")
# Letters and marks by their category, and yet nothing is seen of them.
_UNSEEN = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_HTML_SPACE = re.compile(r"[ \t\r\n\f]+")


def decode_bytes(payload: bytes, charset: str) -> str:
    """Decode as declared, else as UTF-8, else as windows-1252; an unknown or hostile charset is passed over.

    A last character cut in two, where a mail was truncated, is dropped.
    """
    for name in (charset, "utf-8"):
        try:
            if codecs.lookup(name).name.replace("_", "-") not in _CODECS_REFUSED:
                return payload.decode(name)
        except UnicodeDecodeError as fault:
            if fault.end == len(payload) and fault.reason == "unexpected end of data":
                return payload[: fault.start].decode(name, errors="replace")
        except (LookupError, ValueError):
            continue
    return payload.decode("windows-1252", errors="replace")


def without_invisible(text: str) -> str:
    """Drop control, zero-width and bidi characters, fillers and variation selectors; white space stays."""
    if "\n" in text:
        return "\n".join(map(without_invisible, text.split("\n")))
    if text.isprintable():
        return text if text.isascii() else _UNSEEN.sub("", text)
    return "".join(
        letter
        for letter in _UNSEEN.sub("", text)
        if letter.isspace() or unicodedata.category(letter) not in {"Cc", "Cf", "Cs"}
    )


def cut_to_lines(text: str) -> tuple[str, ...]:
    """Split into lines, at most 400 of at most 64 KiB together."""
    return tuple(_LINE_BREAK.split(text[:MOST_CHARACTERS])[:MOST_LINES])


def unflow(text: str, *, delete_space: bool) -> str:
    """Join the soft line breaks of format=flowed (RFC 3676); `delete_space` is its DelSp=yes.

    A soft break only joins lines of the same quote depth; the signature's `-- ` is never one.
    """
    paragraphs: list[str] = []
    open_depth: int | None = None
    for line in _LINE_BREAK.split(text):
        content = line.lstrip(">")
        depth = len(line) - len(content)
        content = content.removeprefix(" ")
        is_signature = content == "-- "
        if open_depth == depth and not is_signature:
            paragraphs[-1] += content
        else:
            paragraphs.append(f"{'>' * depth} {content}" if depth else content)
        is_soft = content.endswith(" ") and not is_signature
        if is_soft and delete_space:
            paragraphs[-1] = paragraphs[-1][:-1]
        open_depth = depth if is_soft else None
    return "\n".join(paragraphs)


def html_to_lines(markup: str) -> tuple[str, ...]:
    """Give the visible lines of an HTML body, quoted ones with `> ` in front, at most 400 of 64 KiB.

    Blockquotes and the quote classes of Gmail, Thunderbird, Yahoo and Proton are quoted; at the mark where
    Outlook puts the answered mail the text ends, for all that follows is quoted.
    """
    body = LexborHTMLParser(markup[:MOST_MARKUP]).body
    lines = _Lines()
    if body is not None:
        _read(body, lines)
    lines.end()
    return tuple(lines.finished[:MOST_LINES])


class _Lines:
    """The lines written so far and the one being written; quoted and new text never share a line."""

    def __init__(self) -> None:
        self.finished: list[str] = []
        self.pieces: list[str] = []
        self.is_quoted = False
        self.characters = 0

    def write(self, text: str, *, quoted: bool) -> None:
        if not text.isspace():
            if quoted != self.is_quoted:
                self.end()
            self.is_quoted = quoted
        self.pieces.append(text)
        self.characters += len(text)

    def end(self, *, may_be_blank: bool = False) -> None:
        text = " ".join("".join(self.pieces).split())
        if text:
            if not self.is_quoted and self.finished and self.finished[-1].startswith(QUOTE_PREFIX):
                self.finished.append("")
            self.finished.append(QUOTE_PREFIX + text if self.is_quoted else text)
        elif may_be_blank:
            self.finished.append("")
        self.pieces = []

    @property
    def is_full(self) -> bool:
        return len(self.finished) >= MOST_LINES or self.characters >= MOST_CHARACTERS


class _Waiting(NamedTuple):
    """A node still to be read; None ends the line of the block that was read before it."""

    node: LexborNode | None
    is_quoted: bool
    is_preformatted: bool


def _read(body: LexborNode, lines: _Lines) -> None:
    """Walk the tree with a list of our own, for hostile HTML nests deeper than Python recurses."""
    waiting = [_Waiting(body, is_quoted=False, is_preformatted=False)]
    while waiting and not lines.is_full:
        here = waiting.pop()
        node = here.node
        if node is None:
            lines.end()
            continue
        if node.is_text_node:
            _read_text(node.text_content or "", lines, here)
            continue
        tag = (node.tag or "").lower()
        attributes = {name.lower(): value or "" for name, value in node.attributes.items()}
        if not node.is_element_node or _TEXTLESS_TAG.fullmatch(tag) or _is_hidden(attributes):
            continue
        if _rest_is_quoted(tag, attributes):
            break
        if _LINE_TAG.fullmatch(tag):
            lines.end(may_be_blank=tag == "br")
            waiting.append(_Waiting(None, is_quoted=False, is_preformatted=False))
        elif tag in {"td", "th"}:
            lines.write(" ", quoted=False)
        elif tag == "li":
            lines.end()
            lines.write("- ", quoted=here.is_quoted)
            waiting.append(_Waiting(None, is_quoted=False, is_preformatted=False))
        waiting.extend(reversed(_children(node, tag, attributes, here)))


def _children(node: LexborNode, tag: str, attributes: dict[str, str], here: _Waiting) -> list[_Waiting]:
    classes = set(attributes.get("class", "").lower().split())
    children = list(node.iter(include_text=True))
    quoted_children = 0
    if here.is_quoted or tag == "blockquote" or classes & _QUOTE_CLASSES:
        quoted_children = len(children)
    elif "gmail_quote" in classes:
        # Gmail's box also holds what was typed below the quote; the quote itself is a blockquote in it.
        quotes = [number for number, child in enumerate(children, 1) if child.tag == "blockquote"]
        quoted_children = quotes[-1] if quotes else len(children)
    is_preformatted = here.is_preformatted or tag == "pre"
    return [
        _Waiting(child, number < quoted_children, is_preformatted) for number, child in enumerate(children)
    ]


def _read_text(text: str, lines: _Lines, here: _Waiting) -> None:
    if not text:
        return
    if not here.is_preformatted:
        lines.write(_HTML_SPACE.sub(" ", text), quoted=here.is_quoted)
        return
    for number, line in enumerate(text.split("\n")):
        if number:
            lines.end(may_be_blank=True)
        lines.write(line or " ", quoted=here.is_quoted)


def _is_hidden(attributes: dict[str, str]) -> bool:
    return "hidden" in attributes or _HIDDEN_STYLE.search(_style(attributes)) is not None


def _rest_is_quoted(tag: str, attributes: dict[str, str]) -> bool:
    classes = attributes.get("class", "").lower().split()
    return (
        attributes.get("id", "").lower() in _REST_IS_QUOTED_IDS
        or "ms-outlook-mobile-reference-message" in classes
        or (tag == "div" and _OUTLOOK_BORDER.search(_style(attributes)) is not None)
    )


def _style(attributes: dict[str, str]) -> str:
    return "".join(attributes.get("style", "").lower().split())
