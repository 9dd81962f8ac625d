"""The inbox, as employees see it: every post and mail as it was received, with what became of it and why."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from service.model import Employee, Role
from service.store import inbox_rows, inbox_search
from service.store.inbox_firsts import first_alerts
from service.store.inbox_headlines import Headline
from service.store.inbox_search import SEARCHED
from service.store.looking_through import Found
from service.web.dashboard import inbox_arrival
from service.web.dashboard.inbox_arrival import RAW_SHOWN
from service.web.dashboard.inbox_form import DOORS, LONGEST_ENTITY, STATES, Search, read_search
from service.web.dashboard.inbox_titles import titles_for
from service.web.dashboard.maintenance_form import field_value
from service.web.front import front_of, page
from service.web.login.mail_link import before_id, shown_to_employees

__all__ = ["RAW_SHOWN", "ROWS_SHOWN", "routes", "show_inbox"]

ROWS_SHOWN: Final = 25


@shown_to_employees
def show_inbox(request: Request, employee: Employee) -> Response:
    """Show what arrived, newest first, page by page; where something is looked for, among the newest."""
    front, before = front_of(request), before_id(request)
    # subscribers write too, and their addresses are for admins
    is_by_sender = employee.role is Role.ADMIN
    zone = front.house.config.site.timezone
    search = read_search(request.query_params, zone, is_by_sender=is_by_sender)
    wanted = search.wanted
    with front.house.store.reading() as connection:
        found = _look(connection, search, before)
        pending = inbox_rows.count_pending(connection)
        reasons = inbox_search.reasons(connection)
        firsts = first_alerts(connection, [row.id for row in found.rows], named=search.wanted.text)
    older = {**search.typed, "before": found.next_before} if found.next_before is not None else {}
    return page(
        request,
        "dashboard/inbox.html",
        status_code=422 if search.problems else 200,
        employee=employee,
        here="inbox",
        found=found,
        older=urlencode(older),
        before=before,
        pending=pending,
        wanted=wanted,
        search=search,
        times=_times(search),
        doors=DOORS,
        states=STATES,
        reasons=reasons,
        searched=SEARCHED,
        longest_entity=LONGEST_ENTITY,
        told=inbox_arrival.told_to(employee),
        title=titles_for(employee, front.house.config, firsts),
    )


def _look(connection: Connection, search: Search, before: int | None) -> Found[Headline]:
    if search.problems:
        return Found()
    return inbox_search.search(connection, search.wanted, before_id=before, limit=ROWS_SHOWN)


def _times(search: Search) -> Mapping[str, str]:
    """Give the two times as their fields have them: in the zone that was named, the minute or day that was typed."""
    if search.problems:
        return {name: search.typed.get(name, "") for name in ("from", "until")}
    zone, wanted = ZoneInfo(search.zone), search.wanted
    until = wanted.until - timedelta(minutes=1) if wanted.until else None
    return {
        name: field_value(at, zone) if at else "" for name, at in (("from", wanted.since), ("until", until))
    }


routes = [Route("/dashboard/inbox", show_inbox), *inbox_arrival.routes]
