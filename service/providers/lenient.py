"""Reads a webhook's body into a flat mapping of properties, however far from JSON it is.

A ladder: strict JSON, JSON5, curly quotes made straight, form encoding, and values pasted in unescaped. It
knows no provider, and raises nothing but PostUnreadable with one sentence that says what to mend.
"""

import codecs
import contextlib
import math
import re
import string
from collections import deque
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl

import orjson
import pyjson5

from service.errors import PostUnreadable
from service.providers.pasted import Scalar, Wanted, salvage
from service.providers.spelling import keep_pasted_backslashes, line_of, straighten

MAX_PROPERTIES = 1000
"""More than these are left out, as are those nested deeper or named longer than the next two allow."""
MAX_DEPTH = 16
MAX_KEY_LENGTH = 200

_PARSER_DEPTH = 100
_FORM_TYPE = "application/x-www-form-urlencoded"
_FORM_KEY_CHARACTERS = frozenset(string.ascii_letters + string.digits + "_.-+%")
_WRAPPING_QUOTES = frozenset({'""', "''", "\u201c\u201d", "\u2018\u2019"})
_NEAR = re.compile(r"near (\d+)")
_NOT_JSON5 = (pyjson5.Json5Exception, ValueError, RecursionError)
_SMALLEST, _LARGEST = -(2**63), 2**64 - 1


def read_properties(body: bytes, content_type: str, wanted: Sequence[Wanted]) -> dict[str, Scalar]:
    """Read a body into flat properties: nested ones as `outer.inner`, list members as `list.0`.

    Of duplicate keys the last wins. Numbers that JSON cannot carry (NaN, infinity) become None. `wanted` are
    the properties without which values that were pasted in unescaped are not worth sorting out.
    """
    text = _text(body)
    if not text.strip():
        raise PostUnreadable("the body is empty")
    if _is_form(text, content_type):
        return flat(_form(text))
    return flat(_object(text, wanted))


def read_tree(body: bytes, content_type: str) -> object:
    """Read a body as the tree that it is: of JSON, JSON5, or a form. Raises PostUnreadable."""
    text = _text(body)
    if not text.strip():
        raise PostUnreadable("the body is empty")
    if _is_form(text, content_type):
        return _form(text)
    with contextlib.suppress(orjson.JSONDecodeError):
        tree: object = orjson.loads(text)
        return tree
    try:
        return _json5(text)
    except _NOT_JSON5 as error:
        raise PostUnreadable(_json5_complaint(text, error)) from error


def _text(body: bytes) -> str:
    if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return body.decode("utf-16", errors="replace")
    body = body.removeprefix(codecs.BOM_UTF8)
    try:
        return body.decode()
    except UnicodeDecodeError:
        return body.decode("windows-1252", errors="replace")


def _is_form(text: str, content_type: str) -> bool:
    start = text.lstrip()
    if start[0] in "{[":  # curl sends JSON as a form unless told otherwise
        return False
    key, equals, _ = start[: MAX_KEY_LENGTH + 1].partition("=")
    says_so = content_type.partition(";")[0].strip().casefold() == _FORM_TYPE
    return says_so or bool(equals and key and _FORM_KEY_CHARACTERS.issuperset(key))


def _form(text: str) -> dict[str, Any]:
    try:
        pairs = parse_qsl(text.strip(), keep_blank_values=True, max_num_fields=MAX_PROPERTIES)
    except ValueError as error:
        raise PostUnreadable(f"the form has more than {MAX_PROPERTIES} fields") from error
    return {_unwrapped(key): _unwrapped(value) for key, value in pairs}


def _unwrapped(value: str) -> str:
    value = value.strip()
    return value[1:-1] if len(value) > 1 and value[0] + value[-1] in _WRAPPING_QUOTES else value


def _object(text: str, wanted: Sequence[Wanted]) -> dict[str, Any]:
    try:
        return _only_object(orjson.loads(text))
    except orjson.JSONDecodeError:
        pass
    try:
        return _only_object(_json5(text))
    except _NOT_JSON5 as error:
        complaint = _json5_complaint(text, error)
    straight, curly_at = straighten(text)
    if curly_at is not None:
        with contextlib.suppress(*_NOT_JSON5):
            return _only_object(_json5(straight))
    for spelling in dict.fromkeys((text, straight)):
        try:
            properties = salvage(spelling, wanted)
        except PostUnreadable as error:
            where = str(error)
            complaint = where if where.startswith("line ") else f"{complaint}; {where}"
        else:
            if properties is not None:
                return dict(properties)
    if curly_at is not None:
        complaint = f"smart quotes at line {line_of(text, curly_at)}: put straight ones instead"
    raise PostUnreadable(complaint)


def _json5(text: str) -> object:
    tree: object = pyjson5.decode(keep_pasted_backslashes(text), maxdepth=_PARSER_DEPTH)
    return tree


def _json5_complaint(text: str, error: Exception) -> str:
    start = text.lstrip()
    if start[0] not in "{[/":
        return f"line {line_of(text, len(text) - len(start))}: an object in braces {{…}} is expected here"
    near = _NEAR.search(str(error.args[0])) if error.args else None
    line = line_of(text, int(near.group(1)) - 1) if near else 1
    if isinstance(error, pyjson5.Json5NestingTooDeep | RecursionError):
        return f"line {line}: objects or lists are nested too deep"
    if isinstance(error, pyjson5.Json5EOF):
        return f"line {line}: what begins here has no end"
    character = error.args[-1] if isinstance(error, pyjson5.Json5DecoderException) else None
    return f"line {line}: unexpected {character!r}" if character else f"line {line}: a number is too large"


def _only_object(tree: object) -> dict[str, Any]:
    if isinstance(tree, list):
        if len(tree) != 1:
            raise PostUnreadable(f"the body is a list of {len(tree)}: post one object {{…}} at a time")
        tree = tree[0]
    if not isinstance(tree, dict):
        raise PostUnreadable("the body is no object: braces {…} with properties in them are expected")
    return tree


def flat(tree: dict[str, Any]) -> dict[str, Scalar]:
    """Flatten a tree as `read_properties` does; breadth first, so that what is left out lies deepest; no recursion."""
    flat: dict[str, Scalar] = {}
    waiting: deque[tuple[str, int, dict[str, Any] | list[Any]]] = deque([("", 1, tree)])
    while waiting:
        prefix, depth, node = waiting.popleft()
        for key, value in node.items() if isinstance(node, dict) else enumerate(node):
            path = prefix + str(key).strip().replace("\0", "")
            if len(path) > MAX_KEY_LENGTH:
                continue
            if isinstance(value, dict | list):
                if depth < MAX_DEPTH:
                    waiting.append((f"{path}.", depth + 1, value))
            elif len(flat) < MAX_PROPERTIES or path in flat:
                flat[path] = _scalar(value)
    return flat


def _scalar(value: Scalar) -> Scalar:
    if isinstance(value, str):
        return value.replace("\0", "")  # PostgreSQL stores no NUL in a text
    if isinstance(value, int) and not _SMALLEST <= value <= _LARGEST:
        try:
            value = float(value)
        except OverflowError:
            return None
    return None if isinstance(value, float) and not math.isfinite(value) else value
