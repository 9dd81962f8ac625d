"""HTML of a mail's body → the lines a person reads.

Knows how clients mark quotes, signatures and paragraphs; what is quoted comes out with `> ` in front, as it would
in plain text. Never fetches anything, never runs or renders.
"""

import re
from dataclasses import dataclass
from typing import NamedTuple, Self

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
_PARTED_TAG = re.compile("dl|h[1-6]|hr|ol|p|pre|table|ul")
"""With room above and below, unless it is styled away."""
_LIST_TAGS = frozenset({"ol", "ul"})
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
_SIGNATURE_MARK = "--"
"""What a line before a signature comes out as: the `-- ` of plain text (RFC 3676, 4.3), without its space."""
_HIDDEN_STYLE = re.compile(
    r"(?:^|;)(?:display:none|visibility:hidden|mso-hide:all|font-size:0(?:\.0*)?(?:px|pt|em|rem|%)?(?:!|;|$)"
    r"|opacity:0(?:\.0*)?(?:!|;|$)|max-height:0(?:px)?(?:!|;|$)|text-decoration[a-z-]*:line-through)"
)
_MARGIN = re.compile(r"(?:^|;)\s*margin(?P<side>-bottom)?\s*:(?P<widths>[^;!]*)", re.IGNORECASE)
_NO_WIDTH = re.compile(r"-|(?:0+|0*\.0+[0-9]*)(?:[a-z%]|$)", re.IGNORECASE)
"""Nothing, or less than a tenth: Outlook writes `.0001pt`."""
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
        """The first of them is never blank."""
        self.pieces: list[str] = []
        self.is_quoted = False
        self.characters = 0
        self.is_parted = False
        """Whether a blank line stands before the next."""

    def write(self, text: str, *, quoted: bool) -> None:
        if not text.isspace():
            if quoted != self.is_quoted:
                self.end()
            self.is_quoted = quoted
        self.pieces.append(text)
        self.characters += len(text)

    def end(self, *, may_be_blank: bool = False) -> None:
        written = "".join(self.pieces)
        self.pieces = []
        if text := " ".join(written.split()):
            self._add(QUOTE_PREFIX + text if self.is_quoted else text)
        elif self.finished and (may_be_blank or _NO_BREAK_SPACE in written):
            self.finished.append("")

    def _add(self, line: str) -> None:
        above = self.finished[-1] if self.finished else ""
        is_below_quote = above.startswith(QUOTE_PREFIX) and not self.is_quoted
        if above and (self.is_parted or is_below_quote):
            self.finished.append("")
        self.is_parted = False
        self.finished.append(line)

    def mark_signature(self) -> None:
        """Mark that a signature follows; below a single line, perhaps a greeting, only a paragraph of its own does.

        There it may be that somebody typed in the signature's place.
        """
        self.end()
        if sum(1 for line in self.finished if line and not line.startswith(QUOTE_PREFIX)) > 1:
            self._add(_SIGNATURE_MARK)
        self.is_parted = True

    @property
    def is_full(self) -> bool:
        return len(self.finished) >= MOST_LINES or self.characters >= MOST_CHARACTERS


@dataclass(frozen=True, slots=True)
class _Element:
    """What of an element says how a client shows it, and what it is to it; all in lower case."""

    tag: str
    id: str
    classes: frozenset[str]
    style: str
    """Without white space."""
    is_hidden: bool
    has_room: bool
    """Whether a blank line stands around it."""

    @classmethod
    def of(cls, node: LexborNode) -> Self:
        attributes = {name.lower(): (value or "").lower() for name, value in node.attributes.items()}
        tag = (node.tag or "").lower()
        classes = frozenset(attributes.get("class", "").split())
        written = attributes.get("style", "")
        style = "".join(written.split())
        # Outlook's paragraphs have none (`MsoNormal`), nor has a list within a list
        is_tight = any(name.removeprefix("x_").startswith("mso") for name in classes) or (
            tag in _LIST_TAGS and node.parent is not None and node.parent.tag in {"li", *_LIST_TAGS}
        )
        return cls(
            tag=tag,
            id=attributes.get("id", ""),
            classes=classes,
            style=style,
            is_hidden="hidden" in attributes or _HIDDEN_STYLE.search(style) is not None,
            has_room=_PARTED_TAG.fullmatch(tag) is not None and not is_tight and _has_margin(written),
        )

    @property
    def is_signature(self) -> bool:
        return self.id in _SIGNATURE_IDS or not _SIGNATURE_CLASSES.isdisjoint(self.classes)

    @property
    def has_outlook_border(self) -> bool:
        return self.tag == "div" and _OUTLOOK_BORDER.search(self.style) is not None

    @property
    def begins_quoted_rest(self) -> bool:
        return self.id in _REST_IS_QUOTED_IDS or "ms-outlook-mobile-reference-message" in self.classes


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
        if not node.is_element_node:
            continue
        element = _Element.of(node)
        if _TEXTLESS_TAG.fullmatch(element.tag) or element.is_hidden:
            continue
        if end := _begin(element, lines, here):
            waiting.append(end)
        # a border above all is that of a banner
        if element.begins_quoted_rest or (element.has_outlook_border and lines.finished):
            break
        if element.is_signature and not here.is_quoted:
            lines.mark_signature()
        waiting.extend(reversed(_children(node, element, here)))


def _begin(element: _Element, lines: _Lines, here: _Waiting) -> _Waiting | None:
    """Begin what stands on lines of its own, and give what is to be waited for at its end."""
    if element.tag in {"td", "th"}:
        lines.write(" ", quoted=False)
    elif element.tag == "li":
        lines.end()
        lines.write("- ", quoted=here.is_quoted)
        return _Waiting(None)
    elif _LINE_TAG.fullmatch(element.tag):
        lines.end(may_be_blank=element.tag == "br")
        # a list belongs to the line above it, as plain text writes it
        lines.is_parted = lines.is_parted or (element.has_room and element.tag not in _LIST_TAGS)
        return _Waiting(None, is_parted=element.has_room)
    return None


def _children(node: LexborNode, element: _Element, here: _Waiting) -> list[_Waiting]:
    children = list(node.iter(include_text=True))
    quoted_children = 0
    if here.is_quoted or element.tag == "blockquote" or element.classes & _QUOTE_CLASSES:
        quoted_children = len(children)
    elif "gmail_quote" in element.classes:
        # Gmail's box also holds what was typed below the quote; the quote itself is a blockquote in it.
        quotes = [number for number, child in enumerate(children, 1) if child.tag == "blockquote"]
        quoted_children = quotes[-1] if quotes else len(children)
    is_preformatted = here.is_preformatted or element.tag == "pre"
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


def _has_margin(style: str) -> bool:
    """Tell whether a block has room below it: unless its style says how much, it has."""
    bottom = ""
    for found in _MARGIN.finditer(style):
        widths = found["widths"].split()
        if widths:
            bottom = widths[2] if not found["side"] and len(widths) > 2 else widths[0]  # noqa: PLR2004  top, sides, bottom
    return not bottom or _NO_WIDTH.match(bottom) is None
