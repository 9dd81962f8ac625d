"""Logging employees in and out, by mailed links here, and the doors that let only them pass.

It reads and sets cookies; whose they are and what they allow is for `actions` to tell. A GET changes nothing but when
a session was used last.
"""

import re
import secrets
from collections.abc import Callable, Coroutine, Mapping
from datetime import timedelta
from functools import wraps
from typing import Any, Final
from urllib.parse import quote, unquote

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from service.actions import logging_in
from service.actions.logging_in import Arriving
from service.errors import NotFound, TokenInvalid
from service.model import Employee
from service.web.cookies import forget_cookie, read_cookie, set_cookie
from service.web.front import front_of, page
from service.web.login_rates import LogIns
from service.web.rates import client_of

SESSION_COOKIE: Final = "replycast_session"
BROWSER_COOKIE: Final = "replycast_browser"
"""Binds a link to the browser that asked for it, so that a link which is passed on or read opens nothing."""
WANTED_COOKIE: Final = "replycast_wanted"
"""The page that was asked for before logging in; the link in the mail does not know it."""
ASKING_LIFETIME: Final = timedelta(minutes=20)
KNOWN_LIFETIME: Final = timedelta(days=365)
"""How long a browser is known as one in which an employee logged in; it opens nothing by that."""
MOST_FIELDS: Final = 500
"""Of a form: one for each component that is ticked, and a few."""

_START: Final = "/dashboard"
_KEY: Final = re.compile(r"[A-Za-z0-9_-]{43}(\.[0-9a-f]{64})?")
_LOCAL_PATH: Final = re.compile(r"/(?![/\\])[!-\[\]-~]{0,500}")
_ROW_ID: Final = re.compile(r"[0-9]{1,18}")
_PRIVATE: Final = {"cache-control": "no-store"}
# not `no-referrer`: with it a browser sends `Origin: null` with the form, and over plain http that is all
# that SameOriginOnly has to go by; either way the token in the address is told to nobody
_SECRET_ADDRESS: Final = {**_PRIVATE, "referrer-policy": "strict-origin"}

View = Callable[[Request, Employee], Response]
Order = Callable[[Request, Employee, Mapping[str, str]], Response]


def employee_of(request: Request) -> Employee | None:
    """Find who is logged in in the browser that sends this request."""
    front = front_of(request)
    key = read_cookie(request, SESSION_COOKIE)
    return logging_in.find_employee(front.house, key, front.clock()) if key else None


def shown_to_employees(view: View) -> Callable[[Request], Response]:
    """Let only those who are logged in see a page; others come to it by way of /login."""

    @wraps(view)
    def endpoint(request: Request) -> Response:
        employee = employee_of(request)
        if employee is None:
            query = f"?{request.url.query}" if request.url.query else ""
            return _to_login(request.url.path + query)
        response = view(request, employee)
        response.headers.setdefault("cache-control", "no-store")
        return response

    return endpoint


def ordered_by_employees(order: Order) -> Callable[[Request], Coroutine[Any, Any, Response]]:
    """Let only those who are logged in order something, in a thread; whether they may is for the order."""

    @wraps(order)
    async def endpoint(request: Request) -> Response:
        employee = await to_thread.run_sync(employee_of, request)
        if employee is None:
            return _to_login(request.url.path.rpartition("/")[0])
        form = await read_form(request)
        response = await to_thread.run_sync(order, request, employee, form)
        # here, not in the thread: what it sets belongs to the event loop
        front_of(request).wake()
        response.headers.setdefault("cache-control", "no-store")
        return response

    return endpoint


async def read_form(request: Request) -> dict[str, str]:
    """Read the text fields of a form, line ends as line feeds; files and endless lists of fields are refused."""
    form = await request.form(max_files=0, max_fields=MOST_FIELDS)
    return {
        name: value.replace("\r\n", "\n").replace("\r", "\n")
        for name, value in form.items()
        if isinstance(value, str)
    }


def row_id(request: Request, name: str = "id") -> int:
    """Read a row's number from the path; raises NotFound for what no database could number."""
    text = str(request.path_params[name])
    if _ROW_ID.fullmatch(text) is None:
        raise NotFound("There is nothing at this address.")
    return int(text)


def before_id(request: Request) -> int | None:
    """Read from `?before=` where the next page begins; None: at the newest, as for anything unreadable."""
    text = request.query_params.get("before", "")
    return int(text) if _ROW_ID.fullmatch(text) else None


def local_path(wanted: str) -> str:
    """Give the path if it is one of this site, else the dashboard's: a link must not lead people elsewhere."""
    return wanted if _LOCAL_PATH.fullmatch(wanted) else _START


def show_asking(request: Request) -> Response:
    """Show the ways to log in, or the wanted page to whom is logged in already."""
    wanted = local_path(request.query_params.get("next", _START))
    if employee_of(request) is not None:
        return RedirectResponse(wanted, 303, _PRIVATE)
    return asking_page(request, wanted=wanted)


def asking_page(request: Request, *, wanted: str, problem: str = "", status_code: int = 200) -> Response:
    """Show the ways to log in, and why the last one did not."""
    login = front_of(request).house.config.login
    return page(
        request,
        "login/ask.html",
        status_code=status_code,
        headers=_SECRET_ADDRESS,
        wanted=wanted,
        problem=problem,
        mail_link=login.mail_link,
        provider=login.oidc.name if login.oidc else "",
    )


async def ask_for_link(request: Request) -> Response:
    """Have a link mailed; the answer is the same whether the address is known or not."""
    form = await read_form(request)
    email, wanted = form.get("email", "").strip()[:320], local_path(form.get("next", _START))
    if "@" not in email and front_of(request).house.config.login.mail_link:
        problem = "Enter the e-mail address that config.yaml has for you."
        return asking_page(request, wanted=wanted, problem=problem, status_code=422)
    return await mail_login_link(request, email, wanted=wanted)


async def mail_login_link(request: Request, email: str, *, wanted: str, whose: str = "") -> Response:
    """Have a link mailed that leads to a page of this site; the answer names `whose` it is.

    Where config.yaml wants no such links, the answer leads to the other way to log in.
    """
    front = front_of(request)
    if not front.house.config.login.mail_link:
        return _to_login(local_path(wanted))
    browser, now = _browser_key(request), front.clock()
    await to_thread.run_sync(lambda: logging_in.request_link(front.house, email, browser=browser, now=now))
    front.wake()
    minutes = int(logging_in.LINK_LIFETIME.total_seconds()) // 60
    answer = page(
        request,
        "login/sent.html",
        headers=_SECRET_ADDRESS,
        email=email,
        whose=whose,
        wanted=local_path(wanted),
        minutes=minutes,
        most=logging_in.MOST_LINKS_AN_HOUR,
    )
    lifetime = KNOWN_LIFETIME if "." in browser else ASKING_LIFETIME
    set_cookie(request, answer, BROWSER_COOKIE, browser, lifetime)
    remember_wanted(request, answer, wanted)
    return answer


def show_link(request: Request) -> Response:
    """Show a button and change nothing: mail scanners open every link."""
    return page(request, "login/link.html", headers=_SECRET_ADDRESS)


async def use_link(request: Request) -> Response:
    """Log in and go to the page that was wanted; where the link does not work, say why and offer a new one."""
    front = front_of(request)
    if log_ins_of(request).were_refused_too_often(who_tries(request)):
        return too_often(request)
    token, arriving = request.path_params["token"], arriving_of(request)
    browser, now = read_cookie(request, BROWSER_COOKIE), front.clock()
    try:
        employee = await to_thread.run_sync(
            lambda: logging_in.log_in(front.house, token, arriving, browser=browser, now=now)
        )
    except TokenInvalid as error:
        problem = f"{str(error)[:1].upper()}{str(error)[1:]}."
        return await refused(request, "mail", str(error), problem=problem, status_code=410)
    return let_in(request, arriving, employee)


def arriving_of(request: Request) -> Arriving:
    """Give the browser that is about to be logged in, under a fresh key."""
    return Arriving(
        session_key=secrets.token_urlsafe(32),
        browser=request.headers.get("user-agent", ""),
        instead_of=read_cookie(request, SESSION_COOKIE),
    )


def let_in(request: Request, arriving: Arriving, employee: Employee) -> Response:
    """Give the browser its session, and lead it to the page that was wanted."""
    answer = RedirectResponse(_wanted(request), 303, _SECRET_ADDRESS)
    set_cookie(request, answer, SESSION_COOKIE, arriving.session_key, logging_in.SESSION_LIFETIME)
    known = logging_in.mark_known(front_of(request).house, employee, _browser_key(request))
    set_cookie(request, answer, BROWSER_COOKIE, known, KNOWN_LIFETIME)
    forget_cookie(request, answer, WANTED_COOKIE)
    return answer


def _browser_key(request: Request) -> str:
    """Give the key that the browser holds, or a new one in the place of what is none."""
    held = read_cookie(request, BROWSER_COOKIE)
    return held if _KEY.fullmatch(held) else secrets.token_urlsafe(32)


def who_tries(request: Request) -> str:
    """Name who tries to log in, for counting: a browser that is known, else the client's address."""
    held = _browser_key(request)
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
    return asking_page(request, wanted=_wanted(request), problem=problem, status_code=status_code)


def too_often(request: Request) -> Response:
    """Refuse to look at one more log-in of a client that was refused again and again."""
    problem = "Too many log-ins failed from where you are; wait an hour."
    return asking_page(request, wanted=_wanted(request), problem=problem, status_code=429)


def log_ins_of(request: Request) -> LogIns:
    """Find the counts of log-ins."""
    counts: LogIns = request.app.state.log_ins
    return counts


def remember_wanted(request: Request, answer: Response, wanted: str) -> None:
    """Keep the page that was wanted while the browser is elsewhere."""
    set_cookie(request, answer, WANTED_COOKIE, quote(local_path(wanted), safe=""), ASKING_LIFETIME)


def _wanted(request: Request) -> str:
    return local_path(unquote(read_cookie(request, WANTED_COOKIE)))


def leave(request: Request) -> Response:
    """Log out."""
    front, key = front_of(request), read_cookie(request, SESSION_COOKIE)
    if key:
        logging_in.log_out(front.house, key, front.clock())
    answer = RedirectResponse("/login", 303, _PRIVATE)
    forget_cookie(request, answer, SESSION_COOKIE)
    return answer


def _to_login(wanted: str) -> Response:
    return RedirectResponse(f"/login?next={quote(wanted, safe='/')}", 303, _PRIVATE)


routes = [
    Route("/login", show_asking),
    Route("/login", ask_for_link, methods=["POST"]),
    Route("/login/{token}", show_link),
    Route("/login/{token}", use_link, methods=["POST"]),
    Route("/logout", leave, methods=["POST"]),
]
