"""Who hears of incidents, as admins see and change it. What becomes of an order `actions.subscriber_admin` decides."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final
from urllib.parse import urlencode

from anyio import to_thread
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from service.actions import subscriber_admin
from service.actions.subscriber_admin import Imported, heard_groups
from service.actions.subscriber_file import COLUMNS, SubscriberFileFaulty
from service.calls.calling import UrlUnusable
from service.calls.signing import signing_key
from service.errors import NotAllowed, NotFound
from service.model import Channel, Employee, Role, SubscriberState
from service.store import subscriber_lists, subscribers
from service.web.front import front_of, page
from service.web.login.mail_link import (
    before_id,
    employee_of,
    ordered_by_employees,
    row_id,
    shown_to_employees,
)

SHOWN: Final = 50
LONGEST_SEARCH: Final = 320
MOST_GROUPS: Final = 50
LONGEST_GROUP: Final = 200
"""Characters."""
STATES: Final[Mapping[str, str]] = {
    "": "All",
    SubscriberState.CONFIRMED: "Subscribed",
    SubscriberState.PENDING: "Asked to confirm",
    SubscriberState.UNSUBSCRIBED: "Left",
    "suppressed": "Not reached",
}
CHANNELS: Final[Mapping[str, str]] = {
    "": "By its address",
    Channel.WEBHOOK: "Signed JSON",
    Channel.SLACK: "Slack",
    Channel.TEAMS: "Microsoft Teams",
}
SAID: Final[Mapping[str, str]] = {
    "added": "The webhook is subscribed.",
    "reinstated": "It is sent to again from now on.",
    "removed": "It is forgotten.",
    "grouped": "Its groups are saved.",
}
_HERE: Final = "/dashboard/subscribers"


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
    typed: str = "",
) -> Response:
    _refuse_others(employee)
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
        typed=typed,
    )


@shown_to_employees
def show_subscriber(request: Request, employee: Employee) -> Response:
    """Show one subscriber: what it chose, how it is reached and, of a webhook, the key that signs its calls."""
    return _one(request, employee)


def _one(request: Request, employee: Employee, *, problem: str = "", typed: str | None = None) -> Response:
    _refuse_others(employee)
    house = front_of(request).house
    with house.store.reading() as connection:
        found = subscribers.get(connection, row_id(request))
    if found is None:
        raise NotFound("There is no such subscriber.")
    return page(
        request,
        "dashboard/subscriber.html",
        status_code=422 if problem else 200,
        employee=employee,
        here="subscriber",
        subscriber=found,
        channels=CHANNELS,
        problem=problem,
        typed="; ".join(found.groups) if typed is None else typed,
        heard=heard_groups(house.config),
        signing_key=signing_key(house.key, found.public_id) if found.channel is Channel.WEBHOOK else "",
        said=SAID.get(request.query_params.get("said", ""), ""),
    )


@shown_to_employees
def export(request: Request, employee: Employee) -> Response:
    """Give the list as a CSV file; a HEAD, which reads nothing of it, is no export."""
    _refuse_others(employee)
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


@ordered_by_employees
def add_webhook(request: Request, employee: Employee, form: Mapping[str, str]) -> Response:
    """Subscribe a webhook."""
    front, url = front_of(request), form.get("url", "").strip()
    named = form.get("channel", "")
    channel = Channel(named) if named and named in CHANNELS else None
    try:
        added = subscriber_admin.add_webhook(front.house, url, employee, front.clock(), channel=channel)
    except UrlUnusable as error:
        return _list(request, employee, problems={"url": f"This URL {error}."}, typed=url)
    return RedirectResponse(f"{_HERE}/{added.id}?said=added", 303)


@ordered_by_employees
def group(request: Request, employee: Employee, form: Mapping[str, str]) -> Response:
    """Put a subscriber into groups, of which names are parted by semicolons or lines."""
    front, number, typed = front_of(request), row_id(request), form.get("groups", "")
    named = [" ".join(one.split()) for one in typed.replace("\n", ";").split(";")]
    groups = [one for one in named if one]
    if problem := _wrong_groups(groups):
        return _one(request, employee, problem=problem, typed=typed)
    subscriber_admin.group(front.house, number, groups, employee, front.clock())
    return RedirectResponse(f"{_HERE}/{number}?said=grouped", 303)


def _wrong_groups(groups: Sequence[str]) -> str:
    if len(groups) > MOST_GROUPS:
        return f"These are too many groups: at most {MOST_GROUPS} are kept."
    if any(len(one) > LONGEST_GROUP or not one.isprintable() for one in groups):
        return f"A group's name is one line of at most {LONGEST_GROUP} characters."
    return ""


@ordered_by_employees
def reinstate(request: Request, employee: Employee, _form: Mapping[str, str]) -> Response:
    """Send to a suppressed subscriber again."""
    front, number = front_of(request), row_id(request)
    subscriber_admin.reinstate(front.house, number, employee, front.clock())
    return RedirectResponse(f"{_HERE}/{number}?said=reinstated", 303)


@ordered_by_employees
def remove(request: Request, employee: Employee, _form: Mapping[str, str]) -> Response:
    """Forget a subscriber."""
    front = front_of(request)
    subscriber_admin.remove(front.house, row_id(request), employee, front.clock())
    return RedirectResponse(f"{_HERE}?said=removed", 303)


def _refuse_others(employee: Employee) -> None:
    if employee.role is not Role.ADMIN:
        raise NotAllowed("Addresses of subscribers are shown to admins alone.")


routes = [
    Route(_HERE, show_subscribers),
    Route(f"{_HERE}/export", export),
    Route(f"{_HERE}/import", import_list, methods=["POST"]),
    Route(f"{_HERE}/webhook", add_webhook, methods=["POST"]),
    Route(f"{_HERE}/{{id}}", show_subscriber),
    Route(f"{_HERE}/{{id}}/groups", group, methods=["POST"]),
    Route(f"{_HERE}/{{id}}/reinstate", reinstate, methods=["POST"]),
    Route(f"{_HERE}/{{id}}/remove", remove, methods=["POST"]),
]
