"""The browsers in which somebody is logged in, as employees see them and log them out from afar."""

from collections.abc import Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from service.actions import ending_sessions
from service.actions.ending_sessions import MOST_SHOWN
from service.actions.logging_in import IDLE_END, SESSION_LIFETIME, hash_key
from service.model import Employee, Role
from service.web.cookies import read_cookie
from service.web.front import front_of, page
from service.web.login.browser_words import UNNAMED, browser_in_words
from service.web.login.letting_in import SESSION_COOKIE
from service.web.login.mail_link import ordered_by_employees, shown_to_employees

WAYS: Final[Mapping[str, str]] = {"mail": "by a mailed link", "oidc": "by single sign-on"}
SAID: Final[Mapping[str, str]] = {
    "revoked": "That browser is logged out.",
    "others": "All your other browsers are logged out.",
}
_HERE: Final = "/dashboard/sessions"


@shown_to_employees
def show_sessions(request: Request, employee: Employee) -> Response:
    """Show one's own sessions; an admin may look at everybody's."""
    front = front_of(request)
    of_all = employee.role is Role.ADMIN and "all" in request.query_params
    found = ending_sessions.list_sessions(front.house, employee, front.clock(), of_all=of_all)
    return page(
        request,
        "dashboard/sessions.html",
        employee=employee,
        here="sessions",
        sessions=found,
        this_one=hash_key(read_cookie(request, SESSION_COOKIE)),
        of_all=of_all,
        name_of=front.house.name_of,
        ways=WAYS,
        browser_in_words=browser_in_words,
        unnamed=UNNAMED,
        said=SAID.get(request.query_params.get("said", ""), ""),
        days_idle=IDLE_END.days,
        days=SESSION_LIFETIME.days,
        most=MOST_SHOWN,
    )


@ordered_by_employees
def revoke(request: Request, employee: Employee, form: Mapping[str, str]) -> Response:
    """Log one browser out."""
    front, name = front_of(request), str(request.path_params["name"])
    ended = ending_sessions.revoke(front.house, name, employee, front.clock())
    if ended.hash == hash_key(read_cookie(request, SESSION_COOKIE)):
        return RedirectResponse("/login", 303)
    return RedirectResponse(f"{_HERE}?{'all&' if form.get('all') else ''}said=revoked", 303)


@ordered_by_employees
def revoke_others(request: Request, employee: Employee, _form: Mapping[str, str]) -> Response:
    """Log all of one's browsers out but this one."""
    front = front_of(request)
    ending_sessions.revoke_others(front.house, read_cookie(request, SESSION_COOKIE), employee, front.clock())
    return RedirectResponse(f"{_HERE}?said=others", 303)


routes = [
    Route(_HERE, show_sessions),
    Route(f"{_HERE}/others/revoke", revoke_others, methods=["POST"]),
    Route(f"{_HERE}/{{name}}/revoke", revoke, methods=["POST"]),
]
