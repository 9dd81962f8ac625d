"""Fills the form from a document, and turns what pydantic complains of into plain sentences with places."""

import re
from typing import Final, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from service.config.document import SPOILED, Document, Keys
from service.config.form import Form, keys_of
from service.config.wording import quote, suggest
from service.errors import Fault

_OPTION: Final = re.compile(r"'([^']*)'")
_SENTENCES: Final = {
    "string_too_short": "{name} is empty: write a text",
    "string_too_long": "{name} is too long: {max_length} characters are the most",
    "too_short": "{name} is an empty list: name at least one",
    "list_type": "{name} must be a list: lines that begin with `- `, or [a, b]",
    "model_type": "{name} must consist of `name: value` lines",
    "dict_type": "{name} must consist of `name: value` lines",
}
"""By pydantic's name for what is wrong; https://docs.pydantic.dev/latest/errors/validation_errors/."""


def fill_form(document: Document) -> tuple[Form | None, list[Fault]]:
    """Give the filled form, or None and a fault for every key or value that does not fit it."""
    try:
        return Form.model_validate(document.tree), []
    except ValidationError as error:
        details = error.errors(include_url=False)
    return None, [_fault(document, one) for one in details if _is_news(one)]


def _is_news(error: ErrorDetails) -> bool:
    """Whether the value had no fault before: SPOILED stands for one that was reported already."""
    return error["type"] == "extra_forbidden" or error["input"] is not SPOILED


def _fault(document: Document, error: ErrorDetails) -> Fault:
    keys: Keys = error["loc"]
    if keys and keys[-1] == "[key]":
        keys = keys[:-1]
    last = str(keys[-1]) if keys else ""
    if error["type"] == "missing":
        around = keys[:-1]
        return document.fault(around, f"{quote(last)} is missing in {_name(around)}: add it", at_key=True)
    if error["type"] == "extra_forbidden":
        hint = suggest(last, keys_of(_form_at(keys[:-1])))
        return document.fault(keys, f"unknown key {quote(last)} in {_name(keys[:-1])}{hint}", at_key=True)
    return document.fault(keys, _sentence(document, keys, error))


def _sentence(document: Document, keys: Keys, error: ErrorDetails) -> str:
    """Say what is wrong with a value; pydantic's own words are the last resort and never hold the value."""
    quoted, value, ctx = document.quoted(keys), error["input"], error.get("ctx", {})
    if error["type"] == "value_error":
        return f"{quoted} {ctx['error']}"
    if error["type"] == "enum":
        options = _OPTION.findall(str(ctx["expected"]))
        return f"{quoted} is not one of {', '.join(options)}{_close(value, options)}"
    if error["type"] == "string_type":
        return f"{quoted} {_not_a_text(value)}"
    sentence = _SENTENCES.get(error["type"])
    if sentence:
        return sentence.format(name=_name(keys), **ctx)
    return f"{_name(keys)} does not fit: {error['msg'][:1].lower()}{error['msg'][1:]}"


def _close(value: object, options: list[str]) -> str:
    guess = suggest(value, options) if isinstance(value, str) else ""
    return guess if guess.startswith(",") else ""


def _not_a_text(value: object) -> str:
    if isinstance(value, bool):
        return "is read as true or false, not as a text: put it in quotes"
    if isinstance(value, int | float):
        return "is read as a number, not as a text: put it in quotes"
    return "must be one text"


def _name(keys: Keys) -> str:
    if not keys:
        return "the file"
    if isinstance(keys[-1], int):
        return f"this entry of {quote(str(keys[-2]))}"
    return quote(str(keys[-1]))


def _form_at(keys: Keys) -> type[BaseModel]:
    """Find the form that a mapping of the document is held against."""
    form: type[BaseModel] = Form
    for key in keys:
        if isinstance(key, str):
            form = _form_in(keys_of(form).get(key)) or form
    return form


def _form_in(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_form_in, get_args(annotation))), None)
