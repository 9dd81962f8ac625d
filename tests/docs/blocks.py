"""Fenced blocks of Markdown files, and where the documentation and the schema stand. Reads files, runs nothing."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[2]
DOCS: Final = ROOT / "docs"
SCHEMA: Final[Mapping[str, Any]] = json.loads((ROOT / "service/config/schema.json").read_text())
"""The JSON Schema of config.yaml."""

_FENCED: Final = re.compile(
    r"^(?P<indent> *)```(?P<language>[^\n`]*)\n(?P<text>.*?)^(?P=indent)```[ \t]*$", re.DOTALL | re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block: the word behind its fence, what is in it, the line on which that begins, and more words."""

    language: str
    text: str
    line: int
    note: str = ""
    """What stands behind the word, such as `not-run: it needs systemd`."""


def blocks_of(markdown: str) -> Iterator[Block]:
    """Give the fenced blocks of a Markdown text in their order, without the indentation of their fences."""
    for found in _FENCED.finditer(markdown):
        text = re.sub(f"^{found['indent']}", "", found["text"], flags=re.MULTILINE)
        language, _, note = found["language"].strip().partition(" ")
        yield Block(language, text, markdown.count("\n", 0, found.start("text")) + 1, note.strip())


def without_code(markdown: str) -> str:
    """Give a Markdown text without fenced blocks and code spans, in which nothing is a link."""
    return re.sub(r"`[^`\n]*`", "", _FENCED.sub("", markdown))
