"""`${NAME}` and `${NAME:-default}` in the texts of config.yaml, filled from the environment.

`$${` stands for a literal `${`, and `${{` (a dollar before a Jinja expression) is left alone. What is
filled in is never read as YAML again.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from service.config.document import SPOILED, Document, Keys
from service.config.wording import is_printable
from service.errors import Fault

_REFERENCE = re.compile(
    r"(?P<escaped>\$\$\{)|\$\{(?!\{)(?:(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^{}]*))?\})?",
    re.ASCII,
)


def expand(text: str, environ: Mapping[str, str]) -> str:
    """Fill in a text; as in a shell, the default also stands for a variable that is set but empty.

    Raises ValueError, its text a sentence, where a variable is missing or a reference is not well formed.
    """

    def filled(found: re.Match[str]) -> str:
        if found["escaped"]:
            return "${"
        name, default = found["name"], found["default"]
        if name is None:
            raise ValueError("write ${NAME} or ${NAME:-default} here, or $${ for a literal ${")
        if default is not None:
            return environ.get(name) or default
        if name not in environ:
            raise ValueError(
                f"the environment variable `{name}` is not set: set it, or write ${{{name}:-default}}"
            )
        return environ[name]

    return _REFERENCE.sub(filled, text)


def expand_document(document: Document, environ: Mapping[str, str]) -> tuple[Document, list[Fault]]:
    """Fill in every text of a document, and say where that cannot be done."""
    faults: list[Fault] = []

    def filled(value: Any, keys: Keys) -> Any:  # noqa: ANN401 — whatever YAML holds
        if isinstance(value, dict):
            return {key: filled(one, (*keys, key)) for key, one in value.items()}
        if isinstance(value, list):
            return [filled(one, (*keys, at)) for at, one in enumerate(value)]
        if not isinstance(value, str):
            return value
        try:
            text = expand(value, environ)
        except ValueError as error:
            faults.append(document.fault(keys, str(error)))
            return SPOILED
        if is_printable(text):
            return text
        faults.append(document.fault(keys, f"{document.quoted(keys)} holds a control character: remove it"))
        return SPOILED

    return replace(document, tree=filled(document.tree, ())), faults
