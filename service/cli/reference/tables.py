"""Tables of Markdown, and what a JSON Schema asks for in words."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

Schema = Mapping[str, Any]

_OF_THE_ENVIRONMENT: Final = r"\$\{"
_FORMATS: Final = {"date-time": "time (RFC 3339, with an offset)"}


def cell(text: str) -> str:
    """Give a text as it stands in a cell: on one line, its bars not taken for the table's."""
    return " ".join(text.split()).replace("|", "\\|")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a table."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(map(cell, line))} |\n" for line in lines)


def code(text: object) -> str:
    """Give a text as code; what has a grave accent in it is put between two."""
    marks = "``" if "`" in str(text) else "`"
    return f"{marks}{text}{marks}"


def in_words(schema: Schema) -> str:
    """Say what a value may be, without that it may be null, or be given by the environment."""
    kinds = list(dict.fromkeys(_kinds(schema)))
    return " or ".join(kinds)


def _kinds(schema: Schema) -> Iterable[str]:
    match schema.get("type"):
        case "array":
            yield f"list of {_several(in_words(schema['items']))}"
        case "object":
            yield f"mapping of names to {in_words(schema['additionalProperties'])}"
        case "boolean":
            yield "`true` or `false`"
        case "integer":
            yield "whole number"
        case "number" if "const" not in schema:
            yield "number"
        case "string" if "enum" not in schema:
            yield from _texts(schema)
    yield from _words_of([word for word in schema.get("enum", ()) if isinstance(word, str)])
    for one in schema.get("anyOf", ()):
        yield from _kinds(one)


def _texts(more: Schema) -> Iterable[str]:
    pattern = str(more.get("pattern", ""))
    if pattern == _OF_THE_ENVIRONMENT or pattern in {r"^\d+$", r"^[\d.]+$"}:
        return
    yield "span" if "[dD]" in pattern or "[dhms]" in pattern else _FORMATS.get(more.get("format", ""), "text")


def _words_of(words: Sequence[str]) -> Iterable[str]:
    """Give them as code, and one where several are spellings of it."""
    distinct = list(dict.fromkeys(word.lower() for word in words))
    if set(distinct) == {"true", "false"}:
        yield "`true` or `false`"
    elif distinct:
        yield ", ".join(map(code, distinct))


def _several(kind: str) -> str:
    return {"text": "texts", "whole number": "whole numbers"}.get(kind, kind)
