"""What went wrong, as problem documents (RFC 9457): for each error that this service raises on purpose, its answer."""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.responses import Response

from service.actions.answering_once import KeyUsedOtherwise
from service.actions.subscriber_file import SubscriberFileFaulty
from service.calls.calling import UrlUnusable
from service.errors import (
    IncidentChangedMeanwhile,
    MachineExhausted,
    NotAllowed,
    NotFound,
    OutcomeUnknown,
    PermanentFault,
    ReplycastError,
    StoreUnavailable,
)

PROBLEM_TYPE: Final = "application/problem+json"
MOST_FAULTS: Final = 1_000
CHANGED: Final = "changed_meanwhile"
AGAIN: Final = {"retry-after": "5"}


class FieldFault(BaseModel):
    """What is wrong with one field, parameter or line."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    detail: str
    pointer: str | None = Field(default=None, description="Where in the body: a JSON Pointer (RFC 6901).")
    parameter: str | None = Field(default=None, description="Which parameter.")


class Problem(BaseModel):
    """Why something was not done."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    type: str = "about:blank"
    title: str
    status: int
    detail: str = Field(description="One sentence for a person.")
    reason: str | None = Field(default=None, description="The named reason, where an order was refused.")
    errors: tuple[FieldFault, ...] | None = Field(default=None, description="Every fault of what was sent.")


class Refused(PermanentFault):
    """A request is answered with a problem; nothing was done."""

    def __init__(self, problem: Problem, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(problem.detail)
        self.problem = problem
        self.headers = dict(headers or {})


def problem_of(
    status: int, detail: str, *, reason: str | None = None, errors: Iterable[FieldFault] | None = None
) -> Problem:
    """Make a problem document; its detail becomes a sentence."""
    said = f"{detail[:1].upper()}{detail[1:]}"
    return Problem(
        title=HTTPStatus(status).phrase,
        status=status,
        detail=said if said.endswith((".", "!", "?")) else f"{said}.",
        reason=reason,
        errors=tuple(errors) if errors is not None else None,
    )


def refused(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Refused:
    """Make what is raised to answer so."""
    return Refused(problem_of(status, detail), headers)


def refused_fields(errors: Iterable[FieldFault]) -> Refused:
    """Make what is raised where some of what was sent cannot be taken."""
    faults = list(errors)[:MOST_FAULTS]
    count = "One thing" if len(faults) == 1 else f"{len(faults)} things"
    said = f"{count} of what was sent cannot be taken; nothing was done."
    return Refused(problem_of(422, said, errors=faults))


def body_faults(error: ValidationError) -> Refused:
    """Say what is wrong with a body."""
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    if any(one["type"] == "json_invalid" for one in faults):
        return refused(400, f"the body is no JSON: {faults[0]['msg']}")
    return refused_fields(
        FieldFault(detail=one["msg"], pointer="".join(f"/{_escaped(part)}" for part in one["loc"]))
        for one in faults
    )


def query_faults(error: ValidationError) -> Refused:
    """Say what is wrong with the parameters."""
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    return refused_fields(FieldFault(detail=one["msg"], parameter=str(one["loc"][0])) for one in faults)


def _escaped(part: int | str) -> str:
    text = str(part).encode("utf-8", "replace").decode()
    return text.replace("~", "~0").replace("/", "~1")


def of_error(error: ReplycastError) -> Refused:
    """Give the answer to an error that an action raised."""
    match error:
        case Refused():
            return error
        case NotFound():
            return refused(404, str(error))
        case NotAllowed():
            return refused(403, str(error))
        case UrlUnusable():
            return refused_fields([FieldFault(detail=f"this URL {error}", pointer="/url")])
        case SubscriberFileFaulty():
            return refused_fields(FieldFault(detail=one) for one in error.faults)
        case KeyUsedOtherwise():
            return refused(422, str(error))
        case IncidentChangedMeanwhile():
            said = (
                "Somebody else changed it at the same moment, and nothing was done: read it again and decide."
            )
            return Refused(problem_of(409, said, reason=CHANGED), {"retry-after": "1"})
        case OutcomeUnknown():
            said = (
                "the database stopped answering as this was to be stored, and it may have been done: look, or send "
                "it again with the same Idempotency-Key"
            )
            return refused(503, said, AGAIN)
        case StoreUnavailable() | MachineExhausted():
            what = "machine" if isinstance(error, MachineExhausted) else "database"
            return refused(503, f"the {what} cannot be used just now; nothing was done", AGAIN)
        case _:
            return refused(422, str(error))


def answer(one: Refused) -> Response:
    """Answer with a problem document."""
    headers = {**one.headers, "cache-control": "no-store"}
    return Response(f"{written(one.problem)}\n", one.problem.status, headers, PROBLEM_TYPE)


def written(problem: Problem) -> str:
    """Write a problem document."""
    return problem.model_dump_json(exclude_none=True)
