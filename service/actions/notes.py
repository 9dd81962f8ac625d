"""Who is told of what came about, for logs and metrics: ports, and nobody where none is given.

What is called takes microseconds and raises nothing, for it is called within transactions.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta

from service.workflow import Decision


def _nobody(*_: object) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Work:
    """A piece of work that is done by itself: an arrival that is worked off, or a timer that is due."""

    of: str
    """The door of the arrival, or whose timer it is."""
    id: int
    """The inbox id, or that of whose timer it is."""
    is_arrival: bool
    provider: str = ""


@dataclass(frozen=True, slots=True)
class Notes:
    """The ports."""

    decided: Callable[[Decision], None] = _nobody
    """Of each decision that is carried out."""
    took_alert: Callable[[str, str], None] = _nobody
    """Of each alert: the provider, and the reason why it had the effect that it had."""
    took_mail: Callable[[str], None] = _nobody
    """Of each mail that was worked off: the reason."""
    waited: Callable[[str, timedelta], None] = _nobody
    """Of each arrival that is being worked off: its door, and how long it had waited."""
    traced: Callable[[Work], AbstractContextManager[object]] | None = None
    """Gives what a piece of work is done within; None: nobody traces, and nothing is spent on it."""
