"""/api/v2/…: the status in the form of Statuspage's public API v2, which dashboards, bots and extensions read.

It reads what is public and nothing else; it takes no orders.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

import orjson
from sqlalchemy import Connection
from starlette.routing import Route

from service.model import Maintenance
from service.store import component_states, incidents, maintenances
from service.web.cross_origin import FROM_ANYWHERE
from service.web.front import Front
from service.web.public import feed
from service.web.public.component_states import overall
from service.web.public.incidents import shown
from service.web.public.maintenances import ShownMaintenance, shown_maintenances
from service.web.public.prepared import Rendering
from service.web.public.showing import show_prepared
from service.web.public.statuspage_form import (
    Json,
    Page,
    component_forms,
    incident_form,
    maintenance_form,
    page_form,
    status_form,
)
from service.workflow.components import affected

MOST: Final = 50
"""Incidents or maintenances in one answer, as Statuspage has it."""
ROOT: Final = "/api/v2"
MEDIA_TYPE: Final = "application/json; charset=utf-8"

Pair = tuple[Maintenance, ShownMaintenance]


def render_api(connection: Connection, front: Front, now: datetime) -> dict[str, Rendering]:
    """Render every answer of the API."""
    del now  # what it says is as old as the last change
    house = front.house
    current, on = incidents.current_public(connection), maintenances.on_now(connection)
    recent = shown(connection, house, incidents.recent_public(connection, limit=MOST))
    unresolved = shown(connection, house, current[:MOST])
    ahead = maintenances.ahead(connection)[:MOST]
    listed = maintenances.listed(connection, limit=MOST)
    active, upcoming, planned = (_pairs(connection, front, found) for found in (on[:MOST], ahead, listed))
    lifetimes = component_states.lifetimes(connection)
    page = Page(
        site=house.config.site,
        components=house.config.components,
        states=affected(current, on),
        lifetimes=lifetimes,
        updated_at=max(
            [
                feed.MINTED_AT,
                *(one.last_at for one in lifetimes.values()),
                *(one.updated_at for one in (*recent, *unresolved)),
                *(one.updated_at for _, one in planned),
            ]
        ),
    )
    status = {"status": status_form(overall(current, on).state)}
    forms = component_forms(page)

    def works(pairs: Iterable[Pair]) -> Json:
        return {"scheduled_maintenances": [maintenance_form(page, *pair, forms) for pair in pairs]}

    open_now: Json = {"incidents": [incident_form(page, one, forms) for one in unresolved]}
    answers: dict[str, Json] = {
        "summary": {"components": forms} | open_now | works([*active, *upcoming]) | status,
        "status": status,
        "components": {"components": forms},
        "incidents": {"incidents": [incident_form(page, one, forms) for one in recent]},
        "incidents/unresolved": open_now,
        "scheduled-maintenances": works(planned),
        "scheduled-maintenances/upcoming": works(upcoming),
        "scheduled-maintenances/active": works(active),
    }
    head = {"page": page_form(page)}
    return {
        f"{ROOT}/{name}.json": Rendering(orjson.dumps(head | answer), MEDIA_TYPE, headers=FROM_ANYWHERE)
        for name, answer in answers.items()
    }


def _pairs(connection: Connection, front: Front, found: Sequence[Maintenance]) -> list[Pair]:
    return list(zip(found, shown_maintenances(connection, front.house, found), strict=True))


routes = [
    Route(ROOT + "/{name}.json", show_prepared),
    Route(ROOT + "/incidents/{name}.json", show_prepared),
    Route(ROOT + "/scheduled-maintenances/{name}.json", show_prepared),
]
