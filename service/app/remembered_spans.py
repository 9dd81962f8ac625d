"""What is kept between two spans: where what follows leads back to, and counts of what is too much for spans."""

import threading
from collections import Counter
from collections.abc import Iterator
from typing import Final

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext

from service.model import Delivery
from service.outbox.attempts import Outcome

REMEMBERED: Final = 10_000
"""Spans of a kind: some megabytes. What is older leads back to nothing, but still names its arrival or incident."""


class Remembered:
    """The latest spans by a number; the oldest are forgotten. For any thread."""

    def __init__(self) -> None:
        self._contexts: dict[int, SpanContext] = {}
        self._lock = threading.Lock()

    def keep(self, number: int, span: Span) -> None:
        """Remember a span, in place of the one before it."""
        with self._lock:
            self._contexts.pop(number, None)
            self._contexts[number] = span.get_span_context()
            if len(self._contexts) > REMEMBERED:
                del self._contexts[next(iter(self._contexts))]

    def get(self, number: int) -> SpanContext | None:
        """Give it; None where it is not known, as where another process had it."""
        return self._contexts.get(number)

    def within(self, number: int | None) -> Context | None:
        """Give what makes a new span its child; None where it is not known."""
        found = None if number is None else self.get(number)
        return None if found is None else trace.set_span_in_context(NonRecordingSpan(found))


class Tally:
    """What came of many deliveries, by incident; for any thread."""

    def __init__(self) -> None:
        self._counts: dict[int | None, Counter[Outcome]] = {}
        self._lock = threading.Lock()

    def count(self, delivery: Delivery, outcome: Outcome) -> None:
        """Count an attempt."""
        with self._lock:
            self._counts.setdefault(delivery.incident_id, Counter())[outcome] += 1

    def take(self) -> Iterator[tuple[int | None, Counter[Outcome]]]:
        """Give what was counted, and begin anew."""
        with self._lock:
            counts, self._counts = self._counts, {}
        yield from counts.items()
