"""The API's tokens, as admins see, make and revoke them. A secret is shown once, to whoever made the token.

Between the form and the page that shows it, the secret lies in a cookie of that browser and nowhere here.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from service.actions import api_tokens
from service.actions.api_tokens import LONGEST_NAME, Scope, TokenUnusable
from service.errors import NotFound
from service.model import Employee
from service.store import audit
from service.web.cookies import forget_cookie, read_cookie, set_cookie
from service.web.front import front_of, page
from service.web.login.mail_link import ordered_by_employees, row_id, shown_to_employees

NEW_COOKIE: Final = "replycast_new_token"
SHOWN_WITHIN: Final = timedelta(minutes=1)
MOST_SHOWN: Final = 200
SCOPES: Final[Mapping[Scope, str]] = {
    Scope.INCIDENTS_READ: "read incidents, published or not",
    Scope.INCIDENTS_WRITE: "publish, discard, hold, edit, update, correct and close incidents",
    Scope.MAINTENANCE_READ: "read planned work",
    Scope.MAINTENANCE_WRITE: "plan, begin, end, extend and call off planned work",
    Scope.SUBSCRIBERS_READ: "list, search and export subscribers",
    Scope.SUBSCRIBERS_WRITE: "import, add and forget subscribers, and read the keys of webhooks",
    Scope.MONITORS_READ: "read the monitors of config.yaml, and simulate",
    Scope.INBOX_READ: "look at what arrived",
    Scope.INBOX_WRITE: "replay posts that arrived, for real or dry",
    Scope.CONFIG_RELOAD: "have config.yaml read anew and put in force",
}
ENDS: Final[Mapping[str, timedelta | None]] = {
    "in 30 days": timedelta(days=30),
    "in 90 days": timedelta(days=90),
    "in a year": timedelta(days=365),
    "never": None,
}
SAID: Final[Mapping[str, str]] = {"revoked": "The token opens nothing any more."}
_HERE: Final = "/dashboard/tokens"


@shown_to_employees
def show_tokens(request: Request, employee: Employee) -> Response:
    """Show all tokens, the newest first, and the secret of one that this browser has made just now."""
    front, secret = front_of(request), read_cookie(request, NEW_COOKIE)
    made = api_tokens.find_new(front.house, secret, employee, front.clock()) if secret else None
    answer = _list(request, employee, made=made.name if made else "", secret=secret if made else "")
    if secret:
        forget_cookie(request, answer, NEW_COOKIE)
    return answer


def _list(
    request: Request,
    employee: Employee,
    *,
    made: str = "",
    secret: str = "",
    problems: Mapping[str, str] | None = None,
    typed: Mapping[str, str] | None = None,
) -> Response:
    front = front_of(request)
    tokens = api_tokens.list_all(front.house, employee)
    return page(
        request,
        "dashboard/tokens.html",
        status_code=422 if problems else 200,
        employee=employee,
        here="tokens",
        tokens=tokens[:MOST_SHOWN],
        most=MOST_SHOWN,
        now=front.clock(),
        name_of=lambda by: "the command line" if by == audit.COMMAND_LINE else front.house.name_of(by),
        made=made,
        secret=secret,
        scopes=SCOPES,
        ends=ENDS,
        longest_name=LONGEST_NAME,
        problems=problems or {},
        typed=typed or {},
        said=SAID.get(request.query_params.get("said", ""), ""),
    )


@ordered_by_employees
def make(request: Request, employee: Employee, form: Mapping[str, str]) -> Response:
    """Make a token, and lead to the page that shows its secret once."""
    front, name = front_of(request), " ".join(form.get("name", "").split())
    scopes = [scope for scope in Scope if form.get(f"scope:{scope}")]
    span = ENDS.get(form.get("ends", ""), ENDS["in 90 days"])
    expires_at = None if span is None else front.clock() + span
    try:
        made = api_tokens.create(front.house, name, scopes, employee, front.clock(), expires_at=expires_at)
    except TokenUnusable as error:
        said = f"{str(error)[:1].upper()}{str(error)[1:]}."
        about = "scopes" if not scopes and api_tokens.is_name(name) else "name"
        return _list(request, employee, problems={about: said}, typed=form)
    answer = RedirectResponse(_HERE, 303)
    set_cookie(request, answer, NEW_COOKIE, made.secret, SHOWN_WITHIN)
    return answer


@ordered_by_employees
def revoke(request: Request, employee: Employee, _form: Mapping[str, str]) -> Response:
    """Let a token open nothing from now on."""
    front, number = front_of(request), row_id(request)
    found = [one for one in api_tokens.list_all(front.house, employee) if one.id == number]
    if not found or not found[0].is_alive(front.clock()):
        raise NotFound("This token opens nothing any more.")
    api_tokens.revoke(front.house, found[0].name, employee, front.clock())
    return RedirectResponse(f"{_HERE}?said=revoked", 303)


routes = [
    Route(_HERE, show_tokens),
    Route(_HERE, make, methods=["POST"]),
    Route(f"{_HERE}/{{id}}/revoke", revoke, methods=["POST"]),
]
