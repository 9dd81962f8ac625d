"""Keeps to the rate that config.yaml allows, over all sessions and all who send side by side. It never sends."""

import asyncio
from collections.abc import Callable

LOOK_AGAIN = 0.25
"""Seconds after which who waits looks again: whether he is still to send, how long mails are under way."""


class Pace:
    """When it is whose turn; for one event loop. `seconds_a_mail` is the least time between two mails."""

    def __init__(self, seconds_a_mail: Callable[[], float]) -> None:
        self._seconds_a_mail = seconds_a_mail
        self._turn_at = 0.0

    async def has_turn(self, is_to_be_sent: Callable[[], bool]) -> bool:
        """Wait for a turn; False where it is not to be sent any more."""
        loop = asyncio.get_running_loop()
        turn_at = max(self._turn_at, loop.time())
        self._turn_at = turn_at + self._seconds_a_mail()
        while (left := turn_at - loop.time()) > 0 and is_to_be_sent():  # noqa: ASYNC110  threads end that
            await asyncio.sleep(min(left, LOOK_AGAIN))
        return is_to_be_sent()
