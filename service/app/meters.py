"""Counts and times what this process does, for Prometheus, and says it in the log. It reads no table and no clock.

Names and units as Prometheus' guide has them: https://prometheus.io/docs/practices/naming/.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from functools import cache
from importlib.metadata import version
from typing import Final

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric, ProcessCollector

from service.actions.notes import Notes
from service.actions.outcomes import TO_MEND
from service.app.answer_tally import AnswerTally
from service.model import Delivery, DeliveryKind
from service.outbox.attempts import Outcome
from service.web.gauges import Told
from service.workflow import Decision

_FAST: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_PATIENT: Final = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0)
UNKNOWN: Final = "unknown"
"""Stands for every provider that does not exist, so that strangers make no more counts."""
_LOOPS: Final = ("decide", "send", "fan out", "call")
"""Those whose failures keep the service from its work: their counts are there before the first one fails."""
TOLD_ONE_BY_ONE: Final = frozenset(DeliveryKind) - {
    DeliveryKind.SUBSCRIBER_UPDATE,
    DeliveryKind.SUBSCRIBER_POSTMORTEM,
    DeliveryKind.MAINTENANCE_UPDATE,
    DeliveryKind.WEBHOOK_CALL,
}
"""The kinds of which each delivery has its line in the log; the others may be a million, and only failures have."""

METERS: Final[Mapping[str, Told]] = {
    "replycast_alerts_total": Told("counter", "Alerts that were worked off.", ("provider", "reason")),
    "replycast_arrival_wait_seconds": Told(
        "histogram", "How long posts and mails waited in the inbox until they were worked off.", ("door",)
    ),
    "replycast_build_info": Told("gauge", "The version that runs.", ("version",)),
    "replycast_decide_duration_seconds": Told(
        "histogram", "How long a turn of the decider took that had something to do."
    ),
    "replycast_decisions_total": Told(
        "counter", "Decisions about incidents, by the phase that they led to.", ("phase", "reason")
    ),
    "replycast_deliveries_total": Told("counter", "Attempts to send a delivery.", ("kind", "outcome")),
    "replycast_loop_failures_total": Told(
        "counter", "Failures that ended a turn of a loop; each is in the log.", ("loop",)
    ),
    "replycast_received_mails_total": Told(
        "counter", "Replies and bounces that were worked off.", ("reason",)
    ),
    "replycast_webhook_duration_seconds": Told(
        "histogram", "From a webhook post's first byte to its answer, its row being on disk by then."
    ),
    "replycast_webhooks_total": Told("counter", "Webhook posts that were answered.", ("provider", "code")),
}
"""The counters and histograms, and what is known of this version, by their names."""

_log = structlog.get_logger()


class Meters:
    """The counters and histograms of one process, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._answers = AnswerTally(METERS, _FAST)
        self.registry.register(self._answers)
        # to find a count by its labels takes longer than to count
        self._alerts = cache(self._counter("replycast_alerts_total").labels)
        self._decisions = cache(self._counter("replycast_decisions_total").labels)
        self._mails = self._counter("replycast_received_mails_total")
        self._deliveries = self._counter("replycast_deliveries_total")
        self._waits = cache(self._histogram("replycast_arrival_wait_seconds", _PATIENT).labels)
        self._decide_seconds = self._histogram("replycast_decide_duration_seconds", _FAST)
        self._loop_failures = self._counter("replycast_loop_failures_total")
        info = METERS["replycast_build_info"]
        built = Gauge("replycast_build_info", info.said, info.labels, registry=self.registry)
        built.labels(version("replycast")).set(1)
        ProcessCollector(registry=self.registry)
        for loop in _LOOPS:
            self._loop_failures.labels(loop)
        for kind in DeliveryKind:
            for outcome in Outcome:
                self._deliveries.labels(kind, outcome)

    def _counter(self, name: str) -> Counter:
        told = METERS[name]
        return Counter(name, told.said, told.labels, registry=self.registry)

    def _histogram(self, name: str, buckets: Sequence[float]) -> Histogram:
        told = METERS[name]
        return Histogram(name, told.said, told.labels, buckets=buckets, registry=self.registry)

    @property
    def notes(self) -> Notes:
        """The ports by which actions tell of what came about."""
        return Notes(
            decided=self._decided, took_alert=self._took_alert, took_mail=self._took_mail, waited=self._waited
        )

    def attempted(self, delivery: Delivery, outcome: Outcome) -> None:
        """Count an attempt to send a delivery."""
        self._deliveries.labels(delivery.kind, outcome).inc()
        if delivery.kind in TOLD_ONE_BY_ONE or outcome is Outcome.DEFERRED:
            about = {"incident": f"INC-{delivery.incident_id}"} if delivery.incident_id else {}
            _log.info("delivery", delivery=delivery.public_id, kind=delivery.kind, outcome=outcome, **about)

    def answered(self, provider: str, code: int, seconds: float) -> None:
        """Count the answer to a webhook post; `provider` is one that exists, or empty."""
        if self._answers.note(provider or UNKNOWN, code, seconds) and provider:
            for reason in TO_MEND:  # alerts watch them, as they do the answers
                self._alerts(provider, reason)

    def decided_for(self, seconds: float) -> None:
        """Time a turn of the decider."""
        self._decide_seconds.observe(seconds)

    def loop_failed(self, name: str) -> None:
        """Count a failure of a loop."""
        self._loop_failures.labels(name).inc()

    def collect(self) -> Iterator[Metric]:
        """Give what was counted, without the times of the counters' making, which tell nobody anything."""
        for metric in self.registry.collect():
            metric.samples = [one for one in metric.samples if not one.name.endswith("_created")]
            yield metric

    def _decided(self, decision: Decision) -> None:
        incident, reason = decision.incident, decision.reason
        self._decisions(incident.phase, reason).inc()
        if not reason.is_silent:
            _log.info("decided", incident=incident.tag, phase=incident.phase, reason=reason, by=decision.by)

    def _took_alert(self, provider: str, reason: str) -> None:
        self._alerts(provider, reason).inc()

    def _took_mail(self, reason: str) -> None:
        self._mails.labels(reason).inc()

    def _waited(self, door: str, span: timedelta) -> None:
        self._waits(door).observe(max(span.total_seconds(), 0.0))
