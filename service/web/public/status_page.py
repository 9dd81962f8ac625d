"""The status page, the pages of each incident and maintenance, and the history by month.

It reads what is public and nothing else. What many read at once is rendered before anybody asks.
"""

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from hashlib import sha256

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from service.errors import NotFound
from service.store import incidents, maintenances
from service.web.front import Front, front_of, render
from service.web.public import live
from service.web.public.freshness import fresh, kept
from service.web.public.incidents import ShownIncident, shown
from service.web.public.maintenances import ShownMaintenance, shown_maintenances
from service.web.public.prepared import Rendering
from service.web.public.showing import show_prepared
from service.web.public.uptime import midnight
from service.web.public.uptime_bars import SHAPES, draw, trouble
from service.web.public.view import PublicView, by_days, ended_between, read_view

MOST_OPEN = 24
"""Components up to which all groups are open; of more, those in which something is the matter."""
MONTH_PAGE = 50
NOT_THERE = "There is no published incident at this address."
NO_MAINTENANCE = "There is no maintenance at this address."

_NUMBER = re.compile(r"[1-9][0-9]{0,8}")
_MONTH = re.compile(r"(20[0-9]{2})-(0[1-9]|1[0-2])")
_VERSION = 'data-version=""'


def render_public(connection: Connection, front: Front, now: datetime) -> dict[str, Rendering]:
    """Render the status page, and the pages of what is going on and ahead: those that crowds come to."""
    view = read_view(connection, front.house, now)
    pages = {"/": _status(front, view)}
    for incident in view.current:
        pages[f"/incidents/{incident.id}"] = Rendering(incident_page(front, incident).encode())
    for one in (*view.on, *view.ahead):
        pages[f"/maintenance/{one.id}"] = Rendering(maintenance_page(front, one).encode())
    return pages


def _status(front: Front, view: PublicView) -> Rendering:
    text = render(
        front,
        "public/status.html",
        view=view,
        draw=draw,
        trouble=trouble,
        shapes=SHAPES.items(),
        most_open=MOST_OPEN,
    )
    version = sha256(text.encode()).hexdigest()[:16]
    # a browser that hears of this version over /events knows by it whether it has it
    return Rendering(text.replace(_VERSION, f'data-version="{version}"', 1).encode(), version=version)


def incident_page(front: Front, incident: ShownIncident) -> str:
    """Render the page of a published incident."""
    return render(front, "public/incident.html", incident=incident)


def maintenance_page(front: Front, maintenance: ShownMaintenance) -> str:
    """Render the page of a maintenance."""
    return render(front, "public/maintenance.html", maintenance=maintenance)


def show_incident(request: Request) -> Response:
    """Show one published incident; any other is not found, whether it exists or not."""

    def make(connection: Connection, front: Front, number: int) -> str:
        found = incidents.get_public(connection, number)
        if found is None:
            raise NotFound(NOT_THERE)
        return incident_page(front, shown(connection, front.house, [found])[0])

    return _kept_page(request, make, otherwise=NOT_THERE)


def show_maintenance(request: Request) -> Response:
    """Show one maintenance."""

    def make(connection: Connection, front: Front, number: int) -> str:
        found = maintenances.get(connection, number)
        if found is None:
            raise NotFound(NO_MAINTENANCE)
        return maintenance_page(front, shown_maintenances(connection, front.house, [found])[0])

    return _kept_page(request, make, otherwise=NO_MAINTENANCE)


def _kept_page(
    request: Request, make: Callable[[Connection, Front, int], str], *, otherwise: str
) -> Response:
    number, front = request.path_params["number"], front_of(request)
    if not _NUMBER.fullmatch(number):
        raise NotFound(otherwise)
    with front.house.store.reading() as connection:
        answer = kept(
            request,
            connection,
            request.url.path,
            lambda: Response(make(connection, front, int(number)), media_type="text/html"),
        )
    return fresh(request, answer)


def show_history(request: Request) -> Response:
    """Show what happened in a month (`?month=2026-11`), in pages (`&page=2`)."""
    front = front_of(request)
    now = front.clock()
    this_month = now.astimezone(front.house.config.site.timezone).date().replace(day=1)
    month = _asked_month(request.query_params.get("month"), this_month)
    number = _asked_page(request.query_params.get("page", "1"))
    with front.house.store.reading() as connection:
        text = history_page(connection, front, month, number, now)
    return fresh(request, Response(text, media_type="text/html"))


def history_page(connection: Connection, front: Front, month: date, number: int, now: datetime) -> str:
    """Render a page of a month's history; raises NotFound where there is none."""
    house, zone = front.house, front.house.config.site.timezone
    this_month = now.astimezone(zone).date().replace(day=1)
    start, end = midnight(month, zone), midnight(month_after(month), zone)
    offset = (number - 1) * MONTH_PAGE
    first_at = incidents.first_published_at(connection)
    found = incidents.public_between(connection, start, end, limit=MONTH_PAGE + 1, offset=offset)
    listed = shown(connection, house, found[:MONTH_PAGE])
    over = ended_between(connection, house, start, end) if number == 1 else ()
    first_month = first_at.astimezone(zone).date().replace(day=1) if first_at else this_month
    if (month < first_month and not over) or (number > 1 and not listed):
        raise NotFound("There is no history at this address.")
    return render(
        front,
        "public/history.html",
        month=month,
        page_number=number,
        days=by_days(listed, over, zone),
        older_month=_month_before(month) if month > first_month else None,
        newer_month=month_after(month) if month < this_month else None,
        has_next_page=len(found) > MONTH_PAGE,
    )


def _asked_month(asked: str | None, this_month: date) -> date:
    if asked is None:
        return this_month
    parts = _MONTH.fullmatch(asked)
    month = date(int(parts[1]), int(parts[2]), 1) if parts else None
    if month is None or month > this_month:
        raise NotFound("There is no history at this address.")
    return month


def _asked_page(asked: str) -> int:
    if not _NUMBER.fullmatch(asked):
        raise NotFound("There is no history at this address.")
    return int(asked)


def month_after(month: date) -> date:
    """Give the first day of the next month."""
    return (month + timedelta(days=31)).replace(day=1)


def _month_before(month: date) -> date:
    return (month - timedelta(days=1)).replace(day=1)


routes = [
    Route("/", show_prepared),
    Route("/incidents/{number}", show_incident),
    Route("/maintenance/{number}", show_maintenance),
    Route("/history", show_history),
    *live.routes,
]
