"""What may come of an attempt to send a delivery, and the port by which somebody is told of it."""

from collections.abc import Callable
from enum import StrEnum

from service.model import Delivery


class Outcome(StrEnum):
    """What came of an attempt."""

    SENT = "sent"
    DEFERRED = "deferred"
    """It is tried again."""
    FAILED = "failed"


Noted = Callable[[Delivery, Outcome], None]
"""Is told of each attempt once that is committed; takes microseconds and raises nothing."""


def nobody(delivery: Delivery, outcome: Outcome) -> None:
    """Be told, and do nothing: where nobody counts."""
    del delivery, outcome
