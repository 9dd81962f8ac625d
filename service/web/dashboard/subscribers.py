"""Who hears of incidents, as admins search, import and export it. What becomes of a list `subscriber_admin` decides."""

from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import urlencode

from anyio import to_thread
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from service.actions import subscriber_admin
from service.actions.lost_choices import still_chosen
from service.actions.subscriber_admin import Imported
from service.actions.subscriber_file import COLUMNS, SubscriberFileFaulty
from service.errors import NotAllowed
from service.model import Employee, Role, SubscriberState
from service.store import subscriber_lists
from service.web.dashboard import subscriber
from service.web.dashboard.subscriber import ALL, SAID, refuse_others
from service.web.dashboard.subscriber_form import CHANNELS
from service.web.front import front_of, page
from service.web.login.mail_link import before_id, employee_of, shown_to_employees

SHOWN: Final = 50
LONGEST_SEARCH: Final = 320
STATES: Final[Mapping[str, str]] = {
    "": "All",
    SubscriberState.CONFIRMED: "Subscribed",
    SubscriberState.PENDING: "Asked to confirm",
    SubscriberState.UNSUBSCRIBED: "Left",
    "suppressed": "Not reached",
}


@shown_to_employees
def show_subscribers(request: Request, employee: Employee) -> Response:
    """Show the subscribers of a search, newest first, and how many there are."""
    return _list(request, employee)


def _list(
    request: Request,
    employee: Employee,
    *,
    problems: Mapping[str, str] | None = None,
    faults: tuple[str, ...] = (),
    imported: Imported | None = None,
) -> Response:
    refuse_others(employee)
    text = request.query_params.get("q", "").strip()[:LONGEST_SEARCH]
    asked = request.query_params.get("state", "")
    state = asked if asked in STATES else ""
    house = front_of(request).house
    with house.store.reading() as connection:
        tally = subscriber_lists.tally(connection)
        before = before_id(request)
        found = subscriber_lists.search(connection, text=text, state=state, before_id=before, limit=SHOWN + 1)
    return page(
        request,
        "dashboard/subscribers.html",
        status_code=422 if problems or faults else 200,
        employee=employee,
        here="subscribers",
        tally=tally,
        subscribers=found[:SHOWN],
        hears_of={one.id: still_chosen(house.config, one.components) for one in found},
        older=urlencode({"q": text, "state": state, "before": found[SHOWN - 1].id})
        if len(found) > SHOWN
        else "",
        before=before,
        text=text,
        state=state,
        states=STATES,
        channels=CHANNELS,
        columns=", ".join(COLUMNS),
        said=SAID.get(request.query_params.get("said", ""), ""),
        problems=problems or {},
        faults=faults,
        imported=imported,
    )


@shown_to_employees
def export(request: Request, employee: Employee) -> Response:
    """Give the list as a CSV file; a HEAD, which reads nothing of it, is no export."""
    refuse_others(employee)
    front = front_of(request)
    name = f"subscribers-{front.clock():%Y-%m-%d}.csv"
    lines: Iterable[str] = ()
    if request.method != "HEAD":
        lines = subscriber_admin.export_lines(front.house, employee, front.clock())
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(lines, media_type="text/csv; charset=utf-8", headers=headers)


async def import_list(request: Request) -> Response:
    """Take a CSV file: all of it, or nothing and every bad line named."""
    employee = await to_thread.run_sync(employee_of, request)
    if employee is None:
        return RedirectResponse("/login?next=/dashboard/subscribers", 303)
    if employee.role is not Role.ADMIN:
        # before anything is read: who may not import shall not make us take a file
        raise NotAllowed(f"{employee.name} may not change subscribers: that is for admins")
    async with request.form(max_files=1, max_fields=5) as form:
        sent = form.get("file")
        raw = await sent.read() if isinstance(sent, UploadFile) else b""
        have_agreed = bool(form.get("have_agreed"))
    response = await to_thread.run_sync(_import, request, employee, raw, have_agreed)
    front_of(request).wake()
    response.headers.setdefault("cache-control", "no-store")
    return response


def _import(request: Request, employee: Employee, raw: bytes, have_agreed: bool) -> Response:  # noqa: FBT001  run_sync gives by position
    front = front_of(request)
    if not raw:
        return _list(request, employee, problems={"file": "Choose a file first."})
    try:
        imported = subscriber_admin.import_file(
            front.house, raw, employee, front.clock(), have_agreed=have_agreed
        )
    except SubscriberFileFaulty as faulty:
        return _list(request, employee, faults=faulty.faults)
    except NotAllowed as error:
        # an admin may; the list is too long to ask all of it
        return _list(request, employee, problems={"file": f"{error}."})
    return _list(request, employee, imported=imported)


routes = [
    Route(ALL, show_subscribers),
    Route(f"{ALL}/export", export),
    Route(f"{ALL}/import", import_list, methods=["POST"]),
    *subscriber.routes,
]
