"""What an operation of the API is: where it stands, which scope it needs, what it takes, what it answers, what it does.

The table of them is `routes`; the door and the OpenAPI document read nothing but it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, TypeVar

from pydantic import BaseModel
from sqlalchemy import Connection
from starlette.responses import Response

from service.actions.api_tokens import Scope
from service.actions.house import House
from service.model import Employee
from service.web.api.forms import Body, NoQuery, Query
from service.web.api.problems import Problem

CSV: Final = "text/csv"
JSON: Final = "application/json"
NO_CONTENT: Final = 204

_Body = TypeVar("_Body", bound=Body)
_Query = TypeVar("_Query", bound=Query)


@dataclass(frozen=True, slots=True)
class Call:
    """One request, read and let in."""

    house: House
    """Its store may be one open transaction, within which all of the call is done."""
    by: Employee
    scopes: frozenset[Scope]
    now: datetime
    ids: Mapping[str, int]
    """The numbers in the path."""
    query: Query
    body: Body | None = None
    raw: bytes = b""
    """The body as it came, where it is no JSON."""
    note: Callable[[Connection, Any], None] | None = None
    """For what is done in steps: keeps the answer within the last one's transaction; None: nobody wants it kept."""

    def said(self, form: type[_Body]) -> _Body:
        """Give the body, whose form the operation declares."""
        if not isinstance(self.body, form):
            raise TypeError(f"this operation does not declare a body of {form.__name__}")
        return self.body

    def asked(self, form: type[_Query]) -> _Query:
        """Give the parameters, whose form the operation declares."""
        if not isinstance(self.query, form):
            raise TypeError(f"this operation does not declare a query of {form.__name__}")
        return self.query


Act = Callable[[Call], BaseModel | Mapping[str, Any] | Problem | Response | None]
"""Gives what is answered: what the operation's form of an answer is made of, a problem, or a whole response."""


@dataclass(frozen=True, slots=True)
class Operation:
    """A method at a path. It cannot be made without a scope."""

    method: str
    path: str
    """Below /api/v1; `{name}` stands for a row's number."""
    scope: Scope
    act: Act
    summary: str
    answer: type[BaseModel] | None = None
    """None: no content, or `answer_type` is no JSON."""
    body: type[Body] | None = None
    query: type[Query] = field(default=NoQuery)
    status: int = 200
    body_type: str = JSON
    answer_type: str = JSON
    changes: bool = True
    """Whether a POST changes something: else no answer to it is kept, and asking again is as good."""

    most_a_minute: int | None = None
    """By one token, where each takes much of a processor; None: as often as anything."""
    is_noted: bool = False
    """Whether a GET is written into the record of what people did; a HEAD, which reads nothing, is not."""
    in_steps: bool = False
    """Whether it takes too long for one transaction, and keeps its answer with the last of several."""

    @property
    def names(self) -> tuple[str, ...]:
        """What the numbers in the path are called."""
        return tuple(part[1:-1] for part in self.path.split("/") if part.startswith("{"))

    @property
    def takes_body(self) -> bool:
        """Whether there is a body to read."""
        return self.body is not None or self.body_type != JSON

    @property
    def id(self) -> str:
        """What the OpenAPI document calls it."""
        return self.act.__name__
