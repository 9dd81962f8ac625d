"""The door of the API: lets in by bearer token alone, reads what is sent, and answers in JSON, problems too.

A cookie opens nothing here, so that no page of another site can order anything in an employee's name.
"""

import hashlib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from http import HTTPStatus
from typing import Any, Final

from anyio import to_thread
from pydantic import BaseModel, ValidationError
from sqlalchemy import Connection
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from service.actions import api_tokens
from service.actions.answering_once import Keep, answer_once, answer_once_in_steps
from service.actions.api_tokens import Scope
from service.actions.house import House
from service.errors import ReplycastError
from service.store.api_tokens import ApiToken
from service.store.given_answers import GivenAnswer
from service.web.api.accepting import accepts, is_of_type
from service.web.api.forms import Query
from service.web.api.operations import CSV, JSON, NO_CONTENT, Call, Operation
from service.web.api.problems import (
    PROBLEM_TYPE,
    Problem,
    answer,
    body_faults,
    of_error,
    query_faults,
    refused,
    written,
)
from service.web.front import front_of
from service.web.windows import MINUTE, Allowance, Windows

LARGEST: Final[Mapping[str, int]] = {JSON: 256 * 1024, CSV: 8 * 1024 * 1024}
"""Bytes of a body."""
CALLS_A_MINUTE: Final = 600
"""By one token."""

_ID: Final = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)
_KEY: Final = re.compile(r'"([\x20-\x21\x23-\x5b\x5d-\x7e]{1,255})"|([\x21\x23-\x5b\x5d-\x7e]{1,255})')
"""A string of structured fields (RFC 9651), or what most clients send: the same without quotation marks."""
_CHALLENGE: Final = 'Bearer realm="Replycast API"'


@dataclass(frozen=True, slots=True)
class _Read:
    """What a request carries."""

    call: Call
    raw: bytes
    key: str


class Door:
    """Holds how often each token called, and which keys are being answered at this moment."""

    def __init__(self, calls_a_minute: int = CALLS_A_MINUTE) -> None:
        self._windows = Windows()
        self._most = Allowance(calls_a_minute, MINUTE)
        self._under_way: set[tuple[int, str]] = set()

    async def answer(self, request: Request, operation: Operation) -> Response:
        """Answer a request for an operation; whatever goes wrong on purpose is a problem document."""
        try:
            response = await self._let_in(request, operation)
        except ReplycastError as error:
            response = answer(of_error(error))
        except ClientDisconnect:
            response = answer(refused(400, "the body was cut short; send it again"))
        response.headers["cache-control"] = "no-store"
        return response

    async def _let_in(self, request: Request, operation: Operation) -> Response:
        token = await to_thread.run_sync(token_of, request)
        self._count(request, token, self._most)
        demand(operation.scope, token)
        if not accepts(request.headers.get("accept", ""), operation.answer_type):
            raise refused(406, f"the answer is {operation.answer_type}, which `Accept` does not take")
        if operation.most_a_minute is not None:
            most = Allowance(operation.most_a_minute, MINUTE, operation.id)
            self._count(request, token, most, f"asked for `{operation.path}`")
        if request.method == "HEAD" and operation.is_noted:
            return Response(media_type=operation.answer_type)
        read = await _read(request, operation, token)
        if not read.key or not operation.changes:
            response = await to_thread.run_sync(_act, operation, read.call)
        else:
            response = await self._act_once(request, operation, token, read)
        if operation.method != "GET":
            # here, not in the thread: what it sets belongs to the event loop
            front_of(request).wake()
        return response

    def _count(self, request: Request, token: ApiToken, most: Allowance, did: str = "called") -> None:
        key = str(token.id)
        if self._windows.count(most, key):
            return
        free_at = self._windows.free_at(most, key)
        seconds = math.ceil(free_at - front_of(request).clock().timestamp())
        said = f"the token `{token.name}` {did} more than {most.most} times in a minute"
        raise refused(429, said, {"retry-after": str(min(max(seconds, 1), 60))})

    async def _act_once(
        self, request: Request, operation: Operation, token: ApiToken, read: _Read
    ) -> Response:
        place = token.id, read.key
        if place in self._under_way:
            said = "the request of this Idempotency-Key is still being answered: ask again in a moment"
            raise refused(409, said, {"retry-after": "1"})
        self._under_way.add(place)
        try:
            fingerprint = _fingerprint(request, read.raw)
            once = partial(_in_steps if operation.in_steps else _at_once, operation, read, token, fingerprint)
            given, is_again = await to_thread.run_sync(once)
        finally:
            self._under_way.discard(place)
        response = _response(given.status, given.body)
        if is_again:
            response.headers["idempotency-replayed"] = "true"
        return response


def token_of(request: Request) -> ApiToken:
    """Give the token that a request carries; raises Refused with 401 where it carries none that opens anything."""
    front = front_of(request)
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        said = "send a token as `Authorization: Bearer rc_…`; `replycast token create` makes one"
        raise refused(401, said, {"www-authenticate": _CHALLENGE})
    token = api_tokens.find_token(front.house, secret.strip(), front.clock())
    if token is None:
        said = "this token is unknown, expired or revoked"
        raise refused(401, said, {"www-authenticate": f'{_CHALLENGE}, error="invalid_token"'})
    return token


def demand(scope: Scope, token: ApiToken) -> None:
    """Raise Refused with 403 where a token lacks a scope."""
    if scope not in token.scopes:
        said = f"the token `{token.name}` lacks the scope `{scope}`"
        challenge = f'{_CHALLENGE}, error="insufficient_scope", scope="{scope}"'
        raise refused(403, said, {"www-authenticate": challenge})


async def _read(request: Request, operation: Operation, token: ApiToken) -> _Read:
    front = front_of(request)
    ids = {name: _number(str(request.path_params[name])) for name in operation.names}
    query = _query(request, operation.query)
    call = Call(
        house=front.house,
        by=api_tokens.acting_by(token, operation.scope),
        scopes=frozenset(Scope(one) for one in token.scopes if one in set(Scope)),
        now=front.clock(),
        ids=ids,
        query=query,
    )
    if not operation.takes_body:
        return _Read(call, b"", "")
    # a PATCH that is sent again changes nothing more
    key = _key(request.headers.getlist("idempotency-key")) if operation.method == "POST" else ""
    raw = await _body(request, operation)
    if operation.body is None:
        return _Read(replace(call, raw=raw), raw, key)
    try:
        body = operation.body.model_validate_json(raw or b"{}")
    except ValidationError as error:
        raise body_faults(error) from error
    return _Read(replace(call, body=body), raw, key)


def _number(text: str) -> int:
    if _ID.fullmatch(text) is not None:
        return int(text)
    # mails and pages say INC-4, and the document says that ids are integers
    number = text[:4].upper() == "INC-" and text[4:]
    if number and _ID.fullmatch(number):
        raise refused(404, f"write the number alone: {number} in place of {text}")
    raise refused(404, "there is nothing at this address")


def _query(request: Request, form: type[Query]) -> Query:
    # gathered in one pass: to look each name up by itself would take time by the square of how many there are
    given: dict[str, list[str]] = {}
    for name, value in request.query_params.multi_items():
        given.setdefault(name, []).append(value)
    asked: dict[str, Any] = {
        name: tuple(values) if name == "phase" or len(values) > 1 else values[0]
        for name, values in given.items()
    }
    try:
        return form.model_validate(asked)
    except ValidationError as error:
        raise query_faults(error) from error


def _key(given: list[str]) -> str:
    if not given:
        return ""
    found = _KEY.fullmatch(given[0].strip())
    if found is None or len(given) > 1:
        raise refused(400, "Idempotency-Key must be one text of at most 255 printable ASCII characters")
    return found[1] or found[2]


async def _body(request: Request, operation: Operation) -> bytes:
    most = LARGEST[operation.body_type]
    declared = request.headers.get("content-length", "")
    too_large = refused(413, f"the body is over {most // 1024} KiB")
    if declared.isdecimal() and int(declared) > most:
        raise too_large
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise too_large
    if body and not is_of_type(request.headers.get("content-type", ""), operation.body_type):
        raise refused(
            415, f"send the body as {operation.body_type}, in UTF-8", {"accept": operation.body_type}
        )
    return bytes(body)


def _fingerprint(request: Request, raw: bytes) -> str:
    asked = f"{request.method} {request.url.path}?{request.url.query}\n".encode()
    return hashlib.sha256(asked + raw).hexdigest()


def _at_once(
    operation: Operation, read: _Read, token: ApiToken, fingerprint: str
) -> tuple[GivenAnswer, bool]:
    call = read.call

    def act(house: House) -> GivenAnswer:
        return GivenAnswer(fingerprint, *_form(operation, operation.act(replace(call, house=house))))

    return answer_once(call.house, token.id, read.key, call.now, fingerprint=fingerprint, act=act)


def _in_steps(
    operation: Operation, read: _Read, token: ApiToken, fingerprint: str
) -> tuple[GivenAnswer, bool]:
    call = read.call

    def act(keep: Keep) -> GivenAnswer:
        def note(connection: Connection, outcome: Mapping[str, Any] | BaseModel) -> None:
            keep(connection, GivenAnswer(fingerprint, *_form(operation, outcome)))

        return GivenAnswer(fingerprint, *_form(operation, operation.act(replace(call, note=note))))

    return answer_once_in_steps(call.house, token.id, read.key, call.now, fingerprint=fingerprint, act=act)


def _act(operation: Operation, call: Call) -> Response:
    outcome = operation.act(call)
    return outcome if isinstance(outcome, Response) else _response(*_form(operation, outcome))


def _form(operation: Operation, outcome: object) -> tuple[int, str]:
    if isinstance(outcome, Problem):
        return outcome.status, written(outcome)
    if operation.answer is None:
        return operation.status, ""
    shown: BaseModel = operation.answer.model_validate(outcome)
    return operation.status, shown.model_dump_json()


def _response(status: int, body: str) -> Response:
    if status == NO_CONTENT:
        return Response(status_code=status)
    return Response(body, status, media_type=JSON if status < HTTPStatus.BAD_REQUEST else PROBLEM_TYPE)
