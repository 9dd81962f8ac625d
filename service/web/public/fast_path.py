"""Answers requests for the pages that are ready, before anything else looks at them. It never reads the database."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from service.errors import NotFound
from service.web.public.pages import PublicPages


class FastFirst(Starlette):
    """An application that looks at the pages that are ready before anything else; what is not goes its usual way."""

    pages: PublicPages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer at once, or pass the request on."""
        if scope["type"] == "http":
            pages, path, method = self.pages, scope["path"], scope["method"]
            if path in pages.prepared and method in {"GET", "HEAD"}:
                if not pages.is_fresh():
                    await pages.refresh()
                prepared = pages.prepared.get(path)
                if prepared is not None:
                    start, body = prepared.answer(method, scope["headers"])
                    await send(start)
                    await send({"type": "http.response.body", "body": body})
                    return
        await super().__call__(scope, receive, send)


async def show_prepared(request: Request) -> Response:
    """Show what stands at this path: for the first request of all, which comes before anything is ready.

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
