"""The clock of an event loop, which the test moves: what waits for minutes is over at once."""

import asyncio

import pytest

ROUNDS = 50
"""Of the loop: enough for what the kernel holds ready to be read, understood and answered."""


class LoopClock:
    """Moves the time by which the running loop's time-outs go; real time goes on as well."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        loop = asyncio.get_running_loop()
        tell, self._passed = loop.time, 0.0
        monkeypatch.setattr(loop, "time", lambda: tell() + self._passed)

    async def move(self, seconds: float) -> None:
        """Let whoever is to begin waiting do so, then so much time pass, and who waited for that go on."""
        await _let_run()
        self._passed += seconds
        await _let_run()


async def _let_run() -> None:
    for _ in range(ROUNDS):
        await asyncio.sleep(0)
