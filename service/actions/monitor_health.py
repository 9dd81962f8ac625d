"""How monitors do, learned from what was recorded: how often, how fast people acted, and what is probably wrong.

It reads and never changes anything. What is wrong with config.yaml itself `config.advice` says.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Final

from sqlalchemy import Connection

from service.actions.alert_words import Unmatched, unknown_in_words, unmatched
from service.actions.outcomes import AlertReason
from service.actions.wait_advice import Outage, WaitAdvice, advise
from service.config.form import DEFAULT_PROVIDER
from service.config.settings import Config
from service.model import AUTOMATIC, AlertState, Monitor
from service.providers.matching import match_monitor, providers_of
from service.providers.registry import PROVIDERS
from service.store import monitor_history
from service.store.monitor_history import CountedState, Counts, NotedAlert, PastIncident

COUNTED_FOR: Final = timedelta(days=30)
LEARNED_FROM: Final = 50
"""The last incidents of a monitor that medians and advice are reckoned from."""
MOST_NAMES: Final = 1_000
"""Different names that are looked at; posts name what they like."""
MOST_STATES: Final = 100
"""Names with a state that nobody knows that are looked at."""
MOST_STATES_SAID: Final = 5
"""Of one monitor."""
UNRESOLVED_FOR: Final = timedelta(days=1)
"""A monitor that fired so long ago and never recovered since probably lacks its second webhook."""


@dataclass(frozen=True, slots=True)
class UnmatchedName(Unmatched):
    """A name that was received and that no monitor takes."""

    received_at: datetime
    inbox_id: int | None


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
    nameless: tuple[UnmatchedName, ...] = ()
    """For what came without a name, which happens: there is no monitor to be set up for these but `*`."""


def examine(connection: Connection, config: Config, now: datetime) -> Health:
    """Say how each monitor did."""
    keys = [monitor.key for monitor in config.monitors]
    lately = _look(connection, config, keys, now - COUNTED_FOR)
    return Health(
        tuple(_health(connection, monitor, lately, now) for monitor in config.monitors),
        tuple(one for one in lately.unmatched if not one.variable),
        tuple(one for one in lately.unmatched if one.variable),
    )


def examine_one(connection: Connection, config: Config, monitor: Monitor, now: datetime) -> MonitorHealth:
    """Say how one monitor did."""
    return _health(connection, monitor, _look(connection, config, [monitor.key], now - COUNTED_FOR), now)


@dataclass(frozen=True, slots=True)
class _Lately:
    """What was read of all monitors at once."""

    seen: Mapping[str, Sequence[NotedAlert]]
    """The last alert of each name, by the key of the monitor that takes it now; "": none does."""
    counts: Mapping[str, Counts]
    unmatched: Sequence[UnmatchedName]
    unknown: Mapping[str, Sequence[CountedState]]
    """The states that nobody knows, by the key of the monitor."""


def _look(connection: Connection, config: Config, keys: Sequence[str], since: datetime) -> _Lately:
    seen = _names_by_monitor(connection, config)
    return _Lately(
        seen,
        monitor_history.counts_since(connection, keys, since),
        _unmatched(seen.get("", ()), config, since),
        _unknown_states(connection, config, since),
    )


def _names_by_monitor(connection: Connection, config: Config) -> dict[str, list[NotedAlert]]:
    """Sort the last alert of each name by the monitor that takes it now; "": none does."""
    found: dict[str, list[NotedAlert]] = {}
    for alert in monitor_history.last_of_each_name(connection, limit=MOST_NAMES):
        taker = _taker(alert.monitor_name, alert.provider, config)
        found.setdefault(taker, []).append(alert)
        if not taker:
            for key, meant in _from_elsewhere(connection, config, alert.monitor_name):
                found.setdefault(key, []).append(meant)
    return found


def _from_elsewhere(connection: Connection, config: Config, name: str) -> Iterator[tuple[str, NotedAlert]]:
    """Find what came under a name before it came from a provider that has no monitor of it, and who took that."""
    if not (providers := providers_of(name, config.monitors)):
        return
    before = monitor_history.last_alerts(connection, [name], limit=LEARNED_FROM)
    for provider in providers:
        if last := next((one for one in before if one.provider == provider), None):
            yield _taker(name, provider, config), last


def _taker(name: str, provider: str, config: Config) -> str:
    """Give the key of the monitor that takes a name; of whatever provider where that is not known any more."""
    matches = (match_monitor(name, one, config.monitors) for one in ((provider,) if provider else PROVIDERS))
    return next((monitor.key for monitor in matches if monitor is not None), "")


def _unknown_states(
    connection: Connection, config: Config, since: datetime
) -> Mapping[str, Sequence[CountedState]]:
    found: dict[str, list[CountedState]] = {}
    reason = AlertReason.UNKNOWN_STATE
    for one in monitor_history.states_with_reason(connection, reason, since, limit=MOST_STATES):
        found.setdefault(_taker(one.monitor_name, one.provider, config), []).append(one)
    return found


def _unmatched(alerts: Sequence[NotedAlert], config: Config, since: datetime) -> tuple[UnmatchedName, ...]:
    """Give the names that lately somebody may have meant for a monitor: a test's, or other news, are for none."""
    told = (
        one
        for one in alerts
        if one.received_at >= since
        and (one.state is not AlertState.INFO or one.reason == AlertReason.NO_MONITOR)
    )
    lately = sorted(told, key=lambda one: one.received_at)
    return tuple(_unmatched_name(one, config) for one in reversed(lately))


def _unmatched_name(one: NotedAlert, config: Config) -> UnmatchedName:
    found = unmatched(one.monitor_name, one.provider or DEFAULT_PROVIDER, config.monitors)
    return UnmatchedName(
        found.name, found.provider, found.near, found.elsewhere, one.received_at, one.inbox_id
    )


def _health(connection: Connection, monitor: Monitor, lately: _Lately, now: datetime) -> MonitorHealth:
    alerts = lately.seen.get(monitor.key, ())
    past = monitor_history.last_incidents(connection, monitor.key, limit=LEARNED_FROM)
    outages = [Outage(one.started_at, one.recovered_at) for one in past]
    similar = [one.in_words for one in lately.unmatched if _may_mean(one, monitor)]
    return MonitorHealth(
        monitor=monitor,
        counts=lately.counts.get(monitor.key, Counts()),
        names=tuple(alert.monitor_name for alert in alerts),
        last_alert=max(alerts, key=lambda one: one.received_at, default=None),
        time_to_act=_time_to_act(past),
        advice=advise(outages, monitor.wait_time),
        problems=(
            *_never_resolved(past, now),
            *_unknown_in_words(lately.unknown.get(monitor.key, ())),
            *similar,
        ),
    )


def _may_mean(one: UnmatchedName, monitor: Monitor) -> bool:
    if providers_of(one.name, (monitor,)):
        return True
    return monitor.provider == one.provider and not set(one.near).isdisjoint(monitor.alert_names)


def _unknown_in_words(states: Sequence[CountedState]) -> tuple[str, ...]:
    """Say how often each came, under whatever spellings of the monitor's name."""
    times = Counter[str]()
    for one in states:
        times[one.raw_state.strip()] += one.times
    return tuple(unknown_in_words(state, number) for state, number in times.most_common(MOST_STATES_SAID))


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
