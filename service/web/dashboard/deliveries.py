"""The deliveries, as employees see them: what waits, what was lost, what was sent, to whom and what the relay said.

Addresses of subscribers are whole for admins alone; others read them shortened.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from service.actions import redelivering
from service.config.spans import format_span
from service.model import DeliveryKind, Employee, Role
from service.store import audit, delivery_lists, progress, subscribers
from service.store.delivery_lists import MOST_COUNTED, Audience, ListedDelivery, Mark, Search, Stands
from service.store.employee_stamp import employee_stamp
from service.web.dashboard.monitor_words import span_in_words
from service.web.front import front_of, page
from service.web.login.mail_link import ordered_by_employees, row_id, shown_to_employees

SHOWN: Final = 50
FAN_OUTS_SHOWN: Final = 20
"""The latest updates among which those are shown that are still on their way."""
STANDS: Final[Mapping[Stands, str]] = {
    Stands.DUE: "due",
    Stands.LATER: "being tried",
    Stands.LOST: "lost",
    Stands.SENT: "sent",
    Stands.CANCELLED: "not sent",
}
TO: Final[Mapping[Audience, str]] = {
    Audience.PERSON: "To one person",
    Audience.SUBSCRIBERS: "To subscribers",
    Audience.WEBHOOKS: "To webhooks",
}
KINDS: Final[Mapping[DeliveryKind, str]] = {
    DeliveryKind.APPROVAL: "asks to decide",
    DeliveryKind.PUBLISHED: "tells that it is published",
    DeliveryKind.REMINDER: "reminds that it is still open",
    DeliveryKind.RECOVERED: "tells that it recovered and stays open",
    DeliveryKind.CLOSED: "tells that it is closed",
    DeliveryKind.DISCARDED: "tells that it ended unpublished",
    DeliveryKind.ANSWER: "answers a reply",
    DeliveryKind.CONFIRM_REPLY: "asks whether a reply was meant",
    DeliveryKind.ALARM: "tells what keeps the service from its work",
    DeliveryKind.SUBSCRIBER_UPDATE: "update of an incident",
    DeliveryKind.SUBSCRIBER_POSTMORTEM: "post-mortem of an incident",
    DeliveryKind.MAINTENANCE_UPDATE: "update of a maintenance",
    DeliveryKind.WEBHOOK_CALL: "webhook call",
    DeliveryKind.SUBSCRIBER_CONFIRM: "asks to confirm a subscription",
    DeliveryKind.LOGIN_LINK: "link to log in",
}
SAID: Final[Mapping[str, str]] = {
    "revived": "It is tried again.",
    "given_up": "It was given up and is not sent.",
}
_HERE: Final = "/dashboard/deliveries"
_LONGEST_ADDRESS: Final = 2_000
_FIELDS: Final = ("state", "to", "kind", "incident", "address")


@shown_to_employees
def show_deliveries(request: Request, employee: Employee) -> Response:
    """Show how the outbox stands, and deliveries page by page."""
    front = front_of(request)
    now, asked = front.clock(), {name: _asked(request, name) for name in _FIELDS}
    after = _after(request)
    with front.house.store.reading() as connection:
        stamp = employee_stamp(connection)
        search = _search(asked)
        is_known = True
        if address := asked["address"]:
            subscriber = subscribers.find_by_address(connection, address)
            employee_known = front.house.config.employee_by_email(address)
            if employee_known is not None:
                search = _replaced(search, recipient=employee_known.email)
            elif subscriber is not None and employee.role is Role.ADMIN:
                search = _replaced(search, subscriber_id=subscriber.id)
            else:
                is_known = False
        found = delivery_lists.Found()
        if is_known:
            found = delivery_lists.listed(connection, search, now, after=after, limit=SHOWN)
        figures = delivery_lists.figures(connection, now)
        latest = progress.latest(connection, limit=FAN_OUTS_SHOWN)
    return page(
        request,
        "dashboard/deliveries.html",
        employee=employee,
        here="deliveries",
        figures=figures,
        most=MOST_COUNTED,
        under_way=[one for one in latest if one.progress.waiting or one.progress.to_queue],
        found=found.deliveries,
        next=_query(asked, found.next),
        is_newest=after is None,
        since=stamp,
        asked=asked,
        now=now,
        stands_words=STANDS,
        to_words=TO,
        kind_words=KINDS,
        name_of=front.house.name_of,
        span_in_words=span_in_words,
        kept_for=format_span(front.house.config.retention.deliveries),
        to_whom=lambda one: to_whom(one, employee),
        answer_of=lambda one: _answer(one, employee),
        said=SAID.get(request.query_params.get("said", ""), ""),
    )


def _asked(request: Request, name: str) -> str:
    return request.query_params.get(name, "").strip()[:_LONGEST_ADDRESS]


def _search(asked: Mapping[str, str]) -> Search:
    number = asked["incident"].upper().removeprefix("INC-")
    is_number = number.isascii() and number.isdigit() and len(number) < len(str(2**62))
    return Search(
        stands=Stands(asked["state"]) if asked["state"] in STANDS else None,
        to=Audience(asked["to"]) if asked["to"] in TO else None,
        kind=DeliveryKind(asked["kind"]) if asked["kind"] in KINDS else None,
        incident_id=int(number) if is_number else None,
    )


def _replaced(search: Search, *, subscriber_id: int | None = None, recipient: str = "") -> Search:
    return Search(search.stands, search.to, search.kind, search.incident_id, subscriber_id, recipient)


def _after(request: Request) -> Mark | None:
    """Read where the page begins; what cannot be read is the first page."""
    number, _, at = request.query_params.get("after", "").partition("_")
    if not (number.isascii() and number.isdigit() and len(number) < len(str(2**62))):
        return None
    try:
        due_at = datetime.fromisoformat(at) if at else None
    except ValueError:
        return None
    if due_at is not None and due_at.tzinfo is None:
        return None
    return Mark(int(number), due_at)


def _query(asked: Mapping[str, str], mark: Mark | None) -> str:
    if mark is None:
        return ""
    at = f"_{mark.due_at.isoformat()}" if mark.due_at else ""
    return urlencode({**{name: text for name, text in asked.items() if text}, "after": f"{mark.id}{at}"})


def to_whom(one: ListedDelivery, reader: Employee) -> str:
    """Give the address of a delivery as a reader may see it."""
    is_open = reader.role is Role.ADMIN or one.employee_id is not None
    return one.recipient if is_open else audit.redacted(one.recipient)


def _answer(one: ListedDelivery, reader: Employee) -> str:
    """Give what the relay said last, which often repeats the address."""
    shown = to_whom(one, reader)
    if shown == one.recipient:
        return one.last_error
    local = one.recipient.rpartition("@")[0]
    said = one.last_error.replace(one.recipient, shown)
    return said.replace(local, f"{local[:1]}…") if len(local) > 1 else said


@ordered_by_employees
def try_again(request: Request, employee: Employee, _form: Mapping[str, str]) -> Response:
    """Try a delivery again that failed for good."""
    front = front_of(request)
    redelivering.try_again(front.house, row_id(request), employee, front.clock())
    return _back("revived", Stands.LOST)


@ordered_by_employees
def give_up(request: Request, employee: Employee, _form: Mapping[str, str]) -> Response:
    """Give a delivery up that waits."""
    front = front_of(request)
    redelivering.give_up(front.house, row_id(request), employee, front.clock())
    return _back("given_up", Stands.DUE)


def _back(said: str, stands: Stands) -> Response:
    return RedirectResponse(f"{_HERE}?{urlencode({'state': stands, 'said': said})}", 303)


routes = [
    Route(_HERE, show_deliveries),
    Route(f"{_HERE}/{{id}}/again", try_again, methods=["POST"]),
    Route(f"{_HERE}/{{id}}/give-up", give_up, methods=["POST"]),
]
