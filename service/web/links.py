"""The page behind the link in a notification: GET shows what would be published, POST decides.

Mail scanners open every link, so that a GET or HEAD changes nothing.
"""

from typing import Final

from anyio.to_thread import run_sync
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from service.actions.linking import LinkOrder, act_by_link, look_at_link
from service.errors import NotFound
from service.web.freshness import FOR_THE_HOLDER
from service.web.front import front_of, page

_ORDERS: Final = {order.value: order for order in LinkOrder}


def show(request: Request) -> Response:
    """Show what the link is about, with the buttons that decide."""
    return _shown(request, said="")


async def decide(request: Request) -> Response:
    """Publish or discard."""
    front, token = front_of(request), request.path_params["token"]
    form = await request.form(max_files=0, max_fields=5)
    order = _ORDERS.get(str(form.get("order", "")))
    if order is None:
        raise NotFound("The form did not say what to do; open the link again.")
    said = await run_sync(act_by_link, front.house, token, order, front.clock())
    front.wake()
    return await run_sync(lambda: _shown(request, said=said))


def _shown(request: Request, *, said: str) -> Response:
    front = front_of(request)
    view = look_at_link(front.house, request.path_params["token"], front.clock())
    return page(request, "links/decide.html", headers=dict(FOR_THE_HOLDER), view=view, said=said)


routes = [
    Route("/act/{token}", show, methods=["GET"]),
    Route("/act/{token}", decide, methods=["POST"]),
]
