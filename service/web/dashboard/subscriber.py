"""One subscriber, as admins add, see and change it. What becomes of an order the actions decide."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from service.actions import subscriber_admin, subscribers_by_hand
from service.actions.lost_choices import no_longer_there, still_chosen
from service.actions.subscriber_admin import heard_groups
from service.actions.subscribers_by_hand import AlreadyKnown
from service.calls.calling import UrlUnusable
from service.calls.signing import signing_key
from service.errors import AddressInvalid, NotAllowed, NotFound
from service.model import Channel, Employee, Role, Subscriber, SubscriberState
from service.store import subscribers
from service.web.dashboard.subscriber_form import (
    CHANNELS,
    LONGEST_ADDRESS,
    PREFIX,
    Typed,
    choosable,
    read_choices,
    typed_of,
)
from service.web.front import front_of, page
from service.web.login.mail_link import ordered_by_employees, row_id, shown_to_employees

SAID: Final[Mapping[str, str]] = {
    "added": "It is subscribed.",
    "asked": "A mail asks the address to confirm; before that it hears of nothing.",
    "changed": "Its choices are saved.",
    "reinstated": "It is sent to again from now on.",
    "removed": "It is forgotten.",
}
ALL: Final = "/dashboard/subscribers"


@shown_to_employees
def show_adding(request: Request, employee: Employee) -> Response:
    """Show the form that adds one."""
    return _adding(request, employee, Typed())


def _adding(request: Request, employee: Employee, typed: Typed, known_id: int | None = None) -> Response:
    refuse_others(employee)
    config = front_of(request).house.config
    return page(
        request,
        "dashboard/add_subscriber.html",
        status_code=422 if typed.problems else 200,
        employee=employee,
        here="subscriber",
        typed=typed,
        known_id=known_id,
        names=choosable(config),
        gone=frozenset[str](),
        prefix=PREFIX,
        channels=CHANNELS,
        longest_address=LONGEST_ADDRESS,
        heard=heard_groups(config),
    )


@ordered_by_employees
def add(request: Request, employee: Employee, form: Mapping[str, str]) -> Response:
    """Add an address or a webhook."""
    subscriber_admin.refuse_others(employee)
    front = front_of(request)
    typed = read_choices(form, choosable(front.house.config))
    if typed.problems:
        return _adding(request, employee, typed)
    try:
        added = subscribers_by_hand.add(
            front.house,
            typed.address,
            employee,
            front.clock(),
            channel=typed.channel,
            components=typed.components,
            groups=typed.group_names,
            have_agreed=typed.have_agreed,
        )
    except AlreadyKnown as error:
        refused = replace(typed, problems={"address": f"{error}."})
        return _adding(request, employee, refused, error.subscriber_id)
    except UrlUnusable as error:
        return _adding(request, employee, replace(typed, problems={"address": f"This URL {error}."}))
    except AddressInvalid as error:
        said = f"{str(error)[:1].upper()}{str(error)[1:]} A webhook begins with https://."
        return _adding(request, employee, replace(typed, problems={"address": said}))
    said = "added" if added.state is SubscriberState.CONFIRMED else "asked"
    return RedirectResponse(f"{ALL}/{added.id}?said={said}", 303)


@shown_to_employees
def show_subscriber(request: Request, employee: Employee) -> Response:
    """Show one subscriber: what it chose, how it is reached and, of a webhook, the key that signs its calls."""
    refuse_others(employee)
    found = _found(request)
    return _one(request, employee, found, typed_of(found))


def _one(request: Request, employee: Employee, found: Subscriber, typed: Typed) -> Response:
    house = front_of(request).house
    return page(
        request,
        "dashboard/subscriber.html",
        status_code=422 if typed.problems else 200,
        employee=employee,
        here="subscriber",
        subscriber=found,
        channels=CHANNELS,
        typed=typed,
        names=choosable(house.config, found),
        gone=frozenset(no_longer_there(house.config, found.components)),
        hears_of=still_chosen(house.config, found.components),
        prefix=PREFIX,
        heard=heard_groups(house.config),
        signing_key=signing_key(house.key, found.public_id) if found.channel is Channel.WEBHOOK else "",
        said=SAID.get(request.query_params.get("said", ""), ""),
    )


@ordered_by_employees
def change(request: Request, employee: Employee, form: Mapping[str, str]) -> Response:
    """Give a subscriber other components and groups."""
    subscriber_admin.refuse_others(employee)
    front, found = front_of(request), _found(request)
    typed = read_choices(form, choosable(front.house.config, found))
    if typed.problems:
        return _one(request, employee, found, typed)
    subscribers_by_hand.change(
        front.house,
        found.id,
        employee,
        front.clock(),
        components=typed.components,
        groups=typed.group_names,
    )
    return RedirectResponse(f"{ALL}/{found.id}?said=changed", 303)


@ordered_by_employees
def reinstate(request: Request, employee: Employee, _form: Mapping[str, str]) -> Response:
    """Send to a suppressed subscriber again."""
    front, number = front_of(request), row_id(request)
    subscriber_admin.reinstate(front.house, number, employee, front.clock())
    return RedirectResponse(f"{ALL}/{number}?said=reinstated", 303)


@ordered_by_employees
def remove(request: Request, employee: Employee, _form: Mapping[str, str]) -> Response:
    """Forget a subscriber."""
    front = front_of(request)
    subscriber_admin.remove(front.house, row_id(request), employee, front.clock())
    return RedirectResponse(f"{ALL}?said=removed", 303)


def refuse_others(employee: Employee) -> None:
    """Raise NotAllowed for all but admins, before an address is looked up."""
    if employee.role is not Role.ADMIN:
        raise NotAllowed("Addresses of subscribers are shown to admins alone.")


def _found(request: Request) -> Subscriber:
    with front_of(request).house.store.reading() as connection:
        found = subscribers.get(connection, row_id(request))
    if found is None:
        raise NotFound("There is no such subscriber.")
    return found


routes = [
    Route(f"{ALL}/add", show_adding),
    Route(f"{ALL}/add", add, methods=["POST"]),
    Route(f"{ALL}/{{id}}", show_subscriber),
    Route(f"{ALL}/{{id}}/choices", change, methods=["POST"]),
    Route(f"{ALL}/{{id}}/reinstate", reinstate, methods=["POST"]),
    Route(f"{ALL}/{{id}}/remove", remove, methods=["POST"]),
]
