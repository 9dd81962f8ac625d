"""The page of one maintenance: what is known and told of it, and the forms that order something about it."""

from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from service.actions.house import House
from service.actions.maintaining import COMPLETED_TEXT
from service.errors import NotFound
from service.model import Employee, Maintenance, MaintenancePhase
from service.store import audience, maintenances, narrative
from service.store.audience import Audience
from service.web.dashboard.maintenance_form import LONGEST_TEXT, field_value, which_of_two
from service.web.dashboard.words import span_words
from service.web.front import front_of, page
from service.web.login.mail_link import row_id
from service.web.public.maintenance_words import PHASE_WORDS, STATES, sentence
from service.workflow.maintenance import MaintenanceReason

CHANGED: Final = "changed_meanwhile"
"""What is said where somebody else's order came first."""


def maintenance_page(
    request: Request,
    employee: Employee,
    *,
    said: str = "",
    problems: Mapping[str, str] | None = None,
    typed: Mapping[str, str] | None = None,
) -> Response:
    """Show one maintenance with what came of an order; what was typed for one that was refused is shown again."""
    front, number = front_of(request), row_id(request)
    with front.house.store.reading() as connection:
        maintenance = found(maintenances.get(connection, number), number)
        told = narrative.updates_of_maintenances(connection, [number])[number]
        heard = audience.count(connection, Audience(heard_update_id=told[0].id)) if told else None
    reason = next((one for one in MaintenanceReason if one == said), None)
    changed = "Somebody else changed it at the same moment, so nothing was done: look and decide."
    is_refusal = said == CHANGED or bool(reason and reason.is_refusal)
    return page(
        request,
        "dashboard/maintenance.html",
        status_code=422 if problems else 409 if typed else 200,
        employee=employee,
        here="one maintenance",
        maintenance=maintenance,
        updates=told,
        heard=heard,
        outcome=changed if said == CHANGED else sentence(reason, maintenance) if reason else "",
        is_refusal=is_refusal,
        problems=problems or {},
        typed=typed or {},
        homeless=_homeless(maintenance, typed or {}),
        longest_text=LONGEST_TEXT,
        closing_text=maintenance.closing_comment.strip() or COMPLETED_TEXT,
        now=front.clock(),
        **words_of(front.house),
    )


def _homeless(maintenance: Maintenance, typed: Mapping[str, str]) -> str:
    """Give the text that was typed into a form which is no longer shown."""
    if text := typed.get("comment", ""):
        return text if maintenance.phase is not MaintenancePhase.ON else ""
    return typed.get("text", "") if maintenance.phase is MaintenancePhase.CANCELLED else ""


def words_of(house: House) -> dict[str, Any]:
    """Give what the pages of maintenance say and count with."""
    zone = house.config.site.timezone
    return {
        "name_of": house.name_of,
        "phase_words": PHASE_WORDS,
        "states": STATES,
        "span_words": span_words,
        "field_value": lambda at: field_value(at, zone),
        "which_of_two": lambda at: which_of_two(at, zone),
    }


def found(maintenance: Maintenance | None, number: int) -> Maintenance:
    """Give it; raises NotFound where there is none of that number."""
    if maintenance is None:
        raise NotFound(f"There is no maintenance {number}.")
    return maintenance
