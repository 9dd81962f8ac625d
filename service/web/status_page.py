"""The status page, each incident's page and the history by month. It reads public incidents and nothing else."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from service.errors import NotFound
from service.store import incidents
from service.web.component_states import affected, grouped, overall
from service.web.freshness import fresh, kept
from service.web.front import front_of, page
from service.web.public_incidents import ShownIncident, shown

DAYS_OF_HISTORY = 14
MOST_CURRENT = 50
"""Current incidents shown in full; a storm of more is counted."""
MOST_RECENT = 100
"""Incidents in the history below; a day of which not all would be shown is left to the history's own page."""
MONTH_PAGE = 50
NOT_THERE = "There is no published incident at this address."

_NUMBER = re.compile(r"[1-9][0-9]{0,8}")
_MONTH = re.compile(r"(20[0-9]{2})-(0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True)
class Day:
    """A day by the site's clock, and what was published on it, the latest first."""

    date: date
    incidents: tuple[ShownIncident, ...]


def show_status(request: Request) -> Response:
    """Show how everything does now and did lately."""
    with front_of(request).house.store.reading() as connection:
        answer = kept(request, connection, "/", lambda: _status(request, connection))
    return fresh(request, answer)


def _status(request: Request, connection: Connection) -> Response:
    front = front_of(request)
    house, zone = front.house, front.house.config.site.timezone
    today = front.clock().astimezone(zone).date()
    since = _midnight(today - timedelta(days=DAYS_OF_HISTORY - 1), zone)
    until = _midnight(today + timedelta(days=1), zone)
    current = incidents.current_public(connection)
    recent = incidents.public_between(connection, since, until, limit=MOST_RECENT + 1)
    shown_current = shown(connection, house, current[:MOST_CURRENT])
    return page(
        request,
        "public/status.html",
        overall=overall(current),
        groups=grouped(house.config.components, affected(current)),
        current=shown_current,
        not_shown=len(current) - len(shown_current),
        days=days_of_history(shown(connection, house, recent), today, zone),
    )


def days_of_history(recent: Sequence[ShownIncident], today: date, zone: ZoneInfo) -> tuple[Day, ...]:
    """Give the last days with what was published on each; days that were not read whole are left out."""
    count = DAYS_OF_HISTORY
    if len(recent) > MOST_RECENT:
        count = max(1, (today - _day(recent[-1], zone)).days)
    by_day = {day.date: day for day in _by_day(recent, zone)}
    wanted = [today - timedelta(days=back) for back in range(count)]
    return tuple(by_day.get(one, Day(one, ())) for one in wanted)


def show_incident(request: Request) -> Response:
    """Show one published incident; any other is not found, whether it exists or not."""
    number = request.path_params["number"]
    if not _NUMBER.fullmatch(number):
        raise NotFound(NOT_THERE)
    with front_of(request).house.store.reading() as connection:
        key = f"/incidents/{number}"
        answer = kept(request, connection, key, lambda: _incident(request, connection, int(number)))
    return fresh(request, answer)


def _incident(request: Request, connection: Connection, number: int) -> Response:
    found = incidents.get_public(connection, number)
    if found is None:
        raise NotFound(NOT_THERE)
    (incident,) = shown(connection, front_of(request).house, [found])
    return page(request, "public/incident.html", incident=incident)


def show_history(request: Request) -> Response:
    """Show what was published in a month (`?month=2026-11`), in pages (`&page=2`)."""
    front = front_of(request)
    house, zone = front.house, front.house.config.site.timezone
    this_month = front.clock().astimezone(zone).date().replace(day=1)
    month = _asked_month(request.query_params.get("month"), this_month)
    number = _asked_page(request.query_params.get("page", "1"))
    start, end = _midnight(month, zone), _midnight(_month_after(month), zone)
    offset = (number - 1) * MONTH_PAGE
    with house.store.reading() as connection:
        first_at = incidents.first_published_at(connection)
        found = incidents.public_between(connection, start, end, limit=MONTH_PAGE + 1, offset=offset)
        listed = shown(connection, house, found[:MONTH_PAGE])
    first_month = first_at.astimezone(zone).date().replace(day=1) if first_at else this_month
    if month < first_month or (number > 1 and not listed):
        raise NotFound("There is no history at this address.")
    answer = page(
        request,
        "public/history.html",
        month=month,
        page_number=number,
        days=_by_day(listed, zone),
        older_month=_month_before(month) if month > first_month else None,
        newer_month=_month_after(month) if month < this_month else None,
        has_next_page=len(found) > MONTH_PAGE,
    )
    return fresh(request, answer)


def _by_day(listed: Sequence[ShownIncident], zone: ZoneInfo) -> tuple[Day, ...]:
    return tuple(Day(day, tuple(theirs)) for day, theirs in groupby(listed, lambda one: _day(one, zone)))


def _day(incident: ShownIncident, zone: ZoneInfo) -> date:
    return incident.published_at.astimezone(zone).date()


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


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)


def _month_after(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1)


def _month_before(month: date) -> date:
    return (month - timedelta(days=1)).replace(day=1)


routes = [
    Route("/", show_status),
    Route("/incidents/{number}", show_incident),
    Route("/history", show_history),
]
