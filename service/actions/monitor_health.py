"""How monitors do, learned from what was recorded: how often, how fast people acted, and what is probably wrong.

It reads and never changes anything. What is wrong with config.yaml itself `config.advice` says.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Final

from sqlalchemy import Connection

from service.actions.wait_advice import Outage, WaitAdvice, advise
from service.config.settings import Config
from service.model import AUTOMATIC, AlertState, Monitor
from service.providers.matching import match_monitor, near_names
from service.providers.registry import PROVIDERS
from service.store import monitor_history
from service.store.monitor_history import Counts, NotedAlert, PastIncident

COUNTED_FOR: Final = timedelta(days=30)
LEARNED_FROM: Final = 50
"""The last incidents of a monitor that medians and advice are reckoned from."""
MOST_NAMES: Final = 1_000
"""Different names that are looked at; posts name what they like."""
UNRESOLVED_FOR: Final = timedelta(days=1)
"""A monitor that fired so long ago and never recovered since probably lacks its second webhook."""


@dataclass(frozen=True, slots=True)
class UnmatchedName:
    """A name that was received and that no monitor takes."""

    name: str
    received_at: datetime
    inbox_id: int | None
    near: tuple[str, ...]
    """Configured names that look like it, the nearest first."""

    @property
    def in_words(self) -> str:
        """Say it in one sentence, as problems are."""
        hint = f": did you mean {' or '.join(f'`{name}`' for name in self.near)}?" if self.near else ""
        return f"`{self.name}` was received, and no monitor takes it{hint or '.'}"


@dataclass(frozen=True, slots=True)
class MonitorHealth:
    """How one monitor did."""

    monitor: Monitor
    counts: Counts
    """Of the last 30 days."""
    names: tuple[str, ...]
    """The names it was ever received under."""
    last_alert: NotedAlert | None
    time_to_act: timedelta | None
    """The median from the mail that asked to the person who published, discarded or closed; None: nobody had to."""
    advice: WaitAdvice
    problems: tuple[str, ...] = ()
    """One sentence each."""


@dataclass(frozen=True, slots=True)
class Health:
    """How all monitors did, in the order of config.yaml, and what reached none of them lately."""

    monitors: tuple[MonitorHealth, ...]
    unmatched: tuple[UnmatchedName, ...]


def examine(connection: Connection, config: Config, now: datetime) -> Health:
    """Say how each monitor did."""
    seen = _names_by_monitor(connection, config)
    unmatched = _unmatched(seen.get("", ()), config, now - COUNTED_FOR)
    keys = [monitor.key for monitor in config.monitors]
    counts = monitor_history.counts_since(connection, keys, now - COUNTED_FOR)
    return Health(
        tuple(
            _health(connection, monitor, seen.get(monitor.key, ()), counts, unmatched, now)
            for monitor in config.monitors
        ),
        unmatched,
    )


def examine_one(connection: Connection, config: Config, monitor: Monitor, now: datetime) -> MonitorHealth:
    """Say how one monitor did."""
    seen = _names_by_monitor(connection, config)
    unmatched = _unmatched(seen.get("", ()), config, now - COUNTED_FOR)
    counts = monitor_history.counts_since(connection, [monitor.key], now - COUNTED_FOR)
    return _health(connection, monitor, seen.get(monitor.key, ()), counts, unmatched, now)


def _names_by_monitor(connection: Connection, config: Config) -> dict[str, list[NotedAlert]]:
    """Sort the last alert of each name by the monitor that takes it now; "": none does."""
    found: dict[str, list[NotedAlert]] = {}
    for alert in monitor_history.last_of_each_name(connection, limit=MOST_NAMES):
        matches = (match_monitor(alert.monitor_name, provider, config.monitors) for provider in PROVIDERS)
        taker = next((monitor.key for monitor in matches if monitor is not None), "")
        found.setdefault(taker, []).append(alert)
    return found


def _unmatched(alerts: Sequence[NotedAlert], config: Config, since: datetime) -> tuple[UnmatchedName, ...]:
    """Give the names that lately somebody may have meant for a monitor: a test's, or other news, are for none."""
    told = (one for one in alerts if one.received_at >= since and one.state is not AlertState.INFO)
    lately = sorted(told, key=lambda one: one.received_at)
    return tuple(
        UnmatchedName(
            one.monitor_name, one.received_at, one.inbox_id, near_names(one.monitor_name, config.monitors)
        )
        for one in reversed(lately)
    )


def _health(
    connection: Connection,
    monitor: Monitor,
    alerts: Sequence[NotedAlert],
    counts: Mapping[str, Counts],
    unmatched: Sequence[UnmatchedName],
    now: datetime,
) -> MonitorHealth:
    past = monitor_history.last_incidents(connection, monitor.key, limit=LEARNED_FROM)
    outages = [Outage(one.started_at, one.recovered_at) for one in past]
    similar = [one.in_words for one in unmatched if not set(one.near).isdisjoint(monitor.alert_names)]
    return MonitorHealth(
        monitor=monitor,
        counts=counts.get(monitor.key, Counts()),
        names=tuple(alert.monitor_name for alert in alerts),
        last_alert=max(alerts, key=lambda one: one.received_at, default=None),
        time_to_act=_time_to_act(past),
        advice=advise(outages, monitor.wait_time),
        problems=(*_never_resolved(past, now), *similar),
    )


def _never_resolved(past: Sequence[PastIncident], now: datetime) -> tuple[str, ...]:
    """Find out whether it fires and never recovers: VictorOps sends that by a webhook of its own."""
    if not past or any(one.has_recovery for one in past) or now - past[-1].started_at < UNRESOLVED_FOR:
        return ()
    times = "once" if len(past) == 1 else f"{len(past)} times"
    return (
        f"It fired {times} and never recovered: is the second webhook, for Incident-Resolved, missing there?",
    )


def _time_to_act(past: Sequence[PastIncident]) -> timedelta | None:
    spans = [
        (acted_at - one.notified_at).total_seconds()
        for one in past
        if one.notified_at is not None and (acted_at := _acted_at(one)) is not None
    ]
    return timedelta(seconds=round(median(spans))) if spans else None


def _acted_at(one: PastIncident) -> datetime | None:
    """Tell when a person decided about an incident, or closed what was published by itself; None: nobody did."""
    for at, by in ((one.published_at, one.published_by), (one.ended_at, one.ended_by)):
        if at is not None and by not in {None, AUTOMATIC}:
            return at
    return None
