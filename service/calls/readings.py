"""The Markdown of incidents as other programs read it: Slack's mrkdwn, the subset of Teams' cards, plain text. Pure.

Its tokens are walked, and no text of an update links, mentions or pings. Slack has no escape for its marks: a literal
`*word*` is bold there. A hidden character beside it would spoil what is copied, and nobody documents that it helps.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from textwrap import indent
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

_PARSER: Final = (
    # as pages and mails read it, so that nobody reads other structure than they do
    MarkdownIt("commonmark", {"html": False, "linkify": False, "breaks": True, "maxNesting": 10})
    .enable(["strikethrough", "table"])
    .disable("image")
)
_LINKED: Final = re.compile(r"(?:https?|mailto):", re.IGNORECASE)
_SCHEME: Final = re.compile(r"^(?:https?://|mailto:)", re.IGNORECASE)
_SEAM: Final = "\u200b"
"""A zero-width space: beside a letter, what Slack reads as a mark is one only where this parts them."""
_RULE: Final = "———"
_INDENT: Final = "    "


@dataclass(frozen=True, slots=True)
class _Dialect:
    """How a program writes what Markdown says; a mark that it does not know is empty."""

    strong: str
    em: str
    s: str
    code: str
    fence: str
    quote: str
    bullet: str
    line_break: str
    seam: str
    text: Callable[[str], str]
    link: Callable[[str, str], str]
    """Of a text and an address: both as they are."""

    def mark_of(self, kind: str) -> str:
        """Give the mark around what is of a kind of node; a heading is strong."""
        return {"strong": self.strong, "heading": self.strong, "em": self.em, "s": self.s}.get(kind, "")


def to_slack(source: str) -> str:
    """Give Markdown as mrkdwn, for a text object that is `verbatim`: in others Slack looks for names to mention."""
    return _read(source, _SLACK)


def to_teams(source: str) -> str:
    """Give Markdown as a TextBlock reads it: bold, italic, lists and links alone."""
    return _read(source, _TEAMS)


def to_plain(source: str) -> str:
    """Give Markdown without its marks, each link with its address behind it where its text is another."""
    return _read(source, _PLAIN)


def slack_escaped(text: str) -> str:
    """Escape what Slack reads as markup ("Formatting text for app surfaces": &, < and > alone)."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _read(source: str, dialect: _Dialect) -> str:
    return _blocks(SyntaxTreeNode(_PARSER.parse(source)).children, dialect, "\n\n")


def _blocks(nodes: Sequence[SyntaxTreeNode], dialect: _Dialect, between: str) -> str:
    return between.join(filter(None, (_block(node, dialect) for node in nodes)))


def _block(node: SyntaxTreeNode, dialect: _Dialect) -> str:
    match node.type:
        case "paragraph" | "heading":
            return _line(node, dialect)
        case "bullet_list" | "ordered_list":
            return _list(node, dialect)
        case "blockquote":
            lines = _blocks(node.children, dialect, "\n\n").split("\n")
            return "\n".join(f"{dialect.quote}{line}".rstrip() for line in lines)
        case "fence" | "code_block":
            return _code_block(node.content.rstrip("\n"), dialect)
        case "hr":
            return _RULE
        case "table":
            rows = [row for part in node.children for row in part.children]
            return dialect.line_break.join(
                " | ".join(_line(cell, dialect) for cell in row.children) for row in rows
            )
        case _:
            return _blocks(node.children, dialect, "\n\n")


def _list(node: SyntaxTreeNode, dialect: _Dialect) -> str:
    first = int(node.attrs.get("start", 1)) if node.type == "ordered_list" else None
    items = []
    for number, item in enumerate(node.children):
        mark = dialect.bullet if first is None else f"{first + number}. "
        # what is below an item stands further right than its mark
        text = indent(_blocks(item.children, dialect, "\n"), _INDENT).removeprefix(_INDENT)
        items.append(f"{mark}{text}".rstrip())
    return "\n".join(items)


def _code_block(code: str, dialect: _Dialect) -> str:
    text = dialect.text(code.replace("```", "'''") if dialect.fence else code)
    if dialect.fence:
        return f"{dialect.fence}\n{text}\n{dialect.fence}"
    return text.replace("\n", dialect.line_break)


def _line(node: SyntaxTreeNode, dialect: _Dialect) -> str:
    """Give a line of text, or some, whose marks end and begin anew at each break: Slack's reach no further."""
    line = _Line(dialect)
    line.read(node)
    return line.written.strip()


class _Line:
    """The text written so far, and the marks that are open in it."""

    def __init__(self, dialect: _Dialect) -> None:
        self.written = ""
        self._dialect = dialect
        self._open: list[str] = []
        self._ends_in_mark = False

    def read(self, node: SyntaxTreeNode) -> None:
        """Write what a node holds."""
        match node.type:
            case "text":
                self._write(self._dialect.text(node.content))
            case "code_inline":
                # of a backtick within there is no way to write it in Slack
                mark = "" if "`" in node.content else self._dialect.code
                self._mark(mark)
                self._write(self._dialect.text(node.content))
                self._close(mark)
            case "softbreak" | "hardbreak":
                self._break()
            case "link":
                self._link(node)
            case _:
                mark = self._dialect.mark_of(node.type)
                self._around(node, "" if mark in self._open else mark)

    def _around(self, node: SyntaxTreeNode, mark: str) -> None:
        self._mark(mark)
        if mark:
            self._open.append(mark)
        for child in node.children:
            self.read(child)
        if mark:
            self._open.pop()
        self._close(mark)

    def _link(self, node: SyntaxTreeNode) -> None:
        address, text = str(node.attrs.get("href", "")), _bare(node)
        if self.written.endswith("!"):
            # or a card would take it for a picture
            self.written += self._dialect.seam
        if _LINKED.match(address):
            self._write(self._dialect.link(text, address))
        else:
            self._write(self._dialect.text(text))

    def _break(self) -> None:
        self.written += "".join(reversed(self._open)) + self._dialect.line_break + "".join(self._open)
        self._ends_in_mark = False

    def _mark(self, mark: str) -> None:
        if mark and self.written[-1:].isalnum():
            self.written += self._dialect.seam
        self.written += mark

    def _close(self, mark: str) -> None:
        self.written += mark
        self._ends_in_mark = bool(mark)

    def _write(self, text: str) -> None:
        if self._ends_in_mark and text[:1].isalnum():
            self.written += self._dialect.seam
        self.written += text
        self._ends_in_mark = False


def _bare(node: SyntaxTreeNode) -> str:
    """Give the letters of a link's text, on one line: neither program reads marks or breaks in it."""
    if node.type in {"softbreak", "hardbreak"}:
        return " "
    return node.content if not node.children else "".join(map(_bare, node.children))


def _slack_link(text: str, address: str) -> str:
    target = slack_escaped(address).replace("|", "%7C")
    return f"<{target}|{slack_escaped(text).replace('|', '¦')}>" if text.strip() else f"<{target}>"


_TEAMS_MARK: Final = re.compile(r"\\(?=[\\*_\[\]])|\*(?=\S)|(?<=\S)\*|(?<!\w)_|_(?!\w)|\[|\](?=\()")


def _teams_text(text: str) -> str:
    return _TEAMS_MARK.sub(lambda found: f"\\{found.group()}", text)


def _teams_link(text: str, address: str) -> str:
    return f"[{_teams_text(text)}]({address.replace('(', '%28').replace(')', '%29')})"


def _plain_link(text: str, address: str) -> str:
    bare = _SCHEME.sub("", address)
    # one that is only a part of it, as `status` of most addresses of status pages, would lead nowhere
    is_said = text.removesuffix("/") in {address.removesuffix("/"), bare.removesuffix("/")}
    return text if is_said or not text.strip() else f"{text} ({address.removeprefix('mailto:')})"


_SLACK: Final = _Dialect(
    strong="*",
    em="_",
    s="~",
    code="`",
    fence="```",
    quote="> ",
    bullet="• ",
    line_break="\n",
    seam=_SEAM,
    text=slack_escaped,
    link=_slack_link,
)
_TEAMS: Final = _Dialect(
    strong="**",
    em="_",
    s="",
    code="",
    fence="",
    quote="",
    bullet="- ",
    line_break="\n\n",  # one alone is no break there
    seam=_SEAM,
    text=_teams_text,
    link=_teams_link,
)
_PLAIN: Final = _Dialect(
    strong="",
    em="",
    s="",
    code="",
    fence="",
    quote="> ",
    bullet="- ",
    line_break="\n",
    seam="",
    text=str,
    link=_plain_link,
)
