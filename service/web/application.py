"""Puts routes and guards together into the one ASGI application."""

from collections.abc import Sequence
from functools import partial

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Match, Mount
from starlette.staticfiles import StaticFiles

from service.config import Config
from service.errors import (
    IncidentChangedMeanwhile,
    MachineExhausted,
    NotAllowed,
    NotFound,
    OutcomeUnknown,
    StoreUnavailable,
    TokenInvalid,
    what_ran_out,
)
from service.providers.registry import provider_named
from service.web.dashboard.changes import Changes
from service.web.dashboard.monitor_previews import Previews
from service.web.dashboard.pulse import pulse_of
from service.web.fast_first import FastFirst
from service.web.front import STATIC, Front, page
from service.web.guards import BoundedWaits, SameOriginOnly, SecurityHeaders, behind_proxy, guard_headers
from service.web.login.rates import LogIns
from service.web.public.pages import PublicPages
from service.web.public.renderers import RENDERERS
from service.web.rates import SignUps, Simulations
from service.web.webhooks import routes as webhook_routes

AGAIN = "5"
"""Seconds after which whoever found the database away may ask again."""
LARGEST_REQUEST = 1024 * 1024
"""Bytes that any route takes; webhooks set a lower bound and name it in their answer."""


_log = structlog.get_logger()


def build(front: Front, routes: Sequence[BaseRoute]) -> Starlette:
    """Make the application of some rooms' routes."""
    guards = guard_headers(is_https=front.is_https)
    pages = PublicPages(front, RENDERERS, guards)
    application = FastFirst(
        routes=[*routes, Mount("/static", StaticFiles(directory=STATIC), name="static")],
        middleware=[
            # within the application, since what goes first asks neither who it is nor how he came
            Middleware(behind_proxy),
            Middleware(SecurityHeaders, is_https=front.is_https),
            Middleware(SameOriginOnly),
            Middleware(BoundedWaits),
        ],
        exception_handlers={
            404: _not_found,
            405: _not_taken,
            NotFound: _not_found,
            TokenInvalid: _token_invalid,
            NotAllowed: _not_allowed,
            StoreUnavailable: _store_unavailable,
            IncidentChangedMeanwhile: _store_unavailable,
            MachineExhausted: _machine_exhausted,
            OSError: _machine_exhausted,
        },
        max_body_size=LARGEST_REQUEST,
    )
    application.takes_posts = any(one in routes for one in webhook_routes)
    application.state.front = front
    application.state.sign_ups = SignUps()
    application.state.log_ins = LogIns()
    application.state.simulations = Simulations()
    application.state.previews = Previews()
    _open_what_is_configured(application, front.house.config)
    application.state.public_pages = application.pages = pages
    application.state.changes = Changes(front.house.store, front.clock, partial(pulse_of, front))
    return application


def _open_what_is_configured(application: Starlette, config: Config) -> None:
    """Open the doors that few have: what they need costs megabytes of memory, and is imported for them alone.

    It is imported now, so that no upgrade under a running process comes between.
    """
    application.state.oidc = application.state.sns_door = None
    if config.login.oidc:
        from service.web.login.oidc_provider import Provider  # noqa: PLC0415  see above

        application.state.oidc = Provider(config.login.oidc, config.site.url)
    if any(provider_named(name).is_signed_by_amazon for name in config.webhooks):
        from service.web.sns_door import SnsDoor  # noqa: PLC0415  see above

        application.state.sns_door = SnsDoor()


async def _not_found(request: Request, error: Exception) -> Response:
    if request.url.path.startswith(("/webhook/", "/api/")):
        return JSONResponse({"error": "there is nothing at this address"}, 404)
    said = str(error) if isinstance(error, NotFound) else "There is nothing at this address."
    return _message(request, 404, "Not found", said)


async def _not_taken(request: Request, error: Exception) -> Response:
    """Lead whoever reads the address of an order, as by loading a refused one anew, to the page that has its button."""
    path = request.url.path
    if request.method == "GET" and path.startswith("/dashboard/"):
        while (path := path.rpartition("/")[0]) and not _is_page(request, path):
            pass
        return RedirectResponse(path or "/", 303)
    headers = error.headers if isinstance(error, HTTPException) else None
    return PlainTextResponse("Method Not Allowed", 405, headers)


def _is_page(request: Request, path: str) -> bool:
    scope = {**request.scope, "path": path}
    return any(route.matches(scope)[0] is Match.FULL for route in request.app.routes)


async def _token_invalid(request: Request, error: Exception) -> Response:
    said = str(error).removesuffix(".")
    is_subscribers = request.url.path.startswith(("/subscribe/", "/subscription/", "/unsubscribe/"))
    title, text = "This link does not work", f"{said[:1].upper()}{said[1:]}."
    return _message(request, 410, title, text, is_subscribers=is_subscribers)


async def _not_allowed(request: Request, error: Exception) -> Response:
    return _message(request, 403, "Not allowed", str(error))


async def _store_unavailable(request: Request, error: Exception) -> Response:
    _log.warning("a page or an order had to be put off", error=str(error))
    title, said = (
        "Try again in a moment",
        "This could not be done just now. Nothing was changed; try again in a moment.",
    )
    if isinstance(error, OutcomeUnknown):
        title = "Look before you try again"
        said = "The database stopped answering as this was to be stored. It may have been done, or not."
    answer = _message(request, 503, title, said)
    answer.headers["retry-after"] = AGAIN
    return answer


async def _machine_exhausted(request: Request, error: Exception) -> Response:
    """Answer without a page, whose template might not be read either."""
    said = what_ran_out(error)
    if not said:
        raise error
    _log.error("a page or an order had to be put off", path=request.url.path, error=said)
    text = "This could not be done just now. Look whether it was before you try again.\n"
    return PlainTextResponse(text, 503, {"retry-after": AGAIN})


def _message(
    request: Request, status: int, title: str, text: str, *, is_subscribers: bool = False
) -> Response:
    return page(
        request,
        "message.html",
        status_code=status,
        title=title,
        text=text,
        is_dashboards=request.url.path.startswith("/dashboard/"),
        is_subscribers=is_subscribers,
    )
