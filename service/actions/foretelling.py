"""Says what would come of a webhook's alerts, by the code that decides. It asks no database what is open already."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from service.config.settings import Config
from service.config.spans import format_span
from service.model import Alert, AlertState, Monitor
from service.providers.matching import match_monitor, near_names, state_for
from service.providers.post import RawPost
from service.providers.registry import read_post

LONGEST: Final = 100
"""Characters shown of what a stranger wrote."""
_NO_EFFECT: Final = "recorded without effect"


@dataclass(frozen=True, slots=True)
class Foretold:
    """An alert, and what would come of it."""

    alert: Alert
    state: AlertState
    """As its monitor takes it."""
    monitor: Monitor | None
    near: tuple[str, ...]
    """Names that it may have been meant to be, where there is no monitor."""
    said: str


def foretell_post(config: Config, provider: str, post: RawPost) -> tuple[Foretold, ...]:
    """Say what would come of each alert of a post. Raises PostUnreadable and ProviderUnknown."""
    alerts = read_post(provider, post, config.readings)
    return tuple(_foretold(alert, config.monitors) for alert in alerts)


def _foretold(alert: Alert, monitors: Sequence[Monitor]) -> Foretold:
    monitor = match_monitor(alert.monitor_name, alert.provider, monitors)
    near = () if monitor else near_names(alert.monitor_name, monitors)
    state = state_for(alert, monitor) if monitor else alert.state
    return Foretold(alert, state, monitor, near, foretell(alert, monitor, near))


def shown(text: str) -> str:
    """Give a stranger's text on one line, without what would move a terminal's cursor, and not too long."""
    line = " ".join("".join(one if one.isprintable() else " " for one in text).split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"


def foretell(alert: Alert, monitor: Monitor | None, near: Sequence[str]) -> str:
    """Say what would come of an alert that means this monitor (None: no monitor, but some names are near)."""
    if monitor is None:
        hint = f"; did you mean {' or '.join(f'`{name}`' for name in near)}?" if near else ""
        return f"no monitor of this name{hint or ':'} {_NO_EFFECT}"
    state = state_for(alert, monitor)
    match state:
        case AlertState.FIRING:
            return f"matches the monitor `{monitor.alert_names[0]}`: {_opened(monitor)}"
        case AlertState.RECOVERED:
            said = "what is open of it recovers; where nothing is open, nothing happens"
            return f"matches the monitor `{monitor.alert_names[0]}`: {said}"
    return f"matches the monitor `{monitor.alert_names[0]}`, but {_why_not(alert, state)}: {_NO_EFFECT}"


def _opened(monitor: Monitor) -> str:
    joins = (
        "joins its open incident, or opens one" if monitor.combine_alerts else "opens an incident of its own"
    )
    when = f"after its wait time of {format_span(monitor.wait_time)}" if monitor.wait_time else "at once"
    then = "which is published" if monitor.auto_publish else "about which employees are asked"
    return f"{joins}, {then} {when}"


def _why_not(alert: Alert, state: AlertState) -> str:
    raw = shown(alert.raw_state)
    if state is not alert.state:
        return f"the state `{raw}` does not fire for it (`warning_fires: false`)"
    if state is AlertState.ACKNOWLEDGED:
        return "an acknowledgement opens and closes nothing"
    return f"the state `{raw}` neither fires nor recovers" if raw else "`state` is missing or empty"
