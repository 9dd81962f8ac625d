"""docs/api-operations.md: every operation of the API and what it takes, from the table of operations."""

from collections.abc import Iterator
from typing import Any, Final

from service.cli.reference.tables import Schema, code, in_words, table
from service.web.api.document import openapi
from service.web.api.operations import NO_CONTENT, Operation
from service.web.api.routes import OPERATIONS, ROOT

_HEAD: Final = f"""\
# Operations of the API

Made from the table of operations by `make docs`. Paths stand below `{ROOT}`; each needs a token with its scope, as
[the guide](api.md) tells, which has examples of calls as well. What each answers, field by field, stands in the OpenAPI
document at `{ROOT}/openapi.json`, of whose schemas the last column names one. Every POST takes an
[`Idempotency-Key`](api.md#sending-an-order-again).

"""
_COLUMNS: Final = ("operation", "scope", "what it does", "answer")
_FIELDS: Final = ("name", "in", "type", "default", "meaning")


def operations() -> str:
    """Write it."""
    document = openapi(OPERATIONS, "http://status.example", ROOT)
    rows = [
        [f"[{code(_title(one))}](#{_anchor(_title(one))})", code(one.scope), one.summary, _answer(one)]
        for one in OPERATIONS
    ]
    return _HEAD + table(_COLUMNS, rows) + "".join(_section(one, document) for one in OPERATIONS)


def _title(one: Operation) -> str:
    return f"{one.method} {one.path}"


def _anchor(title: str) -> str:
    return "".join(one for one in title.lower().replace(" ", "-") if one.isalnum() or one in "-_")


def _answer(one: Operation) -> str:
    if one.status == NO_CONTENT:
        return f"{one.status}, nothing"
    return f"{one.status}, {code(one.answer.__name__ if one.answer else one.answer_type)}"


def _section(one: Operation, document: Schema) -> str:
    operation = document["paths"][ROOT + one.path][one.method.lower()]
    fields = [*_parameters(operation, document), *_body(one, document)]
    taken = f"\n{table(_FIELDS, fields)}" if fields else ""
    whole = f" The body is {code(one.body_type)}." if one.takes_body and one.body is None else ""
    return f"\n## {code(_title(one))}\n\n{one.act.__doc__}{whole} Scope: {code(one.scope)}.\n{taken}"


def _parameters(operation: Schema, document: Schema) -> Iterator[list[str]]:
    for one in operation["parameters"]:
        if one["in"] == "header":
            continue
        kind = in_words(_resolved(one["schema"], document))
        meaning = one.get("description") or ("Its number." if one["in"] == "path" else "")
        yield [
            code(one["name"]),
            one["in"],
            kind,
            _default(one["schema"], is_required="required" in one),
            meaning,
        ]


def _body(one: Operation, document: Schema) -> Iterator[list[str]]:
    if one.body is None:
        return
    schema = document["components"]["schemas"][one.body.__name__]
    for name, field in schema.get("properties", {}).items():
        kind = in_words(_resolved(field, document))
        default = _default(field, is_required=name in schema.get("required", ()))
        yield [code(name), "body", kind, default, field.get("description", "")]


def _default(schema: Schema, *, is_required: bool) -> str:
    default = schema.get("default")
    if is_required:
        return "required"
    return (
        "none"
        if default in (None, "", [])
        else code(str(default).lower() if isinstance(default, bool) else default)
    )


def _resolved(schema: Schema, document: Schema) -> dict[str, Any]:
    """Put what is referred to in the place of each reference; what stands beside one narrows it."""
    found: dict[str, Any] = {}
    for key, value in schema.items():
        if key == "$ref":
            named = document["components"]["schemas"][str(value).rpartition("/")[2]]
            found = {**_resolved(named, document), **found}
        elif isinstance(value, dict):
            found[key] = _resolved(value, document)
        elif isinstance(value, list):
            found[key] = [_resolved(one, document) if isinstance(one, dict) else one for one in value]
        else:
            found[key] = value
    return found
