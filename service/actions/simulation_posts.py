"""What a person wants to see simulated, as posts on a virtual clock: the firing ones, and when it recovers. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType
from typing import Final

from service.actions.simulation import GivenPost, named_post
from service.config.settings import Config, Reading
from service.errors import PostUnreadable, ProviderUnknown
from service.model import Alert, AlertState, Monitor
from service.providers.matching import match_monitor
from service.providers.registry import read_post

AFTERWARDS: Final = timedelta(hours=1)
"""How long to look on once everything that is to come by itself has come."""
LONGEST: Final = timedelta(days=31)
RECOVERED: Final = "OK"


def with_recoveries(
    posts: Sequence[GivenPost], after: timedelta, readings: Mapping[str, Reading] = MappingProxyType({})
) -> tuple[GivenPost, ...]:
    """Let each alert that fires recover so long after it did, as the vendor's second webhook would say it."""
    last: dict[tuple[str, str, str | None], GivenPost] = {}
    for given in sorted(posts, key=lambda one: one.after):
        for alert in _alerts(given, readings):
            if alert.state is not AlertState.RECOVERED:
                thing = given.provider, alert.monitor_name, alert.entity_id
                recovery = named_post(
                    given.after + after, alert.monitor_name, RECOVERED, entity_id=alert.entity_id
                )
                last[thing] = replace(recovery, provider=given.provider)
    return (*posts, *last.values())


def long_enough(config: Config, posts: Sequence[GivenPost]) -> timedelta:
    """Say how long to look on: past the last post, its monitors' wait, ladder and grace, and a while more."""
    last = max((given.after for given in posts), default=timedelta(0))
    monitors = [
        monitor
        for given in posts
        for alert in _alerts(given, config.readings)
        if (monitor := match_monitor(alert.monitor_name, alert.provider, config.monitors)) is not None
    ]
    return min(last + max(map(_span_of, monitors), default=timedelta(0)) + AFTERWARDS, LONGEST)


def _span_of(monitor: Monitor) -> timedelta:
    ladder = monitor.escalate[-1].after if monitor.escalate else timedelta(0)
    return monitor.wait_time + ladder + monitor.recovery_grace


def _alerts(given: GivenPost, readings: Mapping[str, Reading]) -> Iterator[Alert]:
    """Read a post's alerts; one that cannot be read has none."""
    try:
        yield from read_post(given.provider, given.post, readings).alerts
    except (PostUnreadable, ProviderUnknown):
        return
