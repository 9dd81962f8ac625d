"""Checks that the Jinja templates of the monitors are well formed and use only what there will be.

Compiles and never renders: no constant is folded, so that `{{ 'x' * 10**10 }}` costs nothing here.
"""

import re
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, Final

from jinja2 import StrictUndefined, TemplateSyntaxError, meta, nodes, pass_context
from jinja2.runtime import Context
from jinja2.sandbox import SandboxedEnvironment

from service.config.document import Document, Keys, Place, texts
from service.config.wording import quote, suggest, visible
from service.errors import Fault

VARIABLES: Final[Mapping[str, tuple[str, ...]]] = {
    "alert": ("monitor_name", "state", "message", "entity_id", "sent_at", "provider", "fields"),
    "incident": ("id", "tag", "started_at", "subject", "ended_at", "duration"),
    "site": ("name", "url"),
    "monitor": ("alert_name", "type", "affected_components"),
}
"""What a template may use, beside Jinja's own functions and what it sets itself: what `actions.texts` gives, and
docs/templates.md tells of."""
ONLY_CLOSING: Final = frozenset({("incident", "subject"), ("incident", "ended_at"), ("incident", "duration")})
"""Those that there are in a closing comment alone."""

_CLOSING: Final = "closing_comment"
_TEMPLATES: Final = ("subject", "message", _CLOSING)
_ELSEWHERE: Final = (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)
_OF_ANY_MAPPING: Final = frozenset(name for name in dir(dict) if not name.startswith("_"))
"""What Python gives all of them, as in `alert.items()`."""
_TESTS: Final = frozenset({"defined", "undefined"})
_FILTERS: Final = frozenset({"default", "d"})

_Attribute = tuple[str, str]
"""The name of a variable and that of what is in it: `alert.state`."""


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
    """What stands there, as a regular expression whose group `at` is the place, where it is known."""
    text: str


def check_templates(document: Document) -> list[Fault]:
    """Report syntax faults and what there never is of every template, at the line of the file it stands in."""
    return [
        fault
        for name in _TEMPLATES
        for keys, template in texts(document.tree, "monitors", "*", name)
        for fault in _faults(document, keys, template)
    ]


def _flaws(template: str, *, is_closing: bool) -> list[_Flaw]:
    try:
        tree = _ENVIRONMENT.parse(template)
        if modifier := tree.find(nodes.EvalContextModifier):
            return [_Flaw(modifier.lineno, "", "a template cannot set autoescape: leave that out")]
        unknown = _undeclared(tree) - VARIABLES.keys()
        _ENVIRONMENT.compile(template)
        return [
            *_borrowed(tree),
            *(flaw for name in sorted(unknown) for flaw in _uses(tree, name)),
            *_missing_attributes(tree, is_closing=is_closing),
        ]
    except TemplateSyntaxError as error:
        message = (error.message or "it cannot be read").rstrip(".")
        return [_Flaw(error.lineno, "", f"this template is faulty: {message[:1].lower()}{message[1:]}")]
    except (RecursionError, MemoryError, SyntaxError, ValueError, OverflowError):
        return [
            _Flaw(1, "", "this template is nested too deeply or holds too large a number: make it simpler")
        ]


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
    word = rf"(?<![\w.])(?P<at>{re.escape(name)})(?!\w)"
    return (_Flaw(line, word, text) for line in sorted(lines or {1}))


def _missing_attributes(tree: nodes.Template, *, is_closing: bool) -> Iterator[_Flaw]:
    """Find what no alert, incident, monitor or site ever has, or has not yet when this template is rendered."""
    ours = VARIABLES.keys() - _given_anew(tree)
    used = {(found, node.lineno) for node in tree.find_all(nodes.Expr) if (found := _attribute(node, ours))}
    is_for_both = not ONLY_CLOSING.isdisjoint(_asked_for(tree, ours))
    not_yet = frozenset() if is_closing or is_for_both else ONLY_CLOSING
    for (variable, name), line in sorted(used):
        word = rf"(?<![\w.]){variable}\s*(?:\.|\[\s*[\"'])\s*(?P<at>{re.escape(name)})(?!\w)"
        uses = f"the template uses {quote(f'{variable}.{name}')}"
        known = [one for one in VARIABLES[variable] if (variable, one) not in not_yet]
        if (variable, name) in not_yet:
            yield _Flaw(line, word, f"{uses}, which only a `{_CLOSING}` has: leave it out")
        elif name not in known and name not in _OF_ANY_MAPPING:
            yield _Flaw(line, word, f"{uses}, which does not exist{suggest(name, known)}")


def _attribute(node: nodes.Node, variables: AbstractSet[str]) -> _Attribute | None:
    """Read `alert.state` or `alert["state"]`, where it is one of these variables."""
    if not isinstance(node, nodes.Getattr | nodes.Getitem) or not isinstance(node.node, nodes.Name):
        return None
    name = node.attr if isinstance(node, nodes.Getattr) else getattr(node.arg, "value", None)
    return (node.node.name, name) if node.node.name in variables and isinstance(name, str) else None


def _given_anew(tree: nodes.Template) -> set[str]:
    """Give the names to which a template gives a meaning of its own anywhere, as `{% set alert = … %}` does."""
    names = {node.name for node in tree.find_all(nodes.Name) if node.ctx != "load"}
    return names | {node.name for node in tree.find_all(nodes.Macro)}


def _asked_for(tree: nodes.Template, variables: AbstractSet[str]) -> set[_Attribute]:
    """Give what a template asks whether it is there: it may be written for more than one place."""
    asking = [
        *(node.node for node in tree.find_all(nodes.Test) if node.name in _TESTS),
        *(node.node for node in tree.find_all(nodes.Filter) if node.name in _FILTERS),
    ]
    return {found for node in asking if node is not None and (found := _attribute(node, variables))}


def _faults(document: Document, keys: Keys, template: str) -> Iterator[Fault]:
    """Find the lines of the file by looking for the same flaws in the template as it is written there."""
    place, is_closing = document.place(keys), keys[-1] == _CLOSING
    flaws = _flaws(template, is_closing=is_closing)
    written = _flaws(place.source, is_closing=is_closing) if flaws else []
    if [flaw.text for flaw in flaws] != [flaw.text for flaw in written]:
        filled = "this template is faulty once its ${…} are filled in"
        written = [_Flaw(1, "", flaw.text if place.text == template else filled) for flaw in flaws]
    return (Fault(document.file, *_position(place, flaw), visible(flaw.text)) for flaw in written)


def _position(place: Place, flaw: _Flaw) -> tuple[int, int]:
    line = place.source.split("\n")[min(flaw.line - 1, place.source.count("\n"))]
    word = re.compile(flaw.word).search(line, max(line.find("{"), 0)) if flaw.word else None
    offset = word.start("at") if word else len(line) - len(line.lstrip())
    return place.line + flaw.line - 1, offset + (place.column if flaw.line == 1 else 1)
