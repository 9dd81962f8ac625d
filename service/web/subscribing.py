"""Signing up for mails, confirming and leaving. A GET only shows; what changes something is a POST."""

from typing import Final

from anyio.to_thread import run_sync
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from service.actions import subscribing
from service.errors import AddressInvalid
from service.model import SubscriberState
from service.web.freshness import FOR_THE_HOLDER, fresh
from service.web.front import front_of, page

HONEYPOT: Final = "leave_this_empty"
"""A field that people do not see; whoever fills it is a machine, and is told what people are told."""
LONGEST_SHOWN: Final = 320
"""Characters of an address that are read: more than any address may have (RFC 5321)."""


def show_form(request: Request) -> Response:
    """Show the form to sign up with."""
    return fresh(request, page(request, "public/subscribe.html", typed="", error=""))


async def subscribe(request: Request) -> Response:
    """Ask an address to confirm; the answer is the same whether it is known or not."""
    form = await _fields(request)
    typed = form.get("email", "").strip()[:LONGEST_SHOWN]
    if not form.get(HONEYPOT):
        front = front_of(request)
        try:
            await run_sync(subscribing.subscribe, front.house, typed, front.clock())
        except AddressInvalid as error:
            said = f"{str(error)[:1].upper()}{str(error)[1:]}"
            return _private(request, "public/subscribe.html", status_code=422, typed=typed, error=said)
        front.wake()
    return _private(request, "public/subscribe_asked.html")


def show_confirmation(request: Request) -> Response:
    """Show the button that confirms."""
    front = front_of(request)
    subscriber = subscribing.find_confirmation(front.house, request.path_params["token"], front.clock())
    is_done = subscriber.state is SubscriberState.CONFIRMED
    return _private(request, "public/confirm.html", subscriber=subscriber, is_done=is_done)


def confirm(request: Request) -> Response:
    """Begin to send mails to the address that the link was sent to."""
    front = front_of(request)
    subscriber = subscribing.confirm(front.house, request.path_params["token"], front.clock())
    return _private(request, "public/confirm.html", subscriber=subscriber, is_done=True)


def show_leaving(request: Request) -> Response:
    """Show the button that unsubscribes."""
    subscriber = subscribing.find_subscription(front_of(request).house, request.path_params["token"])
    is_done = subscriber.state is SubscriberState.UNSUBSCRIBED
    return _private(request, "public/unsubscribe.html", subscriber=subscriber, is_done=is_done)


async def leave(request: Request) -> Response:
    """Unsubscribe at once: by our own button, or by a mail program's one click (RFC 8058).

    The token in the address is all that counts: a body that cannot be read keeps nobody on the list.
    """
    try:
        form = await _fields(request)
    except HTTPException:
        form = {}
    house = front_of(request).house
    subscriber = await run_sync(subscribing.unsubscribe, house, request.path_params["token"])
    if form.get("List-Unsubscribe") == "One-Click":
        return PlainTextResponse("You are unsubscribed.\n", headers=FOR_THE_HOLDER)
    return _private(request, "public/unsubscribe.html", subscriber=subscriber, is_done=True)


async def _fields(request: Request) -> dict[str, str]:
    async with request.form(max_files=1, max_fields=10) as form:
        return {name: value for name, value in form.items() if isinstance(value, str)}


def _private(request: Request, name: str, *, status_code: int = 200, **named: object) -> Response:
    return page(request, name, status_code=status_code, headers=FOR_THE_HOLDER, **named)


routes = [
    Route("/subscribe", show_form),
    Route("/subscribe", subscribe, methods=["POST"]),
    Route("/subscribe/confirm/{token}", show_confirmation),
    Route("/subscribe/confirm/{token}", confirm, methods=["POST"]),
    Route("/unsubscribe/{token}", show_leaving),
    Route("/unsubscribe/{token}", leave, methods=["POST"]),
]
