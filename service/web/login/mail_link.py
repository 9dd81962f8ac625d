"""Logging employees in and out, by mailed links here, and the doors that let only them pass.

It reads and sets cookies; whose they are and what they allow is for `actions` to tell. A GET changes nothing but when
a session was used last.
"""

import re
from collections.abc import Callable, Coroutine, Mapping
from datetime import datetime
from functools import partial, wraps
from typing import Any, Final
from urllib.parse import quote

import structlog
from anyio import to_thread
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from service.actions import logging_in
from service.errors import NotFound, StoreUnavailable, TokenInvalid
from service.model import Employee
from service.web.cookies import forget_cookie, read_cookie, set_cookie
from service.web.front import Front, front_of, page
from service.web.login.letting_in import (
    ASKING_LIFETIME,
    BROWSER_COOKIE,
    KNOWN_LIFETIME,
    SECRET_ADDRESS,
    SESSION_COOKIE,
    START,
    arriving_of,
    asking_page,
    browser_key,
    let_in,
    local_path,
    log_ins_of,
    page_at_or_above,
    refused,
    remember_wanted,
    too_often,
    who_tries,
)

MOST_FIELDS: Final = 500
"""Of a form: one for each component that is ticked, and a few."""

_log = structlog.get_logger()
_ROW_ID: Final = re.compile(r"[0-9]{1,18}")
_PRIVATE: Final = {"cache-control": "no-store"}
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
            return _to_login(page_at_or_above(request, request.url.path.rpartition("/")[0]))
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


def show_asking(request: Request) -> Response:
    """Show the ways to log in, or the wanted page to whom is logged in already."""
    wanted = local_path(request.query_params.get("next", START))
    if employee_of(request) is not None:
        return RedirectResponse(page_at_or_above(request, wanted), 303, _PRIVATE)
    return asking_page(request, wanted=wanted)


async def ask_for_link(request: Request) -> Response:
    """Have a link mailed; the answer is the same whether the address is known or not."""
    form = await read_form(request)
    email, wanted = form.get("email", "").strip()[:320], local_path(form.get("next", START))
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
    browser, now = browser_key(request), front.clock()
    minutes = int(logging_in.LINK_LIFETIME.total_seconds()) // 60
    answer = page(
        request,
        "login/sent.html",
        headers=SECRET_ADDRESS,
        email=email,
        whose=whose,
        wanted=local_path(wanted),
        minutes=minutes,
        most=logging_in.MOST_LINKS_AN_HOUR,
    )
    lifetime = KNOWN_LIFETIME if "." in browser else ASKING_LIFETIME
    set_cookie(request, answer, BROWSER_COOKIE, browser, lifetime)
    remember_wanted(request, answer, wanted)
    # after the answer, which would otherwise tell by the time that it takes who is an employee
    answer.background = BackgroundTask(_mail_to, front, email, browser, now)
    return answer


async def _mail_to(front: Front, email: str, browser: str, now: datetime) -> None:
    ask = partial(logging_in.request_link, front.house, email, browser=browser, now=now)
    try:
        await to_thread.run_sync(ask)
    except StoreUnavailable as fault:
        _log.warning("login: a link could not be mailed", error=str(fault))
        return
    front.wake()


def show_link(request: Request) -> Response:
    """Show a button and change nothing: mail scanners open every link."""
    return page(request, "login/link.html", headers=SECRET_ADDRESS)


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
