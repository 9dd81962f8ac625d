"""The OpenAPI 3.1 document, made of the table of operations and of the forms; the same table gives the same bytes."""

from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from service.actions.api_tokens import Scope
from service.web.api.forms import Query
from service.web.api.operations import NO_CONTENT, Operation
from service.web.api.problems import PROBLEM_TYPE, Problem

SCHEMAS: Final = "#/components/schemas/"
VERSION: Final = "1"

_ABOUT: Final = (
    "What employees do on the dashboard, for programs. Make a token with `replycast token create`; it opens only what "
    "its scopes name. An answer to an order holds its named reason, the same word as in the timeline; an order that is "
    "refused is answered with 409 and that reason, and nothing was done. Lists are read on with `before`."
)
_KEY: Final[Mapping[str, Any]] = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Any text of your own, one for each order: the same order again within 24 hours is done once, and "
    "answered with the same answer.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!#-\\[\\]-~]+$"},
    "example": "8e03978e-40d5-43e8-bc93-6894a57f9324",
}
_ALWAYS: Final[Mapping[int, str]] = {
    400: "It cannot be read.",
    401: "No token, or one that opens nothing.",
    403: "The token lacks the scope.",
    406: "`Accept` does not take the answer.",
    422: "Some of what was sent cannot be taken; `errors` names each fault.",
    429: "Too many calls by this token; see `Retry-After`.",
    503: "The database cannot be used just now; nothing was done.",
}
_SOMETIMES: Final[Mapping[int, str]] = {
    404: "There is no such thing.",
    409: "Refused as things stand: `reason` says why.",
    413: "The body is too large.",
    415: "The body is of another kind.",
}
Json = dict[str, Any]


def openapi(operations: Sequence[Operation], url: str, root: str) -> Json:
    """Write the document of some operations."""
    paths: dict[str, Json] = {}
    for one in operations:
        paths.setdefault(root + one.path, {})[one.method.lower()] = _operation(one)
    statuses = {**_ALWAYS, **_SOMETIMES}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Replycast", "version": VERSION, "description": _ABOUT},
        "servers": [{"url": url.rstrip("/")}],
        "paths": paths,
        "components": {
            "schemas": _schemas(operations),
            "responses": {
                f"Problem{status}": _problem(status, said) for status, said in sorted(statuses.items())
            },
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": f"Scopes: {', '.join(f'`{scope}`' for scope in Scope)}.",
                }
            },
        },
    }


def _operation(one: Operation) -> Json:
    found: Json = {
        "operationId": one.id,
        "summary": one.summary,
        "description": f"{one.act.__doc__} Scope: `{one.scope}`.",
        "tags": [one.path.split("/")[1]],
        "security": [{"token": [one.scope.value]}],
        "parameters": [
            *map(_in_path, one.names),
            *_in_query(one.query),
            *([dict(_KEY)] if one.method == "POST" else ()),
        ],
        "responses": _responses(one),
    }
    if one.body is not None:
        is_needed = any(field.is_required() for field in one.body.model_fields.values())
        found["requestBody"] = _content(one.body_type, _ref(one.body)) | {"required": is_needed}
    elif one.takes_body:
        found["requestBody"] = _content(one.body_type, {"type": "string"}) | {"required": True}
    return found


def _in_path(name: str) -> Json:
    schema = {"type": "integer", "minimum": 1, "maximum": 10**18 - 1}
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _in_query(form: type[Query]) -> list[Json]:
    written = form.model_json_schema(ref_template=SCHEMAS + "{model}")
    return [_parameter(name, dict(schema)) for name, schema in written.get("properties", {}).items()]


def _parameter(name: str, schema: Json) -> Json:
    said = schema.pop("description", "")
    schema.pop("title", None)
    if not schema.get("default"):
        schema.pop("default", None)
    # a parameter is left out, and never null
    kinds = [kind for kind in schema.pop("anyOf", []) if kind != {"type": "null"}]
    return {
        "name": name,
        "in": "query",
        "description": said,
        "schema": {**schema, **(kinds[0] if kinds else {})},
    }


def _responses(one: Operation) -> Json:
    if one.status == NO_CONTENT:
        done: Json = {}
    elif one.answer is None:
        done = _content(one.answer_type, {"type": "string"})
    else:
        done = _content(one.answer_type, _ref(one.answer))
    responses = {str(one.status): {"description": "Done." if one.method != "GET" else "Here it is.", **done}}
    statuses = {*_ALWAYS, *([404] if one.names else ()), *([409, 413, 415] if one.takes_body else ())}
    for status in sorted(statuses):
        responses[str(status)] = {"$ref": f"#/components/responses/Problem{status}"}
    return responses


def _problem(status: int, said: str) -> Json:
    return {"description": f"{HTTPStatus(status).phrase}: {said}", **_content(PROBLEM_TYPE, _ref(Problem))}


def _content(media_type: str, schema: Json) -> Json:
    return {"content": {media_type: {"schema": schema}}}


def _ref(form: type[BaseModel]) -> Json:
    return {"$ref": SCHEMAS + form.__name__}


def _schemas(operations: Iterable[Operation]) -> Json:
    wanted: dict[type[BaseModel], JsonSchemaMode] = {Problem: "serialization"}
    for one in operations:
        wanted[one.query] = "validation"
        if one.body is not None:
            wanted[one.body] = "validation"
        if one.answer is not None:
            wanted[one.answer] = "serialization"
    listed = sorted(wanted.items(), key=lambda entry: entry[0].__name__)
    _, document = models_json_schema(listed, ref_template=SCHEMAS + "{model}")
    queries = {one.query.__name__ for one in operations}
    schemas: Json = document["$defs"]
    return {name: schema for name, schema in sorted(schemas.items()) if name not in queries}
