"""docs/config.md: every setting of config.yaml, from its JSON Schema."""

from collections.abc import Iterator
from typing import Any, Final

from service.cli.reference.tables import Schema, code, in_words, table
from service.config.examples import EXAMPLES
from service.config.json_schema import make_schema, section_in

_HEAD: Final = """\
# Settings of config.yaml

Made from the JSON Schema of config.yaml by `make docs`. The same schema lets editors complete and check the file
(`replycast schema`), and `replycast check` finds what it cannot tell. [`config.yaml`](../config.yaml) shows most of
them at work.

- `[]` stands for each entry of a list, and NAME for a name that you give or that there is.
- A value may come from the environment: `${NAME}`, or `${NAME:-default}`; `$${` stands for a literal `${`.
- A *span* is written `90s`, `5m`, `1h30m`, `72h` or `2d`; `0` means at once.
- *required*: there is no default; *none*: it may be left out, and the meaning tells what holds then.
- Which settings change while the service runs: [Deploying](deploying.md#a-virtual-machine-with-systemd).

| section | what for |
|---|---|
"""
_COLUMNS: Final = ("setting", "type", "default", "meaning", "example")


def settings() -> str:
    """Write it."""
    schema = make_schema()
    sections = list(_sections("", schema, schema["$defs"]))
    shown: dict[str, list[str]] = {}
    for path, form in sections:
        shown.setdefault(form, []).append(path)
    index = "".join(
        f"| [`{path}`](#{_anchor(path)}) | {_about(paths_form, schema)} |\n"
        for paths_form, (path, *_) in shown.items()
        if path
    )
    return _HEAD + index + "".join(_page(form, paths, schema) for form, paths in shown.items())


def _sections(path: str, section: Schema, forms: Schema) -> Iterator[tuple[str, str]]:
    """Give the path and the form of a section and of all within it, in the order of the file."""
    if not path:
        yield "", "Form"
    for key, schema in section["properties"].items():
        if form := section_in(schema):
            inner = f"{_joined(path, key)}{_many(schema)}"
            yield inner, form
            yield from _sections(inner, forms[form], forms)


def _many(schema: Schema) -> str:
    kind = schema.get("type")
    return "[]" if kind == "array" else ".NAME" if kind == "object" else ""


def _joined(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _anchor(path: str) -> str:
    return "".join(one for one in path.lower() if one.isalnum() or one == "_")


def _about(form: str, schema: Schema) -> str:
    for section in [schema, *schema["$defs"].values()]:
        for one in section["properties"].values():
            if section_in(one) == form:
                return str(one["description"])
    raise KeyError(form)


def _page(form: str, paths: list[str], schema: Schema) -> str:
    path, *others = paths
    section: dict[str, Any] = schema["$defs"].get(form, schema)
    rows = [
        _row(path, key, one, form, is_required=key in section.get("required", ()))
        for key, one in section["properties"].items()
        if section_in(one) is None
    ]
    heading = f"\n## {code(path)}\n\n{_about(form, schema)}\n" if path else "\n## At the top level\n"
    same = f"The same stands in {' and '.join(map(code, others))}.\n" if others else ""
    listed = f"\n{table(_COLUMNS, rows)}" if rows else ""
    return f"{heading}{same}{listed}"


def _row(path: str, key: str, schema: Schema, form: str, *, is_required: bool) -> list[str]:
    default = schema.get("default", "")
    said = "required" if is_required else code(_written(default)) if default != "" else "none"
    example = code(f"{key}: {EXAMPLES[form][key]}")
    return [code(_joined(path, key)), in_words(schema), said, schema["description"], example]


def _written(value: object) -> str:
    """Write a default as YAML."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"[{', '.join(value)}]" if isinstance(value, list) else str(value)
