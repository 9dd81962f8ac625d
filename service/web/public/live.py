"""/events: tells whoever watches the status page when it has changed, as server-sent events. It sends no content.

Only the version of the page goes out, so that a browser fetches a page that it has not got, and no other.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final, cast

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Send

from service.web.public.pages import PublicPages

MOST_WATCHING: Final = 2_000
HEARTBEAT: Final = 15.0
"""Seconds of silence after which a comment shows proxies that the connection lives."""
COME_BACK: Final = "30"
"""Seconds after which whoever found no place may ask again."""
HEADERS: Final = {"cache-control": "no-store", "x-accel-buffering": "no"}


async def show_events(request: Request) -> Response:
    """Stream the page's version now and at each change."""
    pages: PublicPages = request.app.state.public_pages
    if pages.watching >= MOST_WATCHING:
        said = "Too many watch at the moment; the page itself is always up to date.\n"
        return PlainTextResponse(said, 503, headers={"retry-after": COME_BACK, "cache-control": "no-store"})
    await pages.refresh()
    return _EventStream(_events(pages), media_type="text/event-stream", headers=HEADERS)


class _EventStream(StreamingResponse):
    """A stream whose place is free again as soon as its reader has left."""

    async def stream_response(self, send: Send) -> None:
        async with aclosing(cast("AsyncGenerator[str]", self.body_iterator)):
            await super().stream_response(send)


async def _events(pages: PublicPages) -> AsyncGenerator[str]:
    async with aclosing(pages.watch(heartbeat=HEARTBEAT)) as versions:
        async for version in versions:
            yield f"event: version\ndata: {version}\n\n" if version else ": still here\n\n"


routes = [Route("/events", show_events)]
