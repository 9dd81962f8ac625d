"""/dashboard/events: tells an employee's open pages what has changed, as server-sent events. It sends no content.

A page that hears its event asks for itself again, by the same address and with the same rights as before.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from service.actions.logging_in import hash_key
from service.model import Employee
from service.web.cookies import read_cookie
from service.web.dashboard.changes import Changes
from service.web.dashboard.pulse import Mark
from service.web.event_stream import COME_BACK, HEARTBEAT, EventStream
from service.web.login.letting_in import SESSION_COOKIE
from service.web.login.mail_link import shown_to_employees

RETRY: Final = 2_000
"""Milliseconds after which a browser whose stream was cut comes again, with the id of what it heard last."""


@shown_to_employees
def show_events(request: Request, employee: Employee) -> Response:
    """Stream the names of what changed since the page was rendered, and of each change from now on."""
    del employee  # what changed is named alike to all; what of it they may see their pages decide
    changes: Changes = request.app.state.changes
    if request.method == "HEAD":
        return Response(media_type="text/event-stream")
    if changes.is_full:
        said = "Too many watch at the moment; a page that is loaded again is always up to date.\n"
        return PlainTextResponse(said, 503, headers={"retry-after": COME_BACK})
    session = hash_key(read_cookie(request, SESSION_COOKIE))
    seen = request.headers.get("last-event-id") or request.query_params.get("since", "")
    return EventStream(_events(changes, session, Mark.read(seen)))


async def _events(changes: Changes, session: str, since: Mark | None) -> AsyncGenerator[str]:
    yield f"retry: {RETRY}\n\n"
    async with aclosing(changes.watch(session, since, heartbeat=HEARTBEAT)) as all_told:
        async for told in all_told:
            events = (f"event: {name}\nid: {told.mark}\ndata: 1\n\n" for name in sorted(told.names))
            yield "".join(events) or ": still here\n\n"


routes = [Route("/dashboard/events", show_events)]
