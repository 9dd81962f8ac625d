"""Which monitor an alert's name means, and which names are near it. Never decides what comes of it."""

import difflib
import fnmatch
import re
from collections.abc import Sequence
from functools import lru_cache

from service.model import Alert, AlertState, KnownAs, Monitor, fold_name

_NEAR_ENOUGH = 0.6
_MOST_NEAR_NAMES = 3


def match_monitor(name: str, provider: str, monitors: Sequence[Monitor]) -> Monitor | None:
    """Find the monitor of a provider that an alert's name means, or None.

    An exact name comes first, then one that differs in case or white space, then the glob pattern (`*`, `?`)
    with the most literal characters; `*` alone is the fallback. The earlier monitor wins a tie.
    """
    ours = [monitor for monitor in monitors if monitor.provider == provider]
    folded = fold_name(name)
    for monitor in ours:
        if name in monitor.alert_names:
            return monitor
    for monitor in ours:
        if any(fold_name(known) == folded for known in monitor.alert_names):
            return monitor
    fitting = [
        (_specificity(pattern), -index)
        for index, monitor in enumerate(ours)
        for pattern in monitor.alert_names
        if is_pattern(pattern) and _compiled(fold_name(pattern)).match(folded)
    ]
    return ours[-max(fitting)[1]] if fitting else None


def known_as(alert: Alert, monitor: Monitor) -> KnownAs:
    """Give by what an alert is told from others of its monitor."""
    is_one_of_several = len(monitor.alert_names) > 1 or is_pattern(monitor.alert_names[0])
    return KnownAs(alert.entity_id, fold_name(alert.monitor_name), is_one_of_several)


def near_names(name: str, provider: str, monitors: Sequence[Monitor]) -> tuple[str, ...]:
    """Give up to three names of a provider's monitors that look like this one, the nearest first."""
    known = {
        fold_name(alert_name): alert_name
        for monitor in monitors
        for alert_name in monitor.alert_names
        if monitor.provider == provider and not is_pattern(alert_name)
    }
    near = difflib.get_close_matches(fold_name(name), known, n=_MOST_NEAR_NAMES, cutoff=_NEAR_ENOUGH)
    return tuple(known[one] for one in near)


def providers_of(name: str, monitors: Sequence[Monitor]) -> tuple[str, ...]:
    """Give the providers that have a monitor of just this name, in any case; patterns are names of nothing."""
    folded = fold_name(name)
    return tuple(
        dict.fromkeys(
            monitor.provider
            for monitor in monitors
            if any(fold_name(known) == folded and not is_pattern(known) for known in monitor.alert_names)
        )
    )


def is_pattern(name: str) -> bool:
    """Whether a configured name stands for several."""
    return "*" in name or "?" in name


def _specificity(pattern: str) -> tuple[int, int]:
    """Count the literal characters, then the `?`: so `*` alone comes last of all."""
    wild, single = pattern.count("*"), pattern.count("?")
    return len(pattern) - wild - single, single


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    # fnmatch's [a-z] sets are not ours: monitors are often called "[prod] Database"
    return re.compile(fnmatch.translate(pattern.replace("[", "[[]")))


def state_for(alert: Alert, monitor: Monitor) -> AlertState:
    """Tell what an alert's state means to a monitor: with some, WARNING does not fire."""
    is_warning = alert.state is AlertState.FIRING and alert.raw_state.strip().casefold() == "warning"
    return AlertState.INFO if is_warning and not monitor.warning_fires else alert.state
