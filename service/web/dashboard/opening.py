"""Opening an incident by hand, and editing an unpublished one. What becomes of it `actions` decides."""

from collections.abc import Mapping
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from service.actions import deciding, opening, telling
from service.actions.house import House
from service.actions.opening import Opening
from service.errors import IncidentChangedMeanwhile, NotAllowed, NotFound
from service.model import Employee, Incident, Monitor, Phase
from service.store import incidents
from service.web.dashboard.incident_page import CHANGED_WORDS
from service.web.dashboard.opening_form import (
    LONGEST_SUBJECT,
    LONGEST_TEXT,
    Typed,
    choices_of,
    read_edit,
    read_opening,
)
from service.web.front import front_of, page
from service.web.login.mail_link import ordered_by_employees, row_id, shown_to_employees
from service.workflow import Decision, Reason

_HERE = "/dashboard/open"


@shown_to_employees
def show_form(request: Request, employee: Employee) -> Response:
    """Show the form, filled from the template of the monitor that `?monitor=` names."""
    _refuse_viewers(employee)
    front = front_of(request)
    monitor = _monitor(request, request.query_params.get("monitor", ""))
    if monitor is None:
        return _form(request, employee, Typed(), monitor)
    filled = opening.template_of(front.house, monitor, front.clock())
    typed = Typed(filled.subject, filled.message, monitor.type, monitor.affected_components)
    return _form(request, employee, typed, monitor)


@ordered_by_employees
def open_one(request: Request, employee: Employee, form: Mapping[str, str]) -> Response:
    """Open it; what was typed is kept where it cannot be."""
    _refuse_viewers(employee)
    front = front_of(request)
    monitor = _monitor(request, form.get("monitor", ""))
    typed = read_opening(form, front.house.config)
    if typed.problems:
        return _form(request, employee, typed, monitor)
    wanted = Opening(typed.subject, typed.message, typed.type, typed.components, monitor)
    decision = opening.open_by_hand(front.house, wanted, employee, front.clock())
    return RedirectResponse(f"/dashboard/incidents/{decision.incident.id}?said={quote(decision.reason)}", 303)


def _form(request: Request, employee: Employee, typed: Typed, monitor: Monitor | None) -> Response:
    config = front_of(request).house.config
    return page(
        request,
        "dashboard/open.html",
        status_code=422 if typed.problems else 200,
        employee=employee,
        here="open",
        typed=typed,
        problems=typed.problems,
        monitor=monitor,
        monitors=config.monitors,
        choices=choices_of(config),
        longest_subject=LONGEST_SUBJECT,
        longest_text=LONGEST_TEXT,
    )


@shown_to_employees
def show_edit(request: Request, employee: Employee) -> Response:
    """Show what subscribers would read of an incident that is not published, to be edited; of another, its page."""
    _refuse_viewers(employee)
    incident = _incident(request)
    if incident.phase not in (Phase.WAITING, Phase.UNPUBLISHED):
        return RedirectResponse(f"/dashboard/incidents/{incident.id}", 303)
    typed = Typed(incident.subject, incident.message, incident.type, incident.components)
    return _edit_form(request, employee, incident, typed)


@ordered_by_employees
def edit(request: Request, employee: Employee, form: Mapping[str, str]) -> Response:
    """Edit it, if the form showed its present version; what was typed is kept where it cannot be saved."""
    _refuse_viewers(employee)
    front, number, before = front_of(request), row_id(request), _incident(request)
    typed = read_edit(form, front.house.config, before)
    seen = form.get("version", "")
    version = int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 10 else 0  # noqa: PLR2004  digits
    if typed.problems:
        # still with the version that was looked at: the present one may say something else
        return _edit_form(request, employee, before, typed, version=version)
    try:
        decision = deciding.edit(
            front.house,
            number,
            employee,
            typed.subject,
            typed.message,
            front.clock(),
            type=typed.type,
            components=typed.components,
            text_version=version,
        )
    except IncidentChangedMeanwhile:
        return _edit_form(request, employee, _incident(request), typed, refusal=CHANGED_WORDS)
    if decision.reason.is_refusal:
        refusal = _refusal(front.house, decision)
        return _edit_form(request, employee, decision.incident, typed, refusal=refusal)
    return RedirectResponse(f"/dashboard/incidents/{number}?said={quote(decision.reason)}", 303)


def _refusal(house: House, decision: Decision) -> str:
    tag = decision.incident.tag
    if decision.reason is Reason.REFUSED_TEXT_CHANGED:
        return f"{tag} was changed since you opened this page, so yours was not saved: compare them."
    return telling.explain(house, decision)


def _edit_form(
    request: Request,
    employee: Employee,
    incident: Incident,
    typed: Typed,
    *,
    refusal: str = "",
    version: int | None = None,
) -> Response:
    return page(
        request,
        "dashboard/edit.html",
        status_code=422 if typed.problems else 409 if refusal else 200,
        employee=employee,
        here="edit",
        incident=incident,
        typed=typed,
        refusal=refusal,
        version=incident.text_version if version is None else version,
        problems=typed.problems,
        choices=choices_of(front_of(request).house.config, incident),
        longest_subject=LONGEST_SUBJECT,
        longest_text=LONGEST_TEXT,
    )


def _incident(request: Request) -> Incident:
    number = row_id(request)
    with front_of(request).house.store.reading() as connection:
        found = incidents.get(connection, number)
    if found is None:
        raise NotFound(f"There is no incident INC-{number}.")
    return found


def _monitor(request: Request, key: str) -> Monitor | None:
    return front_of(request).house.config.monitor_for(key) if key else None


def _refuse_viewers(employee: Employee) -> None:
    if not employee.may_publish:
        raise NotAllowed(
            f"{employee.name} may look, but not publish: the role in config.yaml is `{employee.role}`"
        )


routes = [
    Route(_HERE, show_form),
    Route(f"{_HERE}/now", open_one, methods=["POST"]),
    Route("/dashboard/incidents/{id}/words", show_edit),
    Route("/dashboard/incidents/{id}/edit", edit, methods=["POST"]),
]
