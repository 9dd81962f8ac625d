"""/healthz and /readyz: whether the process lives, and whether it can do its work."""

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from service.errors import StoreUnavailable
from service.store import inbox_rows
from service.web.front import front_of


async def is_alive(_request: Request) -> Response:
    """Say that the process answers."""
    return PlainTextResponse("ok\n")


def is_ready(request: Request) -> Response:
    """Say whether the database can be used, and what waits in the inbox."""
    try:
        with front_of(request).house.store.reading() as connection:
            pending = inbox_rows.count_pending(connection)
    except StoreUnavailable as error:
        return JSONResponse({"ready": False, "reasons": [str(error)]}, 503)
    return JSONResponse({"ready": True, "reasons": [], "inbox_pending": pending})


routes = [Route("/healthz", is_alive), Route("/readyz", is_ready)]
