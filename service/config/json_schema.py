"""The JSON Schema of config.yaml, for editors: made of the very forms that the loader fills, and of nothing else.

It describes the file as it is written, before `${NAME}` is filled in, and says less than the loader: what must fit
together is found by `check` alone.
"""

from datetime import timedelta
from enum import Enum
from importlib import resources
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin, get_type_hints
from zoneinfo import ZoneInfo

import orjson
from pydantic import StringConstraints
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from ruamel.yaml import YAML

from service.config import kinds
from service.config.descriptions import DESCRIPTIONS
from service.config.examples import EXAMPLES
from service.config.form import Form
from service.config.kinds import Section
from service.config.spans import format_span
from service.model import ComponentState

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
SHIPPED: Final = "schema.json"
"""The generated copy, beside this module."""

Schema = dict[str, Any]

_EXPANDED: Final[Schema] = {"type": "string", "pattern": r"\$\{"}
"""A value that the environment gives; which one it is nobody knows before."""
_SPAN: Final[Schema] = {
    "anyOf": [
        {
            "type": "string",
            "pattern": r"^\s*(0|(?=\d)(\d+[dD])?(\d+[hH])?(\d+[mM])?(\d+[sS])?)\s*$",
            "examples": ["90s", "5m", "1h30m", "2d"],
        },
        {"type": "number", "const": 0},
    ]
}
_TRUTH: Final[Schema] = {"anyOf": [{"type": "boolean"}, {"enum": ["true", "false"]}]}


def _number(most: int) -> Schema:
    whole = {"type": "integer", "minimum": 1, "maximum": most}
    return {"anyOf": [whole, {"type": "string", "pattern": r"^\d+$"}]}


def _line() -> Schema:
    return {"type": "string", "minLength": 1}


def _state() -> Schema:
    return _or_expanded({"enum": [state.value for state in ComponentState]})


def _or_expanded(schema: Schema) -> Schema:
    options = schema["anyOf"] if set(schema) == {"anyOf"} else [schema]
    return {"anyOf": [*options, _EXPANDED]}


def _or_list(item: Schema) -> Schema:
    return {"anyOf": [item, {"type": "array", "items": item, "minItems": 1}]}


_KINDS: Final[tuple[tuple[object, Schema], ...]] = (
    (kinds.Truth, _or_expanded(_TRUTH)),
    (kinds.Port, _or_expanded(_number(65535))),
    (kinds.People, _or_expanded(_number(99))),
    (kinds.Span, _or_expanded(_SPAN)),
    (kinds.AnswerableSpan, _or_expanded(_SPAN)),
    (kinds.RetentionSpan, _or_expanded(_SPAN)),
    (kinds.WatchedSpan, _or_expanded({"anyOf": [*_SPAN["anyOf"], {"enum": ["off", "Off", "OFF", False]}]})),
    (kinds.From, _line()),
    (kinds.Timezone, _line()),
    (kinds.SecretText, {"type": "string"}),
    (kinds.OneOrMoreNames, _or_list(_line())),
    (kinds.Languages, _or_list(_line())),
    (kinds.Words, {"anyOf": [_line(), {"type": "array", "items": _line()}]}),
    (
        kinds.States,
        {
            "anyOf": [
                {"type": "object", "additionalProperties": _state()},
                {"type": "array", "items": _line()},
            ]
        },
    ),
)  # fmt: skip
"""What the loader's own ways of reading a value take; pydantic cannot know."""


def make_schema() -> Schema:
    """Describe config.yaml. Raises TypeError where a form has a kind of value that is not known here.

    Raises KeyError where a key has no description, or where one that holds no section has no example.
    """
    sections: dict[str, Schema] = {}
    top = _section(Form, sections)
    return {
        "$schema": DIALECT,
        "title": "config.yaml of Replycast",
        **top,
        "$defs": dict(sorted(sections.items())),
    }


def written() -> bytes:
    """Give it as it is shipped."""
    return orjson.dumps(make_schema(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def shipped() -> bytes:
    """Read the copy that comes with the package."""
    return (resources.files("service.config") / SHIPPED).read_bytes()


def _section(form: type[Section], sections: dict[str, Schema]) -> Schema:
    annotations = get_type_hints(form, include_extras=True)
    properties: Schema = {}
    for name, field in form.model_fields.items():
        key = field.alias or name
        about_key = {"description": DESCRIPTIONS[form.__name__][key]}
        value = _of(annotations[name], sections)
        shown = {} if section_in(value) else _example(EXAMPLES[form.__name__][key])
        properties[key] = about_key | value | _default(field) | shown
    schema: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    if about := (form.__doc__ or "").strip():
        schema = {"description": about.split("\n\n")[0].replace("\n", " "), **schema}
    required = [field.alias or name for name, field in form.model_fields.items() if field.is_required()]
    return schema | ({"required": required} if required else {})


def section_in(schema: Schema) -> str | None:
    """Name the form of the section that a value is, or is a list or mapping of, or may be; None: it holds none."""
    inside = [*schema.get("anyOf", ()), schema.get("items"), schema.get("additionalProperties")]
    named = [str(schema["$ref"]).rpartition("/")[2]] if "$ref" in schema else []
    return next(
        iter([*named, *filter(None, (section_in(one) for one in inside if isinstance(one, dict)))]), None
    )


def _example(text: str) -> Schema:
    return {"examples": [YAML(typ="safe").load(text)]}


def _default(field: FieldInfo) -> Schema:
    made = field.default_factory() if field.default_factory is not None else field.default  # type: ignore[call-arg]
    match made:
        case [str(), *_] as texts:
            return {"default": texts}
        case timedelta() as span:
            return {"default": format_span(span)}
        case ZoneInfo() as zone:
            return {"default": zone.key}
        case Enum() as one:
            return {"default": one.value}
        case bool() | int() | float() | str() as plain:
            return {"default": plain}
        case given if given is None or given is PydanticUndefined or isinstance(given, Section) or not given:
            return {}
        case other:
            raise TypeError(f"{other!r} is no default that a schema can name")


def _of(annotation: object, sections: dict[str, Schema]) -> Schema:
    for kind, schema in _KINDS:
        if annotation == kind:
            return dict(schema)
    origin, inside = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _narrowed(_of_kind(inside[0], sections), inside[1:])
    if origin in {Union, UnionType}:
        return {
            "anyOf": [{"type": "null"} if one is NoneType else _of(one, sections) for one in inside],
        }
    return _of_kind(annotation, sections)


def _of_kind(annotation: Any, sections: dict[str, Schema]) -> Schema:  # noqa: ANN401  whatever a form may hold
    origin, inside = get_origin(annotation), get_args(annotation)
    if origin is list:
        return {"type": "array", "items": _of(inside[0], sections)}
    if origin is dict:
        return {"type": "object", "additionalProperties": _of(inside[1], sections)}
    if annotation is str:
        return {"type": "string"}
    if annotation is int or annotation is float:
        return _or_expanded({"anyOf": [{"type": "number"}, {"type": "string", "pattern": r"^[\d.]+$"}]})
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return _or_expanded({"enum": [one.value for one in annotation]})
    if isinstance(annotation, type) and issubclass(annotation, Section):
        if annotation.__name__ not in sections:
            sections[annotation.__name__] = _section(annotation, sections)
        return {"$ref": f"#/$defs/{annotation.__name__}"}
    raise TypeError(f"{annotation!r} is no kind of value that a schema can describe")


def _narrowed(schema: Schema, rules: tuple[object, ...]) -> Schema:
    """Add what a text's or list's rules say of its length; blanks at its ends do not count, so no maximum is told."""
    shortest = 0
    for rule in rules:
        if isinstance(rule, StringConstraints):
            shortest = max(shortest, rule.min_length or 0)
        elif isinstance(rule, FieldInfo):
            shortest = max([shortest, *(getattr(one, "min_length", 0) for one in rule.metadata)])
    if not shortest:
        return schema
    return schema | {"minItems" if schema.get("type") == "array" else "minLength": shortest}
