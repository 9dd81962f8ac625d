"""HTML of a mail's body → the lines a person reads.

Knows how clients mark quotes, signatures and paragraphs; what is quoted comes out with `> ` in front, as it would
in plain text. Never fetches anything, never runs or renders.
"""

import re
from typing import NamedTuple

from selectolax.lexbor import LexborHTMLParser, LexborNode

from service.mail.plain_text import MOST_CHARACTERS, MOST_LINES

MOST_MARKUP = 128 * 1024
"""Characters of HTML that are looked at: the parser's time grows with the square of the nesting."""
QUOTE_PREFIX = "> "

# Not shown, not typed, or struck out by the one who wrote it.
_TEXTLESS_TAG = re.compile(
    "head|style|script|title|template|noscript|object|svg|math|iframe|textarea|select|s|del|strike"
)
_LINE_TAG = re.compile(
    "address|article|blockquote|br|center|dd|div|dl|dt|fieldset|footer|form|h[1-6]|header|hr|main|ol|p|pre"
    "|section|table|tbody|tr|ul"
)
_PARTED_TAG = re.compile("h[1-6]|ol|p|table|ul")
"""With room above and below, unless it is styled away."""
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
_SIGNATURE_IDS = frozenset(
    {"signature", "x_signature", "ms-outlook-mobile-signature", "x_ms-outlook-mobile-signature"}
)
_SIGNATURE_CLASSES = frozenset({"gmail_signature", "moz-signature"})
_SIGNATURE_MARK = "-- "
"""What stands before a signature in plain text (RFC 3676, 4.3)."""
_HIDDEN_STYLE = re.compile(
    r"(?:^|;)(?:display:none|visibility:hidden|mso-hide:all|font-size:0(?:\.0*)?(?:px|pt|em|rem|%)?(?:!|;|$)"
    r"|opacity:0(?:\.0*)?(?:!|;|$)|max-height:0(?:px)?(?:!|;|$)|text-decoration[a-z-]*:line-through)"
)
_NO_MARGIN = re.compile(r"(?:^|;)margin(?:-top|-bottom)?:0(?![.\d])")
_OUTLOOK_BORDER = re.compile(r"(?:^|;)border-top:solid")
_NO_BREAK_SPACE = "\xa0"
"""Alone on a line it is how Outlook leaves one blank."""
_HTML_SPACE = re.compile(r"[ \t\r\n\f]+")


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
        self.is_parted = False
        self.is_empty = True

    def part(self) -> None:
        """End the line, and leave one blank before the next."""
        self.end()
        self.is_parted = bool(self.finished)

    def write(self, text: str, *, quoted: bool) -> None:
        if not text.isspace():
            if quoted != self.is_quoted:
                self.end()
            self.is_quoted = quoted
            self.is_empty = False
        self.pieces.append(text)
        self.characters += len(text)

    def end(self, *, may_be_blank: bool = False) -> None:
        written = "".join(self.pieces)
        text = " ".join(written.split())
        if text:
            is_below_quote = (
                not self.is_quoted and self.finished[-1:] and self.finished[-1].startswith(QUOTE_PREFIX)
            )
            if is_below_quote or (self.is_parted and self.finished[-1]):
                self.finished.append("")
            self.is_parted = False
            self.finished.append(QUOTE_PREFIX + text if self.is_quoted else text)
        elif may_be_blank or _NO_BREAK_SPACE in written:
            self.finished.append("")
        self.pieces = []

    @property
    def is_full(self) -> bool:
        return len(self.finished) >= MOST_LINES or self.characters >= MOST_CHARACTERS


class _Waiting(NamedTuple):
    """A node still to be read; None ends the line of the block that was read before it."""

    node: LexborNode | None
    is_quoted: bool = False
    is_preformatted: bool = False
    is_parted: bool = False
    """Of the end of a block: whether a blank line follows."""


def _read(body: LexborNode, lines: _Lines) -> None:
    """Walk the tree with a list of our own, for hostile HTML nests deeper than Python recurses."""
    waiting = [_Waiting(body)]
    while waiting and not lines.is_full:
        here = waiting.pop()
        node = here.node
        if node is None:
            lines.end()
            lines.is_parted = lines.is_parted or here.is_parted
            continue
        if node.is_text_node:
            _read_text(node.text_content or "", lines, here)
            continue
        tag = (node.tag or "").lower()
        attributes = {name.lower(): value or "" for name, value in node.attributes.items()}
        if not node.is_element_node or _TEXTLESS_TAG.fullmatch(tag) or _is_hidden(attributes):
            continue
        if _rest_is_quoted(tag, attributes, is_first=lines.is_empty):
            break
        if _is_signature(attributes) and not lines.is_empty and not here.is_quoted:
            lines.end()
            lines.write(_SIGNATURE_MARK, quoted=False)
            lines.end()
        if end := _begin(tag, attributes, lines, here):
            waiting.append(end)
        waiting.extend(reversed(_children(node, tag, attributes, here)))


def _begin(tag: str, attributes: dict[str, str], lines: _Lines, here: _Waiting) -> _Waiting | None:
    """Begin what stands on lines of its own, and give what is to be waited for at its end."""
    if tag in {"td", "th"}:
        lines.write(" ", quoted=False)
    elif tag == "li":
        lines.end()
        lines.write("- ", quoted=here.is_quoted)
        return _Waiting(None)
    elif _LINE_TAG.fullmatch(tag):
        is_parted = _is_parted(tag, attributes)
        if is_parted:
            lines.part()
        lines.end(may_be_blank=tag == "br")
        return _Waiting(None, is_parted=is_parted)
    return None


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


def _is_signature(attributes: dict[str, str]) -> bool:
    classes = attributes.get("class", "").lower().split()
    return attributes.get("id", "").lower() in _SIGNATURE_IDS or not _SIGNATURE_CLASSES.isdisjoint(classes)


def _is_parted(tag: str, attributes: dict[str, str]) -> bool:
    """Tell whether a block has room around it; Outlook's paragraphs have none (`MsoNormal`)."""
    classes = attributes.get("class", "").lower().split()
    is_outlook_s = any(name.removeprefix("x_").startswith("mso") for name in classes)
    is_tight = is_outlook_s or _NO_MARGIN.search(_style(attributes)) is not None
    return _PARTED_TAG.fullmatch(tag) is not None and not is_tight


def _rest_is_quoted(tag: str, attributes: dict[str, str], *, is_first: bool) -> bool:
    """Tell whether the answered mail begins here; a border above all is that of a banner."""
    classes = attributes.get("class", "").lower().split()
    has_border = tag == "div" and _OUTLOOK_BORDER.search(_style(attributes)) is not None
    return (
        attributes.get("id", "").lower() in _REST_IS_QUOTED_IDS
        or "ms-outlook-mobile-reference-message" in classes
        or (has_border and not is_first)
    )


def _style(attributes: dict[str, str]) -> str:
    return "".join(attributes.get("style", "").lower().split())
