"""Server-sent events as an answer, for the wings that tell browsers of changes. What they tell is theirs."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final, cast

from starlette.responses import StreamingResponse
from starlette.types import Send

HEARTBEAT: Final = 15.0
"""Seconds of silence after which a comment shows proxies that the connection lives."""
COME_BACK: Final = "30"
"""Seconds after which whoever found no place may ask again."""
_HEADERS: Final = {"cache-control": "no-store", "x-accel-buffering": "no"}


class EventStream(StreamingResponse):
    """A stream whose place is free again as soon as its reader has left."""

    def __init__(self, events: AsyncGenerator[str]) -> None:
        super().__init__(events, media_type="text/event-stream", headers=_HEADERS)

    async def stream_response(self, send: Send) -> None:
        """Send until there is no more, or until nobody reads."""
        async with aclosing(cast("AsyncGenerator[str]", self.body_iterator)):
            await super().stream_response(send)
