"""Planned work over the API. What becomes of an order `actions.maintaining` decides."""

from collections.abc import Callable
from typing import Any

from service.actions import maintaining
from service.actions.api_tokens import Scope
from service.errors import NotFound
from service.model import Maintenance
from service.store import maintenances, narrative
from service.web.api.forms import CommentBody, ExtendBody, Nothing, PageQuery, PlanBody, TextBody
from service.web.api.operations import Call, Operation
from service.web.api.problems import FieldFault, Problem, problem_of, refused_fields
from service.web.api.shown import (
    MaintenanceDecided,
    MaintenancePage,
    MaintenanceShown,
    MaintenanceWhole,
    UpdateShown,
    page_of,
)
from service.web.public.maintenance_words import sentence
from service.workflow.maintenance import MaintenanceDecision, Plan

Answer = MaintenanceDecided | Problem


def list_maintenance(call: Call) -> dict[str, Any]:
    """List planned work, over or ahead."""
    query = call.asked(PageQuery)
    with call.house.store.reading() as connection:
        found = maintenances.listed(connection, before_id=query.before, limit=query.limit + 1)
    return page_of(MaintenanceShown, found, query.limit)


def get_maintenance(call: Call) -> MaintenanceWhole:
    """Read one, with what was told of it."""
    number = call.ids["id"]
    with call.house.store.reading() as connection:
        found = _found(maintenances.get(connection, number), number)
        updates = narrative.updates_of_maintenances(connection, [number])[number]
    return MaintenanceWhole(
        maintenance=MaintenanceShown.model_validate(found),
        updates=tuple(map(UpdateShown.model_validate, updates)),
    )


def plan_maintenance(call: Call) -> Answer:
    """Announce planned work to subscribers."""
    said = call.said(PlanBody)
    known = {one.name for one in call.house.config.components}
    unknown = [(at, name) for at, name in enumerate(said.components) if name not in known]
    if unknown:
        raise refused_fields(
            FieldFault(
                detail=f"there is no component `{name}`: name one of config.yaml", pointer=f"/components/{at}"
            )
            for at, name in unknown
        )
    plan = Plan(**{name: getattr(said, name) for name in PlanBody.model_fields})
    return _decided(maintaining.plan(call.house, plan, call.by, call.now))


def start_maintenance(call: Call) -> Answer:
    """Begin before its time."""
    return _decided(maintaining.start_now(call.house, call.ids["id"], call.by, call.now))


def end_maintenance(call: Call) -> Answer:
    """End it, with a comment or its own."""
    comment = call.said(CommentBody).comment
    return _decided(maintaining.end_now(call.house, call.ids["id"], call.by, comment, call.now))


def extend_maintenance(call: Call) -> Answer:
    """Let it end at another time."""
    ends_at = call.said(ExtendBody).ends_at
    return _decided(maintaining.extend(call.house, call.ids["id"], call.by, ends_at, call.now))


def update_maintenance(call: Call) -> Answer:
    """Tell more about it."""
    body = call.said(TextBody).body
    return _decided(maintaining.post_update(call.house, call.ids["id"], call.by, body, call.now))


def cancel_maintenance(call: Call) -> Answer:
    """Call it off before it begins."""
    comment = call.said(CommentBody).comment
    return _decided(maintaining.cancel(call.house, call.ids["id"], call.by, call.now, comment=comment))


def _decided(decision: MaintenanceDecision) -> Answer:
    said = sentence(decision.reason, decision.maintenance)
    if decision.reason.is_refusal:
        return problem_of(409, said, reason=decision.reason)
    shown = MaintenanceShown.model_validate(decision.maintenance)
    return MaintenanceDecided(reason=decision.reason, said=said, maintenance=shown)


def _found(maintenance: Maintenance | None, number: int) -> Maintenance:
    if maintenance is None:
        raise NotFound(f"there is no maintenance {number}")
    return maintenance


_READ, _WRITE = Scope.MAINTENANCE_READ, Scope.MAINTENANCE_WRITE
_ALL, _ONE = "/maintenance", "/maintenance/{id}"


def _ordering(path: str, act: Callable[[Call], Answer], summary: str, body: type[Any]) -> Operation:
    return Operation("POST", _ONE + path, _WRITE, act, summary, MaintenanceDecided, body)


OPERATIONS = (
    Operation("GET", _ALL, _READ, list_maintenance, "List planned work", MaintenancePage, query=PageQuery),
    Operation("POST", _ALL, _WRITE, plan_maintenance, "Plan work", MaintenanceDecided, PlanBody, status=201),
    Operation("GET", _ONE, _READ, get_maintenance, "Read planned work", MaintenanceWhole),
    _ordering("/start", start_maintenance, "Begin it now", Nothing),
    _ordering("/end", end_maintenance, "End it", CommentBody),
    _ordering("/extend", extend_maintenance, "Move its end", ExtendBody),
    _ordering("/updates", update_maintenance, "Tell more about it", TextBody),
    _ordering("/cancel", cancel_maintenance, "Call it off", CommentBody),
)
