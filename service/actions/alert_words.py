"""Why an alert comes to nothing and what to do about it, in one sentence: for the inbox, pages and commands. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from service.model import Alert, AlertState, Monitor
from service.providers import victorops
from service.providers.matching import near_names, providers_of, state_for
from service.providers.wording import shown

_SEND_ANOTHER: Final = "let the webhook send CRITICAL or OK, or add `phase` to its payload, which comes first"


@dataclass(frozen=True, slots=True)
class Unmatched:
    """A name that no monitor of its provider takes, and what it may have been meant to be."""

    name: str
    provider: str
    near: tuple[str, ...]
    """Names of that provider's monitors that look like it, the nearest first."""
    elsewhere: tuple[str, ...]
    """Other providers, which have a monitor of this very name."""

    @property
    def variable(self) -> str:
        """The variable for which VictorOps had nothing, where that stands in place of a name; else empty.

        There is no monitor to be set up for it but `*`.
        """
        return victorops.variable_in(self.name) if self.provider == victorops.NAME else ""

    @property
    def why(self) -> str:
        """Say of an alert why no monitor takes it."""
        hint = f", {self._hint}" if self.near else ""
        return self._known_cause or f"no monitor is configured for `{self.name}`{hint}"

    @property
    def in_words(self) -> str:
        """Say it in one sentence of its own, as problems are."""
        if self._known_cause:
            return f"{self._known_cause}."
        hint = f": {self._hint}" if self.near else "."
        return f"`{self.name}` was received from {self.provider}, and no monitor takes it{hint}"

    @property
    def _hint(self) -> str:
        return f"did you mean {' or '.join(f'`{name}`' for name in self.near)}?"

    @property
    def _known_cause(self) -> str:
        if self.variable:
            return (
                f"VictorOps had no {self.variable} for this alert (it was raised by hand or by mail); "
                "`*` takes such alerts"
            )
        if self.elsewhere:
            return (
                f"`{self.name}` is a monitor of {' and '.join(self.elsewhere)}, and this came from "
                f"{self.provider}: set `provider: {self.provider}` in a monitor of that name"
            )
        return ""


def unmatched(name: str, provider: str, monitors: Sequence[Monitor]) -> Unmatched:
    """Say of a name that no monitor of its provider takes what it may have been meant to be."""
    found = Unmatched(name, provider, (), ())
    if found.variable:
        return found
    return Unmatched(name, provider, near_names(name, provider, monitors), providers_of(name, monitors))


def is_news(alert: Alert) -> bool:
    """Tell whether an alert asks for no monitor: a product's test, a note, and whatever else is known to be none."""
    return alert.state is AlertState.INFO and alert.is_state_known and bool(alert.raw_state)


def why_no_monitor(alert: Alert, monitors: Sequence[Monitor]) -> str:
    """Say why an alert that no monitor takes comes to nothing."""
    if is_news(alert):
        state = shown(alert.raw_state)
        return f"`{alert.monitor_name}` is no monitor, and `{state}` opens and closes nothing"
    return unmatched(alert.monitor_name, alert.provider, monitors).why


def why_no_effect(alert: Alert, monitor: Monitor) -> str:
    """Say why an alert of this monitor that neither fires nor recovers there comes to nothing."""
    state = shown(alert.raw_state)
    if not alert.is_state_known:
        return f"`{state}` is no state that is known, and so opens and closes nothing: {_SEND_ANOTHER}"
    if state_for(alert, monitor) is not alert.state:
        name = monitor.alert_names[0]
        return f"the state `{state}` does not fire for `{name}` (`warning_fires: false`)"
    if victorops.is_given(alert.raw_state):
        return f"the state `{state}` opens and closes nothing"
    return "it has no state, and so opens and closes nothing: let the webhook send one"


def unknown_in_words(raw_state: str, times: int) -> str:
    """Say as a problem of a monitor that it was sent a state that nobody knows."""
    often = "once" if times == 1 else f"{times:,} times"
    return f"`{shown(raw_state)}` was received {often} and is no state that is known: {_SEND_ANOTHER}."
