"""Logging employees in by an OpenID Connect provider: the way there, and the way back.

Both are GETs, as the protocol has it. The way there sets a cookie and changes nothing; the way back counts once only
and in the browser alone that went, so that a link to it in a mail opens nothing.
"""

import hmac
import secrets
from typing import TYPE_CHECKING, Final

import structlog
from anyio import to_thread
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from service.actions import logging_in
from service.actions.signing_on import LIFETIME, asking_of, derive_asking, make_key
from service.errors import NotAllowed, NotFound
from service.web.cookies import forget_cookie, read_cookie, set_cookie
from service.web.front import front_of
from service.web.login.letting_in import (
    arriving_of,
    asking_page,
    let_in,
    local_path,
    log_ins_of,
    refused,
    remember_wanted,
    too_often,
    wanted_of,
    who_tries,
)
from service.web.login.oidc_faults import IdentityRefused, ProviderUnavailable

if TYPE_CHECKING:
    from service.web.login.oidc_provider import Provider

ASKING_COOKIE: Final = "replycast_asking"
"""Binds the answer to the browser that went to the provider."""
_LONGEST_CODE: Final = 4_096
_PRIVATE: Final = {"cache-control": "no-store", "referrer-policy": "no-referrer"}
_OURS: Final = {"same-origin", "none"}
_BEGIN_AGAIN: Final = "This log-in was not begun in this browser, or more than ten minutes ago; begin again."

_log = structlog.get_logger()


async def begin(request: Request) -> Response:
    """Go to the provider."""
    provider, front = _provider(request), front_of(request)
    wanted = local_path(request.query_params.get("next", ""))
    if request.headers.get("sec-fetch-site", "none") not in _OURS:
        # another site must not make its visitors log in here
        return asking_page(request, wanted=wanted)
    if log_ins_of(request).are_too_many(who_tries(request)):
        return too_often(request)
    now = front.clock()
    key = make_key(secrets.token_urlsafe(32), now)
    asking = derive_asking(front.house.key, key)
    try:
        address = await provider.address(asking, now)
    except ProviderUnavailable as error:
        return _out_of_order(request, provider, error, wanted)
    answer = RedirectResponse(address, 303, _PRIVATE)
    set_cookie(request, answer, ASKING_COOKIE, key, LIFETIME)
    remember_wanted(request, answer, wanted)
    return answer


async def come_back(request: Request) -> Response:
    """Let in whom the provider knows and config.yaml names; say to everybody else why not."""
    provider = _provider(request)
    if log_ins_of(request).were_refused_too_often(who_tries(request)):
        return too_often(request)
    answer = await _answer(request, provider)
    # whatever came of it, it counts once
    forget_cookie(request, answer, ASKING_COOKIE)
    return answer


async def _answer(request: Request, provider: "Provider") -> Response:
    front, given = front_of(request), request.query_params
    now = front.clock()
    asking = asking_of(front.house.key, read_cookie(request, ASKING_COOKIE), now)
    state = given.get("state", "")
    if asking is None or not hmac.compare_digest(state.encode(), asking.state.encode()):
        return await _refused(request, "the answer is not for this browser", _BEGIN_AGAIN)
    if "error" in given:
        why = f"{provider.name} let nobody in: {given['error'][:60]}"
        return await _refused(request, why, f"{provider.name} did not let you in; begin again.")
    code = given.get("code", "")
    if not 0 < len(code) <= _LONGEST_CODE:
        return await _refused(request, "the answer holds no code", _BEGIN_AGAIN)
    arriving = arriving_of(request)
    try:
        email = await provider.email_of(code, given.get("iss", ""), asking, now)
        employee = await to_thread.run_sync(
            lambda: logging_in.log_in_by_provider(front.house, email, arriving, now=now)
        )
    except ProviderUnavailable as error:
        return _out_of_order(request, provider, error, wanted_of(request))
    except (IdentityRefused, NotAllowed) as error:
        text = str(error)
        return await _refused(request, text, f"{text[:1].upper()}{text[1:]}.")
    return let_in(request, arriving, employee)


def _out_of_order(request: Request, provider: "Provider", error: Exception, wanted: str) -> Response:
    """Say so; it is nobody's failed log-in."""
    _log.warning("the log-in provider is out of order", reason=str(error))
    problem = f"{provider.name} cannot be asked just now; try again in a moment."
    return asking_page(request, wanted=wanted, problem=problem, status_code=503)


async def _refused(request: Request, why: str, problem: str) -> Response:
    return await refused(request, "oidc", why, problem=problem, status_code=403)


def _provider(request: Request) -> "Provider":
    provider: Provider | None = request.app.state.oidc
    if provider is None:
        raise NotFound("There is nothing at this address.")
    return provider


routes = [
    Route("/login/oidc", begin, methods=["GET"]),
    Route("/login/oidc/callback", come_back, methods=["GET"]),
]
