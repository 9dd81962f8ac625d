"""YAML 1.2 text → `Document`; never builds an object from a tag, never evaluates anything.

Reads ruamel.yaml's node graph rather than its loaded values: every node has its place, every duplicate key
shows (not only the first), and aliases that multiply or bite their own tail are stopped by a count.
"""

import re
from bisect import bisect_right
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from service.config.document import SPOILED, Document, Keys, Place
from service.config.wording import is_printable, quote
from service.errors import ConfigFaulty, Fault

_DEEPEST: Final = 20
_MOST_NODES: Final = 100_000
_TAG: Final = "tag:yaml.org,2002:"
_WORDS: Final = {"true": True, "false": False}
_WHOLE_NUMBER: Final = re.compile(
    r"[-+]?(?:0x[0-9a-f]{1,16}|0o[0-7]{1,20}|\d{1,20})", re.ASCII | re.IGNORECASE
)
_DECIMAL: Final = re.compile(r"[-+]?\d{1,20}(?:\.\d{0,20})?(?:e[-+]?\d{1,3})?", re.ASCII | re.IGNORECASE)
_NO_VALUE: Final = "has no value: give it one, or remove the line"
_COLOUR: Final = re.compile(r":\s+#[0-9a-f]{3,8}\s*(?:[,}#]|$)", re.IGNORECASE)
_COMMENTED_OUT: Final = "has no value, since # begins a comment: put the colour in quotes"
_BRACES: Final = "a text that begins with {{ must stand in quotes"

_HINTS: Final = (
    ("'\\t'", "a tab stands here: indent with spaces"),
    ("tab character", "a tab stands here: indent with spaces"),
    ("mapping values are not allowed", "no `:` can stand here: quote the text, or mend the indentation"),
    ("expected alphabetic or numeric", "a text that begins with * or & must stand in quotes"),
    ("undefined alias", "a text that begins with * must stand in quotes"),
    ("cannot start any token", "a text that begins with this character must stand in quotes"),
    ("end of stream", "this quotation mark is never closed"),
    ("<stream end>", "this bracket is never closed"),
    ("expected ',' or", "a comma or a closing bracket is missing before this"),
    ("could not find expected ':'", "a `:` with a space after it is missing in this line or the one before"),
    ("another document", "a second document begins here: keep everything in one, without `---`"),
    ("escape", "a backslash in double quotes must be doubled, or the text put in single quotes"),
    ("depth", "this is nested too deeply"),
    ("tag", "a text that begins with ! must stand in quotes"),
    ("directive", "a line that begins with % must stand in quotes"),
    ("expected <block end>", "this does not fit what stands above: look at indentation, `-`, `:` and quotes"),
)  # fmt: skip


def read_document(text: str, file: str) -> tuple[Document, list[Fault]]:
    """Read YAML text (YAML 1.2, https://yaml.org/spec/1.2.2/) and whatever is wrong with its values.

    Raises ConfigFaulty with one fault where the text is not YAML, is empty or is no mapping.
    """
    reading = _Reading(text.removeprefix("\N{BYTE ORDER MARK}"), file)
    root = reading.compose()
    if root is None:
        raise ConfigFaulty((Fault(file, 1, 1, "the file is empty: it needs at least `site`"),))
    if not isinstance(root, MappingNode):
        raise ConfigFaulty(
            (reading.fault(root.start_mark.index, "the file must consist of `name: value` lines"),)
        )
    tree = reading.value(root, (), root)
    return Document(file, tree, reading.places), reading.faults


class _Reading:
    """One pass over a text: its line starts, and the places and faults found so far."""

    def __init__(self, text: str, file: str) -> None:
        self.text = text
        self.file = file
        self.places: dict[Keys, Place] = {}
        self.faults: list[Fault] = []
        self._starts = [0, *(at + 1 for at, one in enumerate(text) if one == "\n")]
        self._nodes = 0

    def place(self, index: int) -> tuple[int, int]:
        line = bisect_right(self._starts, index)
        return line, index - self._starts[line - 1] + 1

    def fault(self, index: int, text: str) -> Fault:
        return Fault(self.file, *self.place(index), text)

    def compose(self) -> Node | None:
        """Parse the text into nodes; ruamel's own errors become one fault with a hint."""
        yaml = YAML(typ="safe", pure=True)
        yaml.max_depth = _DEEPEST
        yaml.composer.warn_double_anchors = False
        try:
            root: Node | None = yaml.compose(self.text)
        except MarkedYAMLError as error:
            raise ConfigFaulty((self._syntax_fault(error),)) from error
        except ReaderError as error:
            text = f"the character U+{error.character:04X} cannot stand in YAML: remove it"
            raise ConfigFaulty((self.fault(error.position, text),)) from error
        except (YAMLError, ValueError, OverflowError, AssertionError, IndexError, TypeError) as error:
            text = "YAML cannot be read from here on: mend this line"
            raise ConfigFaulty((self.fault(min(yaml.reader.index, len(self.text)), text),)) from error
        return root

    def _syntax_fault(self, error: MarkedYAMLError) -> Fault:
        problem = str(error.problem)
        began = any(sign in problem for sign in ("end of stream", "stream end", "alphabetic or numeric"))
        mark = (error.context_mark if began else None) or error.problem_mark or error.context_mark
        index = mark.index if mark is not None else 0
        line = self.text[self._starts[self.place(index)[0] - 1] :].split("\n", 1)[0]
        hint = next((hint for sign, hint in _HINTS if sign in problem), "this is not YAML: mend this line")
        if "${" in line and "expected ',' or" in problem:
            hint = "within { } or [ ] a text with ${ } must stand in quotes"
        return self.fault(index, _BRACES if ": {{" in line else hint)

    def value(self, node: Node, keys: Keys, key: Node) -> Any:  # noqa: ANN401 — whatever YAML holds
        """Turn a node into a plain value, note its place, and put SPOILED where it has a fault."""
        self._nodes += 1
        start = node.start_mark.index
        if self._nodes > _MOST_NODES or len(keys) > _DEEPEST:
            raise ConfigFaulty((self.fault(start, "aliases make this too large or endless: write it out"),))
        text, source = None, ""
        if isinstance(node, ScalarNode):
            text, source = node.value, self.text[start : node.end_mark.index]
        self.places[keys] = Place(*self.place(start), *self.place(key.start_mark.index), text, source)
        if isinstance(node, MappingNode) and str(node.tag) == f"{_TAG}map":
            return self._mapping(node, keys)
        if isinstance(node, SequenceNode) and str(node.tag) == f"{_TAG}seq":
            return [self.value(one, (*keys, at), one) for at, one in enumerate(node.value)]
        if isinstance(node, ScalarNode):
            return self._scalar(node, keys, key)
        return self._spoil(start, "tags (words that begin with !) are not used here: remove it")

    def _why_no_value(self, key: Node) -> str:
        line = self.text[key.start_mark.index :].split("\n", 1)[0]
        return _COMMENTED_OUT if _COLOUR.search(line) else _NO_VALUE

    def _spoil(self, index: int, text: str) -> object:
        self.faults.append(self.fault(index, text))
        return SPOILED

    def _mapping(self, node: MappingNode, keys: Keys) -> object:
        mapping: dict[str, Any] = {}
        for key, value in node.value:
            start = key.start_mark.index
            if not isinstance(key, ScalarNode):
                if self.text.startswith("{{", node.start_mark.index):
                    return self._spoil(node.start_mark.index, _BRACES)
                return self._spoil(start, "a key must be a single word")
            if not is_printable(key.value):
                self._spoil(start, "this key holds a control character: remove it")
            elif key.value == "<<" and str(key.tag) == f"{_TAG}merge":
                self._spoil(start, "merge keys (`<<`) are not YAML 1.2: write the keys out")
            elif key.value in mapping:
                first = self.places[*keys, key.value].key_line
                self._spoil(
                    start, f"{quote(key.value)} stands here a second time (first in line {first}): remove one"
                )
            else:
                mapping[key.value] = self.value(value, (*keys, key.value), key)
        return mapping

    def _scalar(self, node: ScalarNode, keys: Keys, key: Node) -> object:
        text: str = node.value
        match str(node.tag).removeprefix(_TAG):
            case "null":
                name = quote(str(keys[-1])) if isinstance(keys[-1], str) else "this entry of the list"
                return self._spoil(key.start_mark.index, f"{name} {self._why_no_value(key)}")
            case "bool":
                return _WORDS.get(text.lower(), text)
            case "int" if _WHOLE_NUMBER.fullmatch(text):
                return int(text, 0 if text.lstrip("+-")[1:2].isalpha() else 10)
            case "float" if _DECIMAL.fullmatch(text):
                return float(text)
            case "int" | "float" | "str" | "timestamp" | "merge" | "value":
                return text
            case _:
                hint = "a text that begins with ! must stand in quotes; tags are not used here"
                return self._spoil(node.start_mark.index, hint)
