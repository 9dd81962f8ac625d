"""Checks that the Jinja templates of the monitors are well formed and use only what there will be.

Compiles and never renders: no constant is folded, so that `{{ 'x' * 10**10 }}` costs nothing here.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from jinja2 import StrictUndefined, TemplateSyntaxError, meta, nodes, pass_context
from jinja2.runtime import Context
from jinja2.sandbox import SandboxedEnvironment

from service.config.document import Document, Keys, Place, texts
from service.config.wording import quote, suggest, visible
from service.errors import Fault

VARIABLES: Final = ("alert", "incident", "site", "monitor")
"""What a template may use, beside Jinja's own functions and what it sets itself."""

_TEMPLATES: Final = ("subject", "message", "closing_comment")
_ELSEWHERE: Final = (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)


@pass_context
def _unfolded(_context: Context, value: Any) -> Any:  # noqa: ANN401 — Jinja's own signature
    """Make every output depend on a context, which keeps Jinja from computing constants while compiling."""
    return value


_ENVIRONMENT: Final = SandboxedEnvironment(undefined=StrictUndefined, optimized=False, finalize=_unfolded)


@dataclass(frozen=True, slots=True)
class _Flaw:
    line: int
    """Within the template, 1-based."""
    word: str
    """What stands there, where it is known."""
    text: str


def check_templates(document: Document) -> list[Fault]:
    """Report syntax faults and unknown variables of every template, at the line of the file they stand in."""
    return [
        fault
        for name in _TEMPLATES
        for keys, template in texts(document.tree, "monitors", "*", name)
        for fault in _faults(document, keys, template)
    ]


def _flaws(template: str) -> list[_Flaw]:
    try:
        tree = _ENVIRONMENT.parse(template)
        if modifier := tree.find(nodes.EvalContextModifier):
            return [_Flaw(modifier.lineno, "", "a template cannot set autoescape: leave that out")]
        unknown = _undeclared(tree) - {*VARIABLES}
        _ENVIRONMENT.compile(template)
    except TemplateSyntaxError as error:
        message = (error.message or "it cannot be read").rstrip(".")
        return [_Flaw(error.lineno, "", f"this template is faulty: {message[:1].lower()}{message[1:]}")]
    except (RecursionError, MemoryError, SyntaxError, ValueError, OverflowError):
        return [
            _Flaw(1, "", "this template is nested too deeply or holds too large a number: make it simpler")
        ]
    return [*_borrowed(tree), *(flaw for name in sorted(unknown) for flaw in _uses(tree, name))]


def _undeclared(tree: nodes.Template) -> set[str]:
    """Do what `meta.find_undeclared_variables` does, without its optimizer, which computes constants."""
    tracker = meta.TrackingCodeGenerator(_ENVIRONMENT)
    tracker.optimizer = None
    tracker.visit(tree)
    return tracker.undeclared_identifiers


def _borrowed(tree: nodes.Template) -> Iterator[_Flaw]:
    for node in tree.find_all(_ELSEWHERE):
        yield _Flaw(node.lineno, "", "a template cannot include, import or extend another one: write it out")


def _uses(tree: nodes.Template, name: str) -> Iterator[_Flaw]:
    lines = {node.lineno for node in tree.find_all(nodes.Name) if node.name == name and node.ctx == "load"}
    text = f"the template uses {quote(name)}, which does not exist{suggest(name, VARIABLES)}"
    return (_Flaw(line, name, text) for line in sorted(lines or {1}))


def _faults(document: Document, keys: Keys, template: str) -> Iterator[Fault]:
    """Find the lines of the file by looking for the same flaws in the template as it is written there."""
    flaws, place = _flaws(template), document.place(keys)
    written = _flaws(place.source) if flaws else []
    if [flaw.text for flaw in flaws] != [flaw.text for flaw in written]:
        filled = "this template is faulty once its ${…} are filled in"
        written = [_Flaw(1, "", flaw.text if place.text == template else filled) for flaw in flaws]
    return (Fault(document.file, *_position(place, flaw), visible(flaw.text)) for flaw in written)


def _position(place: Place, flaw: _Flaw) -> tuple[int, int]:
    line = place.source.split("\n")[min(flaw.line - 1, place.source.count("\n"))]
    word = re.compile(rf"(?<![\w.]){re.escape(flaw.word)}(?!\w)").search(line, max(line.find("{"), 0))
    offset = word.start() if flaw.word and word else len(line) - len(line.lstrip())
    return place.line + flaw.line - 1, offset + (place.column if flaw.line == 1 else 1)
