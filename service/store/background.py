"""Doing something again and again beside everything else, in a thread of its own."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

import structlog

_log = structlog.get_logger()


@contextmanager
def doing(name: str, do: Callable[[], None], *, each: float) -> Iterator[None]:
    """Do something each so many seconds until the block ends, whatever holds that up; a fault is logged.

    The end of the block waits for what is being done.
    """
    stop = Event()

    def go_on() -> None:
        while not stop.wait(each):
            try:
                do()
            except Exception:  # noqa: BLE001  the outermost loop: who stopped would be taken for dead
                _log.exception("background: it failed", what=name)

    thread = Thread(target=go_on, name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
