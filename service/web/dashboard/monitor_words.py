"""A monitor's settings in the words in which employees read them, and its stable address."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from hashlib import sha256
from typing import Final

from service.config.spans import format_span
from service.model import IfRecovered, LastResort, Monitor, Rung

NameOf = Callable[[str], str]

_LONGEST_SLUG: Final = 40
_IF_RECOVERED: Final = {
    IfRecovered.DISCARD: "it is discarded, and the employees are told",
    IfRecovered.KEEP: "it is kept until somebody decides",
    IfRecovered.PUBLISH_RESOLVED: "it is published as resolved",
}
_LAST_RESORTS: Final = {
    LastResort.PUBLISH: "it is published",
    LastResort.DISCARD: "it is discarded",
    LastResort.LEAVE: "it is left as it is, without further mails",
}


def slug_of(monitor: Monitor) -> str:
    """Give the end of a monitor's address: readable, and the same as long as its key is."""
    readable = (
        re.sub(r"[^a-z0-9]+", "-", monitor.alert_names[0].lower()).strip("-")[:_LONGEST_SLUG].rstrip("-")
    )
    told_apart = sha256(monitor.key.encode()).hexdigest()[:8]
    return f"{readable}-{told_apart}" if readable else told_apart


def example_name(monitor: Monitor) -> str:
    """Give a name that the monitor takes."""
    exact = next((name for name in monitor.alert_names if not set(name) & set("*?")), None)
    return exact or monitor.alert_names[0].replace("*", "Example").replace("?", "x")


def span_in_words(span: timedelta) -> str:
    """Say a span that has passed: `under a minute`, `4 min`, `2 h 5 min`, `3 d`."""
    minutes = int(span.total_seconds()) // 60
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [f"{days} d" if days else "", f"{hours} h" if hours else "", f"{minutes} min" if minutes else ""]
    return " ".join([part for part in parts if part][:2]) or "under a minute"


def settings_in_words(monitor: Monitor, name_of: NameOf) -> tuple[tuple[str, str], ...]:
    """Say what a monitor is set to, as pairs of a heading and a sentence."""
    return tuple(_settings(monitor, name_of))


def _settings(monitor: Monitor, name_of: NameOf) -> Iterator[tuple[str, str]]:
    yield "Takes", ", ".join(monitor.alert_names)
    yield "Type", monitor.type.replace("_", " ")
    states = (f"{name}: {state.replace('_', ' ')}" for name, state in monitor.affected_components.items())
    yield "Affects", ", ".join(states) or "no component"
    wait = format_span(monitor.wait_time)
    yield "Wait time", f"{wait}; what recovers within it tells nobody" if monitor.wait_time else "none"
    joins = "join the incident that is open" if monitor.combine_alerts else "open an incident each"
    yield "Further alerts", joins
    yield "Publishing", _publishing(monitor)
    yield "Asks", ", ".join(map(name_of, monitor.notify_employees)) or "nobody"
    if monitor.remind_every:
        yield "Reminds", f"every {format_span(monitor.remind_every)} until somebody decides, or tells more"
    if monitor.escalate:
        yield "While nobody decides", "; ".join(_rung(rung, name_of) for rung in monitor.escalate)
    yield "Recovered undecided", _IF_RECOVERED[monitor.if_recovered_unpublished]
    yield "Closing", _closing(monitor)
    yield "Closing comment", monitor.closing_comment or "none"
    yield "Author", name_of(monitor.authored_by)
    yield "Audience", ", ".join(monitor.audience) or "all subscribers of these components"
    yield "WARNING", "fires" if monitor.warning_fires else "is recorded, and does nothing"


def _publishing(monitor: Monitor) -> str:
    if monitor.auto_publish and monitor.approvals == 1:
        return "by itself, once the wait time is over" if monitor.wait_time else "by itself, at once"
    return "by an employee" if monitor.approvals == 1 else f"by {monitor.approvals} employees together"


def _rung(rung: Rung, name_of: NameOf) -> str:
    after = f"after {format_span(rung.after)}"
    if rung.then is not None:
        return f"{after} {_LAST_RESORTS[rung.then]}"
    return (
        f"{after} {', '.join(map(name_of, rung.notify))} too" if rung.notify else f"{after} all are reminded"
    )


def _closing(monitor: Monitor) -> str:
    if not monitor.auto_close:
        return "by an employee"
    grace = format_span(monitor.recovery_grace)
    return (
        f"by itself, {grace} after it recovered" if monitor.recovery_grace else "by itself, once it recovered"
    )
