"""Markdown files of the repository, and the fenced blocks in them. Reads files, and runs nothing."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
DOCS: Final = ROOT / "docs"

_FENCED: Final = re.compile(
    r"^(?P<indent> *)```(?P<language>[^\n`]*)\n(?P<text>.*?)^(?P=indent)```[ \t]*$", re.DOTALL | re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block: the word behind its fence, what is in it, and the line on which that begins."""

    language: str
    text: str
    line: int


def blocks_of(markdown: str) -> Iterator[Block]:
    """Give the fenced blocks of a Markdown text in their order, without the indentation of their fences."""
    for found in _FENCED.finditer(markdown):
        text = re.sub(f"^{found['indent']}", "", found["text"], flags=re.MULTILINE)
        yield Block(found["language"].strip(), text, markdown.count("\n", 0, found.start("text")) + 1)


def without_code(markdown: str) -> str:
    """Give a Markdown text without fenced blocks and code spans, in which nothing is a link."""
    return re.sub(r"`[^`\n]*`", "", _FENCED.sub("", markdown))
