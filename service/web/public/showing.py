"""Shows a page that is ready by way of the routes: for the first request of all, which comes before anything is."""

from starlette.requests import Request
from starlette.responses import Response

from service.errors import NotFound
from service.web.public.pages import PublicPages  # noqa: TC001  as in the other modules of this wing


async def show_prepared(request: Request) -> Response:
    """Show what stands at this path.

    Raises StoreUnavailable where the database cannot be read, and NotFound.
    """
    pages: PublicPages = request.app.state.public_pages
    await pages.refresh()
    prepared = pages.prepared.get(request.url.path)
    if prepared is None:
        raise NotFound("There is nothing at this address.")
    start, body = prepared.answer(request.method, request.headers.raw)
    answer = Response(body, status_code=start["status"])
    answer.raw_headers = list(start["headers"])
    return answer
