"""The page behind the link in a notification: GET shows what would be published, POST decides.

Mail scanners open every link, so that a GET or HEAD changes nothing. Who may decide here is for `actions` to tell;
whoever must log in first is mailed a link at the registered address, and comes back to this page by it.
"""

from typing import Final

from anyio.to_thread import run_sync
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from service.actions.linking import Admission, LinkOrder, act_by_link, explain_admission, look_at_link
from service.errors import NotAllowed, NotFound
from service.web.front import front_of, page
from service.web.login.mail_link import employee_of, mail_login_link
from service.web.public.freshness import FOR_THE_HOLDER

_ORDERS: Final = {order.value: order for order in LinkOrder}
_LOG_IN: Final = "log_in"


def show(request: Request) -> Response:
    """Show what the link is about, with the buttons that decide or with the way to get them."""
    return _shown(request)


async def decide(request: Request) -> Response:
    """Publish or discard, or have a log-in link mailed to whom this link was sent to."""
    form = await request.form(max_files=0, max_fields=5)
    wanted = str(form.get("order", ""))
    if wanted == _LOG_IN:
        return await _log_in(request)
    if wanted not in _ORDERS:
        raise NotFound("The form did not say what to do; open the link again.")
    try:
        said = await run_sync(_act, request, _ORDERS[wanted])
    except NotAllowed as error:
        problem = str(error)
        return await run_sync(lambda: _shown(request, problem=problem, status_code=403))
    front_of(request).wake()
    return await run_sync(lambda: _shown(request, said=said))


def _act(request: Request, order: LinkOrder) -> str:
    front, token = front_of(request), request.path_params["token"]
    return act_by_link(front.house, token, order, front.clock(), by=employee_of(request))


async def _log_in(request: Request) -> Response:
    front, token = front_of(request), request.path_params["token"]
    view = await run_sync(lambda: look_at_link(front.house, token, front.clock(), by=employee_of(request)))
    if view.admission is not Admission.LOG_IN:
        return await run_sync(_shown, request)
    return await mail_login_link(
        request, view.employee.email, wanted=request.url.path, whose=view.employee.name
    )


def _shown(request: Request, *, said: str = "", problem: str = "", status_code: int = 200) -> Response:
    front, by = front_of(request), employee_of(request)
    view = look_at_link(front.house, request.path_params["token"], front.clock(), by=by)
    if view.is_open_to_decision and view.admission is not Admission.OPEN:
        problem = explain_admission(view.employee, by)
    return page(
        request,
        "links/decide.html",
        status_code=status_code,
        headers=dict(FOR_THE_HOLDER),
        view=view,
        said=said,
        problem=problem,
        by=by,
        believes_token_alone=front.house.believes_token_alone,
    )


routes = [
    Route("/act/{token}", show, methods=["GET"]),
    Route("/act/{token}", decide, methods=["POST"]),
]
