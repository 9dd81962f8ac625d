"""One exchange with an OAuth server: a form is posted, and status and body come back, within bounds of time and size.

Understands nothing of either. To be called from a thread, not from an event loop.
"""

from collections.abc import Mapping
from typing import Final

import anyio
import httpx2

TIMEOUT: Final = 10.0
"""Seconds for the connection, and again for each piece of the answer."""
WHOLE_PATIENCE: Final = 30.0
"""Seconds for all of it: a server that gives a byte now and then would hold up whoever waits for the token for ever."""
ANSWER_LIMIT: Final = 64 * 1024


def exchange(url: str, form: Mapping[str, str]) -> tuple[int, bytes]:
    """Post a form; gives the status and the body, an empty one where it is too long.

    Raises httpx2.HTTPError, httpx2.InvalidURL, OSError (TimeoutError is one) and ValueError.
    """
    # an event loop of its own, since nothing but cancelling ends a header that drips in
    return anyio.run(_post, url, form)


async def _post(url: str, form: Mapping[str, str]) -> tuple[int, bytes]:
    try:
        with anyio.fail_after(WHOLE_PATIENCE):
            async with (
                httpx2.AsyncClient(timeout=TIMEOUT) as client,
                client.stream(
                    "POST", url, data=dict(form), headers={"Accept": "application/json"}
                ) as response,
            ):
                body = b""
                async for chunk in response.aiter_bytes():
                    body += chunk
                    if len(body) > ANSWER_LIMIT:
                        return response.status_code, b""
                return response.status_code, body
    except (TimeoutError, httpx2.TimeoutException):
        raise TimeoutError("timed out") from None
