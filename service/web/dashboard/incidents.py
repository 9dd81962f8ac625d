"""An incident, as employees see it, and what they order about it. What becomes of it `actions` decides."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from service.actions import deciding
from service.actions.house import House
from service.errors import IncidentChangedMeanwhile
from service.model import INCIDENT_STATUSES, Employee, Phase, UpdateStatus
from service.web.dashboard.incident_page import CHANGED, HOLDS, LONGEST_TEXT, incident_page, refused_page
from service.web.front import front_of
from service.web.login.mail_link import ordered_by_employees, row_id, shown_to_employees
from service.workflow import Decision

_VERSION: Final = re.compile(r"[0-9]{1,9}")
_Ordering = Callable[[House, int, datetime], Decision]


@shown_to_employees
def show_incident(request: Request, employee: Employee) -> Response:
    """Show one incident, and what came of an order that led here."""
    return incident_page(request, employee, said=request.query_params.get("said", ""))


@ordered_by_employees
def publish(request: Request, employee: Employee, form: Mapping[str, str]) -> Response:
    """Publish what the page showed, or approve it as one of several."""
    version = form.get("version", "")
    # without a version it was not our page that was looked at, and no text has the version 0
    seen = int(version) if _VERSION.fullmatch(version) else 0
    return _carry_out(
        request,
        lambda house, number, now: deciding.publish(house, number, employee, now, text_version=seen),
    )


@ordered_by_employees
def discard(request: Request, employee: Employee, form: Mapping[str, str]) -> Response:
    """Let it go without a word."""
    del form  # the order is the whole of it
    return _carry_out(request, lambda house, number, now: deciding.discard(house, number, employee, now))


@ordered_by_employees
def hold(request: Request, employee: Employee, form: Mapping[str, str]) -> Response:
    """Let nothing happen by itself for a while."""
    span = HOLDS.get(form.get("span", ""), next(iter(HOLDS.values())))
    return _carry_out(request, lambda house, number, now: deciding.hold(house, number, employee, span, now))


@ordered_by_employees
def update(request: Request, employee: Employee, form: Mapping[str, str]) -> Response:
    """Tell the public more; what was typed is kept where it cannot be posted."""
    text, chosen = form.get("text", "").strip(), form.get("status", UpdateStatus.INVESTIGATING)
    status = next((one for one in INCIDENT_STATUSES if one == chosen), None)
    problem = _too_long(text) or ("" if text else "Write what subscribers shall read; nothing was sent.")
    if status is None:
        problem = "Choose one of the statuses; nothing was sent."
    if problem and employee.may_publish:
        return incident_page(request, employee, problems={"update": problem}, typed=form)
    told = status or UpdateStatus.INVESTIGATING
    # a form that does not say it showed the incident as closed counts as one that showed it open
    seen_open = form.get("seen") != Phase.CLOSED
    return _carry_out_typed(
        request,
        employee,
        "update",
        form,
        lambda house, number, now: deciding.post_update(
            house, number, employee, told, text, now, seen_open=seen_open
        ),
    )


@ordered_by_employees
def correct(request: Request, employee: Employee, form: Mapping[str, str]) -> Response:
    """Put right what an update said; what was typed is kept where it cannot be posted."""
    text, update_id = form.get("text", "").strip(), row_id(request, "update")
    problem = _too_long(text) or ("" if text else "Write what is right; nothing was sent.")
    if problem and employee.may_publish:
        return incident_page(request, employee, problems={f"correct-{update_id}": problem}, typed=form)
    return _carry_out_typed(
        request,
        employee,
        f"correct-{update_id}",
        form,
        lambda house, number, now: deciding.correct(house, number, update_id, employee, text, now),
    )


@ordered_by_employees
def post_mortem(request: Request, employee: Employee, form: Mapping[str, str]) -> Response:
    """Tell why it happened; what was typed is kept where it cannot be posted."""
    text, is_sent = form.get("text", "").strip(), bool(form.get("is_sent"))
    problem = _too_long(text) or ("" if text else "Write what was learned from it; nothing was posted.")
    if problem and employee.may_publish:
        return incident_page(request, employee, problems={"post-mortem": problem}, typed=form)
    return _carry_out_typed(
        request,
        employee,
        "post-mortem",
        form,
        lambda house, number, now: deciding.post_mortem(house, number, employee, text, now, is_sent=is_sent),
    )


@ordered_by_employees
def close(request: Request, employee: Employee, form: Mapping[str, str]) -> Response:
    """Declare it over, with a comment or with the monitor's."""
    comment = form.get("comment", "").strip()
    problem = _too_long(comment)
    if problem and employee.may_publish:
        return incident_page(request, employee, problems={"close": problem}, typed=form)
    return _carry_out_typed(
        request,
        employee,
        "close",
        form,
        lambda house, number, now: deciding.close(house, number, employee, comment, now),
    )


def _too_long(text: str) -> str:
    if len(text) <= LONGEST_TEXT:
        return ""
    return f"This text has {len(text):,} characters; at most {LONGEST_TEXT:,} can be sent. Nothing was sent."


def _carry_out(request: Request, ordering: _Ordering) -> Response:
    decision = _decision(request, ordering)
    return _to_page(request, decision.reason if decision else CHANGED)


def _carry_out_typed(
    request: Request, employee: Employee, order: str, form: Mapping[str, str], ordering: _Ordering
) -> Response:
    decision = _decision(request, ordering)
    if decision is None or decision.reason.is_refusal:
        # no redirect, which would lose what was typed
        return refused_page(request, employee, order, form, decision)
    return _to_page(request, decision.reason)


def _decision(request: Request, ordering: _Ordering) -> Decision | None:
    front = front_of(request)
    try:
        return ordering(front.house, row_id(request), front.clock())
    except IncidentChangedMeanwhile:
        return None


def _to_page(request: Request, said: str) -> Response:
    return RedirectResponse(f"/dashboard/incidents/{row_id(request)}?said={quote(said)}", 303)


routes = [
    Route("/dashboard/incidents/{id}", show_incident),
    Route("/dashboard/incidents/{id}/publish", publish, methods=["POST"]),
    Route("/dashboard/incidents/{id}/discard", discard, methods=["POST"]),
    Route("/dashboard/incidents/{id}/hold", hold, methods=["POST"]),
    Route("/dashboard/incidents/{id}/update", update, methods=["POST"]),
    Route("/dashboard/incidents/{id}/updates/{update}/correct", correct, methods=["POST"]),
    Route("/dashboard/incidents/{id}/close", close, methods=["POST"]),
    Route("/dashboard/incidents/{id}/post-mortem", post_mortem, methods=["POST"]),
]
