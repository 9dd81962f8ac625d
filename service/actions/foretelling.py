"""Says what would come of a webhook's alerts, by the code that decides. It asks no database what is open already."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from service.actions.alert_words import Unmatched, unmatched, why_no_effect, why_no_monitor
from service.config.settings import Config
from service.config.spans import format_span
from service.model import Alert, AlertState, Monitor
from service.providers.matching import match_monitor, state_for
from service.providers.post import RawPost
from service.providers.registry import read_post

_NO_EFFECT: Final = "is recorded without effect"


@dataclass(frozen=True, slots=True)
class Foretold:
    """An alert, and what would come of it."""

    alert: Alert
    state: AlertState
    """As its monitor takes it."""
    monitor: Monitor | None
    unmatched: Unmatched | None
    """What it may have been meant to be, where there is no monitor."""
    said: str

    @property
    def near(self) -> tuple[str, ...]:
        """Names that it may have been meant to be."""
        return self.unmatched.near if self.unmatched else ()

    @property
    def needs_monitor(self) -> bool:
        """Whether there could be one that takes its name."""
        return self.unmatched is not None and not self.unmatched.variable


@dataclass(frozen=True, slots=True)
class ForetoldPost:
    """What would come of a post."""

    alerts: tuple[Foretold, ...]
    complaint: str
    """What is wrong with others of its alerts, which cannot be read; empty: all can."""


def foretell_post(config: Config, provider: str, post: RawPost) -> ForetoldPost:
    """Say what would come of each alert of a post. Raises PostUnreadable and ProviderUnknown."""
    content = read_post(provider, post, config.readings)
    return ForetoldPost(
        tuple(_foretold(alert, config.monitors) for alert in content.alerts), content.complaint
    )


def _foretold(alert: Alert, monitors: Sequence[Monitor]) -> Foretold:
    monitor = match_monitor(alert.monitor_name, alert.provider, monitors)
    if monitor is None:
        found = unmatched(alert.monitor_name, alert.provider, monitors)
        return Foretold(alert, alert.state, None, found, f"{_NO_EFFECT}: {why_no_monitor(alert, monitors)}")
    return Foretold(alert, state_for(alert, monitor), monitor, None, _foretell(alert, monitor))


def _foretell(alert: Alert, monitor: Monitor) -> str:
    matches = f"matches the monitor `{monitor.alert_names[0]}`"
    match state_for(alert, monitor):
        case AlertState.FIRING:
            return f"{matches}: {_opened(monitor)}"
        case AlertState.RECOVERED:
            return f"{matches}: what is open of it recovers; where nothing is open, nothing happens"
    return f"{matches}, but {_NO_EFFECT}: {why_no_effect(alert, monitor)}"


def _opened(monitor: Monitor) -> str:
    joins = (
        "joins its open incident, or opens one" if monitor.combine_alerts else "opens an incident of its own"
    )
    when = f"after its wait time of {format_span(monitor.wait_time)}" if monitor.wait_time else "at once"
    then = "which is published" if monitor.auto_publish else "about which employees are asked"
    return f"{joins}, {then} {when}"
