"""Planned work, as employees see it, plan it and carry it out. What becomes of it `actions.maintaining` decides."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from service.actions import maintaining
from service.actions.house import House
from service.actions.maintaining import COMPLETED_TEXT, plan_of
from service.errors import IncidentChangedMeanwhile, NotAllowed
from service.model import Employee, Maintenance
from service.store import maintenances
from service.web.dashboard.maintenance_form import (
    LONGEST_SUBJECT,
    LONGEST_TEXT,
    REMINDERS,
    read_moment,
    read_plan,
)
from service.web.dashboard.maintenance_page import CHANGED, found, maintenance_page, words_of
from service.web.front import front_of, page
from service.web.login.mail_link import before_id, ordered_by_employees, row_id, shown_to_employees
from service.web.public.maintenance_words import sentence
from service.workflow.maintenance import MaintenanceDecision

SHOWN: Final = 25

_HERE: Final = "/dashboard/maintenance"


@shown_to_employees
def show_maintenances(request: Request, employee: Employee) -> Response:
    """Show what is on and planned, then what is over, page by page."""
    front, before = front_of(request), before_id(request)
    with front.house.store.reading() as connection:
        ahead = maintenances.not_over(connection) if before is None else ()
        listed = maintenances.listed(connection, before_id=before, limit=SHOWN + 1)
    return page(
        request,
        "dashboard/maintenances.html",
        employee=employee,
        here="maintenance",
        ahead=ahead,
        over=[one for one in listed[:SHOWN] if one.phase.is_over],
        last=listed[:SHOWN][-1] if len(listed) > SHOWN else None,
        before=before,
        now=front.clock(),
        **words_of(front.house),
    )


@shown_to_employees
def show_form(request: Request, employee: Employee) -> Response:
    """Show the form that plans one."""
    _refuse_viewers(employee)
    return _form_page(request, employee)


def _form_page(
    request: Request,
    employee: Employee,
    *,
    problems: Mapping[str, str] | None = None,
    typed: Mapping[str, str] | None = None,
) -> Response:
    return page(
        request,
        "dashboard/plan_maintenance.html",
        status_code=422 if problems else 200,
        employee=employee,
        here="plan",
        problems=problems or {},
        typed=typed or {},
        components=front_of(request).house.config.components,
        reminders=REMINDERS,
        longest_subject=LONGEST_SUBJECT,
        longest_text=LONGEST_TEXT,
        completed_text=COMPLETED_TEXT,
    )


@ordered_by_employees
def plan(request: Request, employee: Employee, form: Mapping[str, str]) -> Response:
    """Plan one; what was typed is kept where it cannot be planned."""
    _refuse_viewers(employee)
    front = front_of(request)
    typed = read_plan(form, front.house.config)
    if typed.plan is None:
        return _form_page(request, employee, problems=typed.problems, typed=form)
    decision = maintaining.plan(front.house, typed.plan, employee, front.clock())
    if decision.reason.is_refusal:
        said = sentence(decision.reason, decision.maintenance)
        return _form_page(request, employee, problems={"starts_at": said}, typed=form)
    return RedirectResponse(f"{_HERE}/{decision.maintenance.id}?said={quote(decision.reason)}", 303)


@shown_to_employees
def show_maintenance(request: Request, employee: Employee) -> Response:
    """Show one, and what came of an order that led here."""
    return maintenance_page(request, employee, said=request.query_params.get("said", ""))


@ordered_by_employees
def start(request: Request, employee: Employee, form: Mapping[str, str]) -> Response:
    """Begin before its time."""
    del form  # the order is the whole of it
    return _carry_out(
        request, employee, lambda house, number, now: maintaining.start_now(house, number, employee, now)
    )


@ordered_by_employees
def end(request: Request, employee: Employee, form: Mapping[str, str]) -> Response:
    """End it, with a comment or its own."""
    comment = form.get("comment", "").strip()
    if (problem := _too_long(comment)) and employee.may_publish:
        return maintenance_page(request, employee, problems={"comment": problem}, typed=form)
    return _carry_out(
        request,
        employee,
        lambda house, number, now: maintaining.end_now(house, number, employee, comment, now),
        form,
    )


@ordered_by_employees
def extend(request: Request, employee: Employee, form: Mapping[str, str]) -> Response:
    """Let it end at another time."""
    _refuse_viewers(employee)
    problems: dict[str, str] = {}
    before = _stored(request)
    zone = front_of(request).house.config.site.timezone
    ends_at = read_moment(form, "ends_at", zone, problems, before.ends_at)
    if ends_at is None:
        return maintenance_page(request, employee, problems=problems, typed=form)
    return _carry_out(
        request,
        employee,
        lambda house, number, now: maintaining.extend(house, number, employee, ends_at, now),
        form,
    )


@ordered_by_employees
def move(request: Request, employee: Employee, form: Mapping[str, str]) -> Response:
    """Plan it for another time; a reminder keeps its distance to the beginning."""
    _refuse_viewers(employee)
    zone, problems = front_of(request).house.config.site.timezone, dict[str, str]()
    before = _stored(request)
    starts_at = read_moment(form, "starts_at", zone, problems, before.starts_at)
    ends_at = read_moment(form, "ends_at", zone, problems, before.ends_at)
    if starts_at is None or ends_at is None:
        return maintenance_page(request, employee, problems=problems, typed=form)
    remind_at = before.remind_at and before.remind_at + (starts_at - before.starts_at)
    wanted = replace(plan_of(before), starts_at=starts_at, ends_at=ends_at, remind_at=remind_at)
    return _carry_out(
        request,
        employee,
        lambda house, number, now: maintaining.reschedule(house, number, employee, wanted, now),
        form,
    )


@ordered_by_employees
def update(request: Request, employee: Employee, form: Mapping[str, str]) -> Response:
    """Tell more about it."""
    text = form.get("text", "").strip()
    problem = _too_long(text) or ("" if text else "Write what subscribers shall read; nothing was sent.")
    if problem and employee.may_publish:
        return maintenance_page(request, employee, problems={"text": problem}, typed=form)
    return _carry_out(
        request,
        employee,
        lambda house, number, now: maintaining.post_update(house, number, employee, text, now),
        form,
    )


@ordered_by_employees
def cancel(request: Request, employee: Employee, form: Mapping[str, str]) -> Response:
    """Call it off."""
    del form  # the order is the whole of it
    return _carry_out(
        request, employee, lambda house, number, now: maintaining.cancel(house, number, employee, now)
    )


def _stored(request: Request) -> Maintenance:
    """Read the one that an order is about; raises NotFound."""
    with front_of(request).house.store.reading() as connection:
        return found(maintenances.get(connection, row_id(request)), row_id(request))


def _refuse_viewers(employee: Employee) -> None:
    if not employee.may_publish:
        raise NotAllowed(
            f"{employee.name} may look, but not publish: the role in config.yaml is `{employee.role}`"
        )


def _too_long(text: str) -> str:
    if len(text) <= LONGEST_TEXT:
        return ""
    return f"This text has {len(text):,} characters; at most {LONGEST_TEXT:,} can be sent. Nothing was sent."


def _carry_out(
    request: Request,
    employee: Employee,
    order: Callable[[House, int, datetime], MaintenanceDecision],
    typed: Mapping[str, str] | None = None,
) -> Response:
    front, number = front_of(request), row_id(request)
    try:
        reason = order(front.house, number, front.clock()).reason
        said, is_refused = str(reason), reason.is_refusal
    except IncidentChangedMeanwhile:
        said, is_refused = CHANGED, True
    if is_refused and typed and any(typed.values()):
        return maintenance_page(request, employee, said=said, typed=typed)
    return RedirectResponse(f"{_HERE}/{number}?said={quote(said)}", 303)


routes = [
    Route(_HERE, show_maintenances),
    Route(f"{_HERE}/plan", show_form, methods=["GET"]),
    Route(f"{_HERE}/plan", plan, methods=["POST"]),
    Route(_HERE + "/{id}", show_maintenance),
    Route(_HERE + "/{id}/start", start, methods=["POST"]),
    Route(_HERE + "/{id}/end", end, methods=["POST"]),
    Route(_HERE + "/{id}/extend", extend, methods=["POST"]),
    Route(_HERE + "/{id}/move", move, methods=["POST"]),
    Route(_HERE + "/{id}/update", update, methods=["POST"]),
    Route(_HERE + "/{id}/cancel", cancel, methods=["POST"]),
]
