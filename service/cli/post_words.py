"""Says in one sentence each what would come of a webhook's alerts. It asks no database what is open already."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from service.config.spans import format_span
from service.model import Alert, AlertState, Monitor
from service.providers.matching import state_for

LONGEST: Final = 100
"""Characters shown of what a stranger wrote."""
_NO_EFFECT: Final = "recorded without effect"


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


def post_in_words(explained: Mapping[str, Any]) -> str:
    """Say for a person what `explain_post` found: each alert on a line, and under it what would come of it."""
    if not explained["accepted"]:
        return f"refused: {explained['reason']}"
    lines = []
    for alert in explained["alerts"]:
        entity = f" (entity {shown(alert['entity_id'])})" if alert["entity_id"] else ""
        lines += [f"{shown(alert['monitor_name'])}{entity}: {alert['state']}", f"  {alert['reason']}"]
    return "\n".join(lines)
