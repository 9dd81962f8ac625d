"""Signing up for mails, confirming, choosing and leaving. A GET only shows; what changes something is a POST."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

from anyio.to_thread import run_sync
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from service.actions import subscribing
from service.actions.lost_choices import no_longer_there, still_chosen
from service.errors import AddressInvalid
from service.model import Component, Subscriber, SubscriberState
from service.web.front import front_of, page
from service.web.public.freshness import FOR_THE_HOLDER, fresh

HONEYPOT: Final = "leave_this_empty"
"""A field that people do not see; whoever fills it is a machine, and is told what people are told."""
MOST_FIELDS: Final = 1_000
"""Of a form: one for each component that is ticked, and a few."""
LONGEST_SHOWN: Final = 320
"""Characters of an address that are read: more than any address may have (RFC 5321)."""
NONE_CHOSEN: Final = "Choose at least one component, or all of them."


def show_form(request: Request) -> Response:
    """Show the form to sign up with."""
    return fresh(request, _form(request))


def _form(
    request: Request,
    *,
    status_code: int = 200,
    headers: dict[str, str] | None = None,
    typed: str = "",
    error: str = "",
    chosen: Sequence[str] | None = None,
    problem: str = "",
) -> Response:
    """Show the form with what was typed and chosen: `error` is wrong with the address, `problem` with the choice."""
    return page(
        request,
        "public/subscribe.html",
        status_code=status_code,
        headers=headers,
        typed=typed,
        error=error,
        groups=_choices(request),
        chosen=chosen,
        problem=problem,
    )


async def subscribe(request: Request) -> Response:
    """Ask an address to confirm; the answer is the same whether it is known or not."""
    form, chosen = await _fields(request)
    typed = form.get("email", "").strip()[:LONGEST_SHOWN]

    refused = partial(_form, request, headers=FOR_THE_HOLDER, typed=typed, chosen=chosen)
    if not form.get(HONEYPOT):
        front = front_of(request)
        try:
            address = subscribing.checked_address(typed)
        except AddressInvalid as error:
            return refused(status_code=422, error=f"{str(error)[:1].upper()}{str(error)[1:]}")
        if chosen == []:
            return refused(status_code=422, problem=NONE_CHOSEN)
        if request.app.state.sign_ups.are_too_many(request):
            said = "Too many addresses were entered from here; try again in an hour."
            return refused(status_code=429, error=said)
        sign_up = partial(subscribing.subscribe, front.house, address, front.clock(), components=chosen)
        await run_sync(sign_up)
        front.wake()
    return _private(request, "public/subscribe_asked.html")


def show_confirmation(request: Request) -> Response:
    """Show the button that confirms or, once it is confirmed, what was chosen."""
    front = front_of(request)
    subscriber = subscribing.find_confirmation(front.house, request.path_params["token"], front.clock())
    return _confirmation(request, subscriber, is_done=subscriber.state is SubscriberState.CONFIRMED)


def confirm(request: Request) -> Response:
    """Begin to send mails to the address that the link was sent to."""
    front = front_of(request)
    subscriber = subscribing.confirm(front.house, request.path_params["token"], front.clock())
    return _confirmation(request, subscriber, is_done=True)


def _confirmation(request: Request, subscriber: Subscriber, *, is_done: bool) -> Response:
    house = front_of(request).house
    token = subscribing.subscription_token(house, subscriber)
    return _private(
        request,
        "public/confirm.html",
        subscriber=subscriber,
        chosen=still_chosen(house.config, subscriber.components),
        is_done=is_done,
        token=token,
        groups=_choices(request),
    )


def show_subscription(request: Request) -> Response:
    """Show what somebody hears of, to be changed, and the button that unsubscribes."""
    subscriber = subscribing.find_subscription(front_of(request).house, request.path_params["token"])
    return _subscription(request, subscriber, is_done=subscriber.state is SubscriberState.UNSUBSCRIBED)


async def choose(request: Request) -> Response:
    """Change what somebody hears of; whoever left chooses nothing by it, and is told that he left."""
    _, chosen = await _fields(request)
    house, token = front_of(request).house, request.path_params["token"]
    if chosen == []:
        subscriber = await run_sync(subscribing.find_subscription, house, token)
    else:
        subscriber = await run_sync(subscribing.choose, house, token, chosen)
    is_done = subscriber.state is SubscriberState.UNSUBSCRIBED
    return _subscription(request, subscriber, is_done=is_done, is_saved=chosen != [], is_refused=chosen == [])


def _subscription(
    request: Request,
    subscriber: Subscriber,
    *,
    is_done: bool = False,
    is_saved: bool = False,
    is_refused: bool = False,
) -> Response:
    config = front_of(request).house.config
    hears_of = still_chosen(config, subscriber.components)
    return page(
        request,
        "public/unsubscribe.html",
        status_code=422 if is_refused else 200,
        headers=FOR_THE_HOLDER,
        subscriber=subscriber,
        is_done=is_done,
        is_saved=is_saved,
        problem=NONE_CHOSEN if is_refused else "",
        chosen=() if is_refused else hears_of,
        lost=no_longer_there(config, subscriber.components),
        hears_of=hears_of,
        token=request.path_params["token"],
        groups=_choices(request),
    )


async def leave(request: Request) -> Response:
    """Unsubscribe at once: by our own button, or by a mail program's one click (RFC 8058).

    The token in the address is all that counts: a body that cannot be read keeps nobody on the list.
    """
    try:
        form, _ = await _fields(request)
    except HTTPException:
        form = {}
    house = front_of(request).house
    subscriber = await run_sync(subscribing.unsubscribe, house, request.path_params["token"])
    if form.get("List-Unsubscribe") == "One-Click":
        return PlainTextResponse("You are unsubscribed.\n", headers=FOR_THE_HOLDER)
    return _subscription(request, subscriber, is_done=True)


async def _fields(request: Request) -> tuple[dict[str, str], list[str] | None]:
    """Give the fields of a form, and what is to be heard of: None is all, and nothing is a choice that is none."""
    known = {component.name for component in front_of(request).house.config.components}
    async with request.form(max_files=1, max_fields=MOST_FIELDS) as form:
        fields = {name: value for name, value in form.items() if isinstance(value, str)}
        ticked = [one for one in form.getlist("component") if isinstance(one, str) and one in known]
        return fields, _chosen(fields, ticked)


def _chosen(fields: Mapping[str, str], ticked: list[str]) -> list[str] | None:
    """Tell what somebody wants to hear of who ticked these components.

    Whoever ticks some wants those, though "All components" is still chosen above them; but whoever was shown his ticks
    and chose "All components" since then (`was`) wants all.
    """
    if fields.get("hear_of") == "some" or (ticked and fields.get("was") != "some"):
        return ticked
    return None


def _choices(request: Request) -> dict[str, list[Component]]:
    """Give the components under the headings of their groups; of one alone there is nothing to choose."""
    components = front_of(request).house.config.components
    groups: dict[str, list[Component]] = {}
    for component in components if len(components) > 1 else ():
        groups.setdefault(component.group, []).append(component)
    return groups


def _private(request: Request, name: str, **named: object) -> Response:
    return page(request, name, status_code=200, headers=FOR_THE_HOLDER, **named)


routes = [
    Route("/subscribe", show_form),
    Route("/subscribe", subscribe, methods=["POST"]),
    Route("/subscribe/confirm/{token}", show_confirmation),
    Route("/subscribe/confirm/{token}", confirm, methods=["POST"]),
    Route("/subscription/{token}", choose, methods=["POST"]),
    Route("/unsubscribe/{token}", show_subscription),
    Route("/unsubscribe/{token}", leave, methods=["POST"]),
]
