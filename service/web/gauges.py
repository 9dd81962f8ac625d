"""How the service fares at this moment, as Prometheus takes it: read from the store when it is asked for.

Times are given as timestamps, as Prometheus' guide wants them, and only what may be empty as an age, which is 0 then:
https://prometheus.io/docs/practices/instrumentation/.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from sqlalchemy import Connection

from service.actions.house import House
from service.actions.watchdog import Problem, ProblemName, Seen
from service.actions.watching import problems_seen
from service.errors import StoreUnavailable
from service.store import observing


@dataclass(frozen=True, slots=True)
class Told:
    """What a metric is and says of itself: its type, its sentence, and the labels by which it is told apart."""

    kind: str
    said: str
    labels: tuple[str, ...] = ()


GAUGES: Final[Mapping[str, Told]] = {
    "replycast_active": Told(
        "gauge", "Whether this instance decides (1), or another one on the same database does (0)."
    ),
    "replycast_config_last_reload_success_timestamp_seconds": Told(
        "gauge", "When config.yaml was last put in force."
    ),
    "replycast_config_last_reload_successful": Told(
        "gauge", "Whether the last attempt to put config.yaml in force succeeded (1) or not (0)."
    ),
    "replycast_database_size_bytes": Told("gauge", "The size of the database."),
    "replycast_database_usable": Told("gauge", "Whether the database can be read (1) or not (0)."),
    "replycast_decider_last_turn_timestamp_seconds": Told("gauge", "When the decider last had a turn."),
    "replycast_fan_out_to_queue": Told(
        "gauge", "Subscribers for whom an update on its way has no delivery yet."
    ),
    "replycast_inbox_oldest_age_seconds": Told(
        "gauge", "How long the oldest of what is not worked off yet waits.", ("door",)
    ),
    "replycast_inbox_pending": Told("gauge", "Posts and mails that are not worked off yet.", ("door",)),
    "replycast_last_webhook_timestamp_seconds": Told(
        "gauge", "When a provider posted last, of those that ever did.", ("provider",)
    ),
    "replycast_mailbox_last_read_timestamp_seconds": Told(
        "gauge", "When the mailbox of replies was last read to its end."
    ),
    "replycast_open_fan_outs": Told("gauge", "Updates that are being queued for subscribers."),
    "replycast_open_incidents": Told("gauge", "Incidents that are not closed or discarded.", ("phase",)),
    "replycast_outbox_oldest_age_seconds": Told(
        "gauge", "How long the oldest mail waits that a person waits for and nobody refused."
    ),
    "replycast_outbox_overdue_seconds": Told(
        "gauge", "How long the first delivery that waits has been due.", ("queue",)
    ),
    "replycast_outbox_waiting": Told("gauge", "Deliveries that are still to be sent.", ("queue",)),
    "replycast_problem": Told("gauge", "Whether the watchdog sees a problem (1) or not (0).", ("name",)),
    "replycast_subscribers": Told(
        "gauge",
        "Subscribers by state; to the suppressed nothing is sent, because nothing arrives there.",
        ("state",),
    ),
}
"""All of them, by their names."""


def read_gauges(house: House, seen: Seen, now: datetime) -> list[Metric]:
    """Give all gauges; where the database cannot be used, those that need none, and that it cannot."""
    gauges = list(_of_process(seen))
    try:
        with house.store.reading() as connection:
            gauges += _of_store(connection, house, seen, now)
    except StoreUnavailable:
        gauges.append(_one("replycast_database_usable", 0))
    return gauges


def _of_process(seen: Seen) -> Iterator[Metric]:
    yield _one(
        "replycast_active",
        not seen.is_standby,
    )
    yield from _moment("replycast_decider_last_turn_timestamp_seconds", seen.decided_at)
    yield from _moment(
        "replycast_mailbox_last_read_timestamp_seconds",
        seen.mailbox_read_at,
    )
    if seen.config_in_force_at is not None:
        yield _one(
            "replycast_config_last_reload_successful",
            seen.config_refused_at is None,
        )
    yield from _moment(
        "replycast_config_last_reload_success_timestamp_seconds",
        seen.config_in_force_at,
    )


def _of_store(connection: Connection, house: House, seen: Seen, now: datetime) -> Iterator[Metric]:
    yield _by(
        "replycast_open_incidents",
        observing.open_incidents(connection).items(),
    )
    pending = observing.pending_arrivals(connection)
    counts = [(door.value, one.count) for door, one in pending.items()]
    yield _by("replycast_inbox_pending", counts)
    ages = [(door.value, _age(one.oldest_at, now)) for door, one in pending.items()]
    yield _by(
        "replycast_inbox_oldest_age_seconds",
        ages,
    )
    waiting = observing.waiting_deliveries(connection)
    counts = [(queue.value, one.count) for queue, one in waiting.items()]
    yield _by("replycast_outbox_waiting", counts)
    ages = [(queue.value, _age(one.oldest_at, now)) for queue, one in waiting.items()]
    yield _by(
        "replycast_outbox_overdue_seconds",
        ages,
    )
    yield _one(
        "replycast_outbox_oldest_age_seconds",
        _age(observing.employees_wait_since(connection), now),
    )
    posts = observing.last_posts(connection, house.config.webhooks)
    yield _by(
        "replycast_last_webhook_timestamp_seconds",
        ((provider, at.timestamp()) for provider, at in posts.items()),
    )
    yield _by(
        "replycast_subscribers",
        observing.subscribers_by_state(connection).items(),
    )
    fan_outs = observing.open_fan_outs(connection)
    yield _one("replycast_open_fan_outs", fan_outs.updates)
    yield _one(
        "replycast_fan_out_to_queue",
        fan_outs.to_queue,
    )
    yield _problems(problems_seen(connection, house, seen, now))
    yield _one("replycast_database_size_bytes", observing.database_bytes(connection))
    yield _one("replycast_database_usable", 1)


def _problems(found: Iterable[Problem]) -> Metric:
    names = {one.name for one in found}
    return _by(
        "replycast_problem",
        ((name, name in names) for name in ProblemName),
    )


def _age(since: datetime | None, now: datetime) -> float:
    return max((now - since).total_seconds(), 0.0) if since else 0.0


def _one(name: str, value: float) -> Metric:
    return GaugeMetricFamily(name, GAUGES[name].said, value=float(value))


def _moment(name: str, at: datetime | None) -> Iterator[Metric]:
    if at is not None:
        yield _one(name, at.timestamp())


def _by(name: str, values: Iterable[tuple[str, float]]) -> Metric:
    family = GaugeMetricFamily(name, GAUGES[name].said, labels=GAUGES[name].labels)
    for key, value in values:
        family.add_metric([str(key)], float(value))
    return family
