"""Counts and times the answers to webhook posts.

The client library's own counters take longer than all else that is done for a post but the wait for the disk: a look-up
by labels and three locks. Only the loop writes here, and whoever collects takes a copy.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Final

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from service.web.gauges import Told

COUNT: Final = "replycast_webhooks_total"
SECONDS: Final = "replycast_webhook_duration_seconds"
_CODES: Final = (202, 400, 401, 404, 413, 503)
"""What posts are answered with."""


class AnswerTally(Collector):
    """The answers of one process, by provider and code, and how long they took.

    `bounds` are the upper ends of the buckets in seconds, which belong to them.
    """

    def __init__(self, told: Mapping[str, Told], bounds: Sequence[float]) -> None:
        self._told = told
        self._bounds = tuple(bounds)
        self._counts: dict[tuple[str, int], int] = {}
        self._buckets = [0] * (len(bounds) + 1)
        self._seconds = 0.0

    def note(self, provider: str, code: int, seconds: float) -> bool:
        """Count an answer; gives whether it is the first one of this provider."""
        counted = self._counts.get((provider, code))
        is_first = counted is None and self._know(provider)
        self._counts[provider, code] = (counted or 0) + 1
        self._buckets[bisect_left(self._bounds, seconds)] += 1
        self._seconds += seconds
        return is_first

    def _know(self, provider: str) -> bool:
        """Begin a provider's counts at 0, since Prometheus takes no notice of the step from nothing to 1.

        Gives whether it was not known before.
        """
        if (provider, _CODES[0]) in self._counts:
            return False
        self._counts |= dict.fromkeys(((provider, code) for code in _CODES), 0)
        return True

    def collect(self) -> Iterator[Metric]:
        """Give both metrics."""
        told = self._told[COUNT]
        count = CounterMetricFamily(COUNT, told.said, labels=told.labels)
        for (provider, code), number in self._counts.copy().items():
            count.add_metric((provider, str(code)), number)
        yield count
        ends = [*map(floatToGoString, self._bounds), "+Inf"]
        seconds = HistogramMetricFamily(SECONDS, self._told[SECONDS].said)
        seconds.add_metric((), [*zip(ends, accumulate(self._buckets), strict=True)], self._seconds)
        yield seconds
