"""Logging employees in and out by mailed links, and the doors that let only them pass.

It reads and sets cookies; whose they are and what they allow is for `actions` to tell. A GET changes nothing.
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
from service.errors import NotFound, TokenInvalid
from service.model import Employee
from service.web.front import front_of, page

SESSION_COOKIE: Final = "replycast_session"
BROWSER_COOKIE: Final = "replycast_browser"
"""Binds a link to the browser that asked for it, so that a link which is passed on or read opens nothing."""
WANTED_COOKIE: Final = "replycast_wanted"
"""The page that was asked for before logging in; the link in the mail does not know it."""
ASKING_LIFETIME: Final = timedelta(minutes=20)
KNOWN_LIFETIME: Final = timedelta(days=365)
"""How long a browser is known as one in which an employee logged in; it opens nothing by that."""
MOST_FIELDS: Final = 20

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
    key = request.cookies.get(SESSION_COOKIE, "")
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
    """Show the form that asks for a link, or the wanted page to whom is logged in already."""
    wanted = local_path(request.query_params.get("next", _START))
    if employee_of(request) is not None:
        return RedirectResponse(wanted, 303, _PRIVATE)
    return page(request, "login/ask.html", headers=_PRIVATE, wanted=wanted, problem="")


async def ask_for_link(request: Request) -> Response:
    """Have a link mailed; the answer is the same whether the address is known or not."""
    form = await read_form(request)
    email, wanted = form.get("email", "").strip()[:320], local_path(form.get("next", _START))
    if "@" not in email:
        problem = "Enter the e-mail address that config.yaml has for you."
        return page(
            request, "login/ask.html", status_code=422, headers=_PRIVATE, wanted=wanted, problem=problem
        )
    return await mail_login_link(request, email, wanted=wanted)


async def mail_login_link(request: Request, email: str, *, wanted: str, whose: str = "") -> Response:
    """Have a link mailed that leads to a page of this site; the answer names `whose` it is."""
    front = front_of(request)
    browser = request.cookies.get(BROWSER_COOKIE, "")
    if _KEY.fullmatch(browser) is None:
        browser = secrets.token_urlsafe(32)
    now = front.clock()
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
    _set_cookie(
        request, answer, BROWSER_COOKIE, browser, KNOWN_LIFETIME if "." in browser else ASKING_LIFETIME
    )
    _set_cookie(request, answer, WANTED_COOKIE, quote(local_path(wanted), safe=""), ASKING_LIFETIME)
    return answer


def show_link(request: Request) -> Response:
    """Show a button and change nothing: mail scanners open every link."""
    return page(request, "login/link.html", headers=_SECRET_ADDRESS)


async def use_link(request: Request) -> Response:
    """Log in and go to the page that was wanted; where the link does not work, say why and offer a new one."""
    front = front_of(request)
    wanted = local_path(unquote(request.cookies.get(WANTED_COOKIE, "")))
    token, session_key = request.path_params["token"], secrets.token_urlsafe(32)
    browser, now = request.cookies.get(BROWSER_COOKIE, ""), front.clock()
    try:
        employee = await to_thread.run_sync(
            lambda: logging_in.log_in(front.house, token, browser=browser, session_key=session_key, now=now)
        )
    except TokenInvalid as error:
        problem = f"{str(error)[:1].upper()}{str(error)[1:]}."
        return page(
            request,
            "login/ask.html",
            status_code=410,
            headers=_SECRET_ADDRESS,
            wanted=wanted,
            problem=problem,
        )
    await to_thread.run_sync(_end_session, request)
    answer = RedirectResponse(wanted, 303, _SECRET_ADDRESS)
    _set_cookie(request, answer, SESSION_COOKIE, session_key, logging_in.SESSION_LIFETIME)
    known = logging_in.mark_known(front.house, employee, browser)
    _set_cookie(request, answer, BROWSER_COOKIE, known, KNOWN_LIFETIME)
    _forget_cookie(request, answer, WANTED_COOKIE)
    return answer


def leave(request: Request) -> Response:
    """Log out."""
    _end_session(request)
    answer = RedirectResponse("/login", 303, _PRIVATE)
    _forget_cookie(request, answer, SESSION_COOKIE)
    return answer


def _end_session(request: Request) -> None:
    key = request.cookies.get(SESSION_COOKIE, "")
    if key:
        logging_in.log_out(front_of(request).house, key)


def _to_login(wanted: str) -> Response:
    return RedirectResponse(f"/login?next={quote(wanted, safe='/')}", 303, _PRIVATE)


def _set_cookie(request: Request, answer: Response, name: str, value: str, lifetime: timedelta) -> None:
    # Lax, not Strict: the first page is opened by a link in a mail program
    answer.set_cookie(
        name,
        value,
        max_age=int(lifetime.total_seconds()),
        secure=front_of(request).is_https,
        httponly=True,
        samesite="lax",
    )


def _forget_cookie(request: Request, answer: Response, name: str) -> None:
    answer.delete_cookie(name, secure=front_of(request).is_https, httponly=True, samesite="lax")


routes = [
    Route("/login", show_asking),
    Route("/login", ask_for_link, methods=["POST"]),
    Route("/login/{token}", show_link),
    Route("/login/{token}", use_link, methods=["POST"]),
    Route("/logout", leave, methods=["POST"]),
]
