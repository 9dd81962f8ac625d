"""The page of one incident: as it stands, after an order, and with what was typed where an order was refused."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from service.actions import telling
from service.actions.audience import estimate_new_audience
from service.actions.house import House
from service.config.spans import format_span
from service.model import Employee, Incident, Phase, UpdateStatus
from service.web.dashboard.incident_view import (
    ALERTS_SHOWN,
    RAW_SHOWN,
    IncidentView,
    raw_text,
    read_incident,
)
from service.web.dashboard.words import MAIL_WORDS, PHASE_WORDS, reason_still_true, reason_words, span_words
from service.web.front import front_of, page
from service.web.login.mail_link import row_id
from service.workflow import Decision, Reason

LONGEST_TEXT: Final = 20_000
"""Characters of an update or closing comment."""
HOLDS: Final[Mapping[str, timedelta]] = {
    "30 minutes": timedelta(minutes=30),
    "2 hours": timedelta(hours=2),
    "8 hours": timedelta(hours=8),
}
CHANGED: Final = "changed_meanwhile"
"""Stands in a page's address for an order that met somebody else's at the same moment."""
CHANGED_WORDS: Final = (
    "Somebody else changed this incident at the same moment, so nothing was done: look and decide."
)

_STATUSES: Final = (UpdateStatus.INVESTIGATING, UpdateStatus.IDENTIFIED, UpdateStatus.MONITORING)
_INSTEAD: Final = (
    "It was not sent. Posted from here it is a correction, which reads as resolved; why it happened is for a "
    "post-mortem."
)
_KEPT: Final = "It was not sent, and is kept here."
_TOLD: Final = frozenset({Phase.PUBLISHED, Phase.RECOVERED, Phase.CLOSED})


def incident_page(
    request: Request,
    employee: Employee,
    *,
    said: str = "",
    problems: Mapping[str, str] | None = None,
    typed: Mapping[str, str] | None = None,
) -> Response:
    """Show it with what came of an order, or with what is to be mended by form about what was typed; NotFound."""
    view = _view(request)
    reason = reason_still_true(said, view.incident, employee.id)
    return _page(
        request,
        employee,
        view,
        status_code=422 if problems else 200,
        outcome=_outcome(front_of(request).house, view.incident, said, reason, view.now),
        is_refusal=said == CHANGED or bool(reason and reason.is_refusal),
        problems=problems or {},
        typed=typed or {},
    )


def refused_page(
    request: Request,
    employee: Employee,
    order: str,
    typed: Mapping[str, str],
    decision: Decision | None,
) -> Response:
    """Show it as it is now, why an order was refused (None: it met another one), and what was typed, in its form."""
    house, view, text = front_of(request).house, _view(request), _text_of(typed)
    # pressed twice, it stands there already: then nothing is lost
    is_lost = bool(text) and all(update.body != text for update in view.updates)
    return _page(
        request,
        employee,
        view,
        status_code=409,
        outcome=_refusal(house, order, decision) if decision else CHANGED_WORDS,
        is_refusal=True,
        problems={order: _INSTEAD if _is_over(order, view.incident) else _KEPT} if is_lost else {},
        typed=typed,
    )


def _view(request: Request) -> IncidentView:
    front = front_of(request)
    return read_incident(front.house, row_id(request), front.clock())


def _page(
    request: Request,
    employee: Employee,
    view: IncidentView,
    *,
    status_code: int,
    outcome: str,
    is_refusal: bool,
    problems: Mapping[str, str],
    typed: Mapping[str, str],
) -> Response:
    return page(
        request,
        "dashboard/incident.html",
        status_code=status_code,
        employee=employee,
        here="incident",
        view=view,
        incident=view.incident,
        outcome=outcome,
        is_refusal=is_refusal,
        problems=problems,
        typed=typed,
        # no form of this page takes it any more, and yet it is not thrown away
        homeless=_text_of(typed) if any(not _has_form(order, view.incident) for order in problems) else "",
        statuses=_STATUSES,
        holds=HOLDS,
        longest_text=LONGEST_TEXT,
        alerts_shown=ALERTS_SHOWN,
        alerts_kept_for=format_span(front_of(request).house.config.retention.alerts),
        deliveries_kept_for=format_span(front_of(request).house.config.retention.deliveries),
        raw_shown=RAW_SHOWN,
        now=view.now,
        since=view.stamp,
        name_of=front_of(request).house.name_of,
        phase_words=PHASE_WORDS,
        mail_words=MAIL_WORDS,
        reason_words=reason_words,
        span_words=span_words,
        raw_text=raw_text,
    )


def _text_of(typed: Mapping[str, str]) -> str:
    return (typed.get("text", "") or typed.get("comment", "")).strip()


def _has_form(order: str, incident: Incident) -> bool:
    return incident.phase is Phase.CLOSED if order == "post-mortem" else incident.phase in _TOLD


def _is_over(order: str, incident: Incident) -> bool:
    return order in {"update", "close"} and incident.phase is Phase.CLOSED


def _refusal(house: House, order: str, decision: Decision) -> str:
    if decision.reason is Reason.REFUSED_CLOSED and _is_over(order, decision.incident):
        closing = telling.closing_of(house, decision.incident)
        return f"{closing}, so nothing was sent now. You can still post a correction or a post-mortem."
    return telling.explain(house, decision)


def _outcome(house: House, incident: Incident, said: str, reason: Reason | None, now: datetime) -> str:
    if said == CHANGED:
        return CHANGED_WORDS
    if reason is Reason.REFUSED_TEXT_CHANGED:
        return f"{incident.tag} was changed since you opened this page, so nothing was sent: read it."
    if reason is Reason.EDITED:
        return f"{incident.tag} has a new version, which nobody has approved yet."
    if reason is Reason.PUBLISHED:
        # another process may have published it
        with house.store.reading() as connection:
            reach = estimate_new_audience(connection, house, incident, now)
        return telling.explain(house, Decision(incident, reason), reach)
    return telling.explain(house, Decision(incident, reason)) if reason else ""
