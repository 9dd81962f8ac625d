"""Who is told of what came about, for logs and metrics: ports, and nobody where none is given.

What is called takes microseconds and raises nothing, for it is called within transactions.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from service.workflow import Decision


def _nobody(*_: object) -> None:
    pass


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
