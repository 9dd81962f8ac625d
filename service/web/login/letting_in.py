"""What every way of logging in shares: its cookies, whom it lets in, and what is said to whom it does not."""

import re
import secrets
from datetime import timedelta
from typing import Final
from urllib.parse import quote, unquote

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Match, Route

from service.actions import logging_in
from service.actions.logging_in import Arriving
from service.model import Employee
from service.web.cookies import forget_cookie, read_cookie, set_cookie
from service.web.front import front_of, page
from service.web.login.rates import LogIns
from service.web.rates import client_of

SESSION_COOKIE: Final = "replycast_session"
BROWSER_COOKIE: Final = "replycast_browser"
"""Binds a link to the browser that asked for it, so that a link which is passed on or read opens nothing."""
WANTED_COOKIE: Final = "replycast_wanted"
"""The page that was asked for before logging in; the link in the mail does not know it."""
ASKING_LIFETIME: Final = timedelta(minutes=20)
KNOWN_LIFETIME: Final = timedelta(days=365)
"""How long a browser is known as one in which an employee logged in; it opens nothing by that."""
START: Final = "/dashboard"
"""Where whoever wants no other page begins."""

_KEY: Final = re.compile(r"[A-Za-z0-9_-]{43}(\.[0-9a-f]{64})?")
_LOCAL_PATH: Final = re.compile(r"/(?![/\\])[!-\[\]-~]{0,500}")
# not `no-referrer`: with it a browser sends `Origin: null` with the form, and over plain http that is all
# that SameOriginOnly has to go by; either way the token in the address is told to nobody
SECRET_ADDRESS: Final = {"cache-control": "no-store", "referrer-policy": "strict-origin"}


def local_path(wanted: str) -> str:
    """Give the path if it is one of this site, else the dashboard's: a link must not lead people elsewhere."""
    return wanted if _LOCAL_PATH.fullmatch(wanted) else START


def page_at_or_above(request: Request, wanted: str) -> str:
    """Give the address if a page stands there, else the nearest one above it that a GET shows.

    Whoever logs in is led there by a GET, and forms are sent to addresses where there is nothing to see.
    """
    path = wanted.partition("?")[0]
    if _is_page(request, path):
        return wanted
    while path := path.rpartition("/")[0]:
        if _is_page(request, path):
            return path
    return START


def _is_page(request: Request, path: str) -> bool:
    asked = {"type": "http", "method": "GET", "path": path, "root_path": "", "headers": []}
    here = (route for route in request.app.routes if isinstance(route, Route))
    return any(route.matches(asked)[0] is Match.FULL for route in here)


def asking_page(request: Request, *, wanted: str, problem: str = "", status_code: int = 200) -> Response:
    """Show the ways to log in, and why the last one did not."""
    login = front_of(request).house.config.login
    return page(
        request,
        "login/ask.html",
        status_code=status_code,
        headers=SECRET_ADDRESS,
        wanted=wanted,
        problem=problem,
        mail_link=login.mail_link,
        provider=login.oidc.name if login.oidc else "",
    )


def arriving_of(request: Request) -> Arriving:
    """Give the browser that is about to be logged in, under a fresh key."""
    return Arriving(
        session_key=secrets.token_urlsafe(32),
        browser=request.headers.get("user-agent", ""),
        instead_of=read_cookie(request, SESSION_COOKIE),
    )


def let_in(request: Request, arriving: Arriving, employee: Employee) -> Response:
    """Give the browser its session, and lead it to the page that was wanted."""
    answer = RedirectResponse(page_at_or_above(request, wanted_of(request)), 303, SECRET_ADDRESS)
    set_cookie(request, answer, SESSION_COOKIE, arriving.session_key, logging_in.SESSION_LIFETIME)
    known = logging_in.mark_known(front_of(request).house, employee, browser_key(request))
    set_cookie(request, answer, BROWSER_COOKIE, known, KNOWN_LIFETIME)
    forget_cookie(request, answer, WANTED_COOKIE)
    return answer


def browser_key(request: Request) -> str:
    """Give the key that the browser holds, or a new one in the place of what is none."""
    held = read_cookie(request, BROWSER_COOKIE)
    return held if _KEY.fullmatch(held) else secrets.token_urlsafe(32)


def who_tries(request: Request) -> str:
    """Name who tries to log in, for counting: a browser that is known, else the client's address."""
    held = browser_key(request)
    return (
        logging_in.hash_key(held)
        if logging_in.is_known(front_of(request).house, held)
        else client_of(request)
    )


async def refused(request: Request, way: str, why: str, *, problem: str, status_code: int) -> Response:
    """Count and write down that somebody was not let in, within bounds, and offer the ways to log in."""
    front = front_of(request)
    if log_ins_of(request).is_refusal_noted(who_tries(request)):
        now = front.clock()
        await to_thread.run_sync(lambda: logging_in.note_refusal(front.house, way, why, now))
    return asking_page(request, wanted=wanted_of(request), problem=problem, status_code=status_code)


def too_often(request: Request) -> Response:
    """Refuse to look at one more log-in of a client that was refused again and again."""
    problem = "Too many log-ins failed from where you are; wait an hour."
    return asking_page(request, wanted=wanted_of(request), problem=problem, status_code=429)


def log_ins_of(request: Request) -> LogIns:
    """Find the counts of log-ins."""
    counts: LogIns = request.app.state.log_ins
    return counts


def remember_wanted(request: Request, answer: Response, wanted: str) -> None:
    """Keep the page that was wanted while the browser is elsewhere."""
    set_cookie(request, answer, WANTED_COOKIE, quote(local_path(wanted), safe=""), ASKING_LIFETIME)


def wanted_of(request: Request) -> str:
    """Give the page that was wanted before the browser went elsewhere."""
    return local_path(unquote(read_cookie(request, WANTED_COOKIE)))
