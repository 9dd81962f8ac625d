"""The inbox, as employees see it: every post and mail as it was received, with what became of it and why."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from service.errors import NotFound
from service.model import Employee, Role
from service.store import inbox_rows, narrative
from service.store.inbox_rows import Door
from service.web.dashboard_view import raw_text
from service.web.front import front_of, page
from service.web.login import before_id, row_id, shown_to_employees

ROWS_SHOWN: Final = 25
RAW_SHOWN: Final = 64 * 1024
"""Bytes."""


@shown_to_employees
def show_inbox(request: Request, employee: Employee) -> Response:
    """Show what arrived, newest first, page by page."""
    before = before_id(request)
    with front_of(request).house.store.reading() as connection:
        rows = inbox_rows.headlines(connection, before_id=before, limit=ROWS_SHOWN + 1)
        pending = inbox_rows.count_pending(connection)
    return page(
        request,
        "dashboard/inbox.html",
        employee=employee,
        here="inbox",
        rows=rows[:ROWS_SHOWN],
        has_older=len(rows) > ROWS_SHOWN,
        before=before,
        pending=pending,
    )


@shown_to_employees
def show_arrival(request: Request, employee: Employee) -> Response:
    """Show one post or mail as it was received.

    A mail is shown whole only to admins: it quotes the token that lets one approve in another's name.
    """
    inbox_id = row_id(request)
    with front_of(request).house.store.reading() as connection:
        row = inbox_rows.get(connection, inbox_id)
        incident_ids = narrative.incident_ids_of_arrival(connection, inbox_id)
    if row is None:
        raise NotFound(f"Nothing in the inbox has the number {inbox_id}.")
    may_read = row.door is Door.WEBHOOK or employee.role is Role.ADMIN
    return page(
        request,
        "dashboard/arrival.html",
        employee=employee,
        here="arrival",
        row=row,
        incident_ids=incident_ids,
        text=raw_text(row.raw, RAW_SHOWN) if may_read else None,
        size=len(row.raw),
        most=RAW_SHOWN,
    )


routes = [Route("/dashboard/inbox", show_inbox), Route("/dashboard/inbox/{id}", show_arrival)]
