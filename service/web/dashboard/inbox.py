"""The inbox, as employees see it: every post and mail as it was received, with what became of it and why."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from service.model import Employee, Role
from service.store import inbox_rows, inbox_search
from service.store.inbox_rows import Door, InboxState
from service.store.inbox_search import SEARCHED, Wanted
from service.web.dashboard import inbox_arrival
from service.web.dashboard.inbox_arrival import RAW_SHOWN
from service.web.front import front_of, page
from service.web.login.mail_link import before_id, shown_to_employees

__all__ = ["RAW_SHOWN", "ROWS_SHOWN", "routes", "show_inbox"]

ROWS_SHOWN: Final = 25
LONGEST_SEARCH: Final = 200
DOORS: Final[Mapping[str, str]] = {"": "Posts and mails", Door.WEBHOOK: "Posts", Door.MAIL: "Mails"}
STATES: Final[Mapping[str, str]] = {
    "": "In any state",
    InboxState.PENDING: "Not worked off",
    InboxState.DONE: "Done",
    InboxState.REFUSED: "Refused",
    InboxState.QUARANTINED: "Quarantined",
}


@shown_to_employees
def show_inbox(request: Request, employee: Employee) -> Response:
    """Show what arrived, newest first, page by page; where something is looked for, among the newest."""
    before, asked = before_id(request), request.query_params
    door, state = asked.get("door", ""), asked.get("state", "")
    wanted = Wanted(
        door=Door(door) if door and door in DOORS else None,
        state=InboxState(state) if state and state in STATES else None,
        reason=asked.get("reason", "").strip()[:LONGEST_SEARCH],
        text=asked.get("q", "").strip()[:LONGEST_SEARCH],
        # subscribers write too, and their addresses are for admins
        is_by_sender=employee.role is Role.ADMIN,
    )
    with front_of(request).house.store.reading() as connection:
        found = inbox_search.search(connection, wanted, before_id=before, limit=ROWS_SHOWN)
        pending = inbox_rows.count_pending(connection)
        reasons = inbox_search.reasons(connection)
    searched = {
        "q": wanted.text,
        "door": wanted.door or "",
        "state": wanted.state or "",
        "reason": wanted.reason,
    }
    older = searched if wanted else {}
    return page(
        request,
        "dashboard/inbox.html",
        employee=employee,
        here="inbox",
        found=found,
        older=urlencode({**older, "before": found.next_before}) if found.next_before is not None else "",
        before=before,
        pending=pending,
        wanted=wanted,
        doors=DOORS,
        states=STATES,
        reasons=reasons,
        searched=SEARCHED,
    )


routes = [Route("/dashboard/inbox", show_inbox), *inbox_arrival.routes]
