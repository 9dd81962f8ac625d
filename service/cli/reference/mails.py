"""docs/mail-variables.md: every variable of the templates in mail_templates/, from the forms of the facts."""

import ast
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib import import_module
from inspect import cleandoc, getsource
from itertools import pairwise
from typing import Final, get_args, get_type_hints, is_typeddict

from service.cli.reference.tables import code, table
from service.mail.fact_forms import RenderingFacts
from service.mail.mail_forms import FACTS
from service.mail.rendering import FILTERS
from service.model import DeliveryKind

_HEAD: Final = """\
# Variables of the mail templates

Made from the forms of the facts by `make docs`. Each mail has a folder in [`mail_templates/`](../mail_templates) with
`subject.txt`, `body.txt` and `body.html`, templates of [Jinja](https://jinja.palletsprojects.com/); `shared/` holds
what they have in common. They belong to the program, so that an upgrade brings them anew: keep what you change. What a
monitor's subject and texts may name is [another thing](templates.md).

A name that is not here is an error, and the mail is not sent. Times are ISO strings with their offset, for the filter
`local`. *May be none* says that a template has to ask before it looks further.

"""
_CALLED: Final = {
    "AlertFacts": "An alert",
    "IncidentFacts": "An incident",
    "LinkFacts": "The links",
    "ShownFacts": "What is shown",
    "SiteFacts": "The site",
    "UpdateFacts": "An update",
}


def mails() -> str:
    """Write it."""
    kinds = [[f"[{code(kind)}](#{kind})", _meaning(DeliveryKind, kind.name)] for kind in FACTS]
    pages = "".join(f"\n## {code(kind)}\n\n{_variables(form)}" for kind, form in FACTS.items())
    things = {thing.__name__: thing for form in (*FACTS.values(), RenderingFacts) for thing in _things(form)}
    inside = "".join(f"\n## {_called(one)}\n\n{one.__doc__}\n\n{_variables(one)}" for one in things.values())
    everywhere = f"\n## In every template\n\n{_variables(RenderingFacts)}"
    return _HEAD + table(("mail", "what for"), kinds) + pages + everywhere + inside + _filters()


def variables_of(form: type[object]) -> Mapping[str, str]:
    """Give the names of a form's variables and what each means. Raises KeyError where one does not say it."""
    return {name: _meaning(form, name) for name in get_type_hints(form)}


def _variables(form: type[object]) -> str:
    kinds = get_type_hints(form)
    rows = [[code(name), _kind(kinds[name]), meaning] for name, meaning in variables_of(form).items()]
    return table(("variable", "kind", "what it is"), rows)


def _kind(annotation: object) -> str:
    parts = get_args(annotation)
    if type(None) in parts:
        [inside] = [one for one in parts if one is not type(None)]
        return f"{_kind(inside)}; may be none"
    if parts:
        return f"list of: {_kind(parts[0])}"
    if isinstance(annotation, type) and is_typeddict(annotation):
        return f"[{_called(annotation).lower()}](#{_called(annotation).lower().replace(' ', '-')})"
    return {str: "text", int: "number", bool: "true or false"}[annotation]  # type: ignore[index]  # or it is new


def _called(form: type[object]) -> str:
    return _CALLED.get(form.__name__) or f"A {form.__name__.removesuffix('Facts').lower()}"


def _things(form: type[object]) -> Iterator[type[object]]:
    """Give the forms that stand within a form, each before those within it."""
    for annotation in get_type_hints(form).values():
        for one in (annotation, *get_args(annotation)):
            if isinstance(one, type) and is_typeddict(one):
                yield one
                yield from _things(one)


def _filters() -> str:
    rows = [[code(name), cleandoc(one.__doc__ or "")] for name, one in FILTERS.items()]
    return f"\n## Filters\n\nBesides Jinja's own:\n\n{table(('filter', 'what it does'), rows)}"


def _meaning(form: type[object], name: str) -> str:
    """Give the sentence under a variable, in the class or in one that it is made of."""
    told = _told(form.__module__)
    names, seen = [form.__name__], set[str]()
    while names:
        one = names.pop(0)
        seen.add(one)
        bases, meanings = told.get(one, ((), {}))
        if name in meanings:
            return meanings[name]
        names += [base for base in bases if base not in seen]
    raise KeyError(f"{form.__name__}.{name} does not say what it is")


@cache
def _told(module: str) -> Mapping[str, tuple[tuple[str, ...], Mapping[str, str]]]:
    """Read off a module's source, by class, what it is made of and the sentences under its names."""
    tree = ast.parse(getsource(import_module(module)))
    return {
        one.name: (
            tuple(base.id for base in one.bases if isinstance(base, ast.Name)),
            dict(_sentences(one.body)),
        )
        for one in tree.body
        if isinstance(one, ast.ClassDef)
    }


def _sentences(body: Sequence[ast.stmt]) -> Iterator[tuple[str, str]]:
    for before, after in pairwise(body):
        match before, after:
            case (
                ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]),
                ast.Expr(value=ast.Constant(value=str(sentence))),
            ):
                yield name, " ".join(sentence.split())
