"""/events: tells whoever watches the status page when it has changed, as server-sent events. It sends no content.

Only the version of the page goes out, so that a browser fetches a page that it has not got, and no other.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from service.web.event_stream import COME_BACK, HEARTBEAT, EventStream
from service.web.public.pages import PublicPages

MOST_WATCHING: Final = 2_000


async def show_events(request: Request) -> Response:
    """Stream the page's version now and at each change."""
    pages: PublicPages = request.app.state.public_pages
    if pages.watching >= MOST_WATCHING:
        said = "Too many watch at the moment; the page itself is always up to date.\n"
        return PlainTextResponse(said, 503, headers={"retry-after": COME_BACK, "cache-control": "no-store"})
    await pages.refresh()
    return EventStream(_events(pages))


async def _events(pages: PublicPages) -> AsyncGenerator[str]:
    async with aclosing(pages.watch(heartbeat=HEARTBEAT)) as versions:
        async for version in versions:
            yield f"event: version\ndata: {version}\n\n" if version else ": still here\n\n"


routes = [Route("/events", show_events)]
