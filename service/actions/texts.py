"""Rendering a monitor's subject, message and closing comment. A faulty template never loses an incident."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import ChainableUndefined, StrictUndefined, Template, TemplateError, UndefinedError

from service.actions.template_bounds import BoundedEnvironment
from service.config.settings import Site
from service.model import Alert, AlertState, Incident, Monitor

LONGEST = 64 * 1024
"""Characters; a text beyond is cut."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A text and what was wrong with its template, if anything was."""

    text: str
    fault: str = ""


# the texts become Markdown and mail, which escape for themselves: escaping here would show `&amp;` to readers
_strict = BoundedEnvironment(undefined=StrictUndefined, autoescape=False)
_lenient = BoundedEnvironment(undefined=ChainableUndefined, autoescape=False)
_FAULTS = (
    TemplateError,
    ArithmeticError,
    LookupError,
    TypeError,
    ValueError,
    AttributeError,
    RecursionError,
    MemoryError,
    SyntaxError,
)
"""What a template can raise: Jinja's own errors, and Python's where it computes, nests or grows too much."""


class _ShownTime(datetime):
    """A time that a template shows as a person writes it; `strftime` and arithmetic are there as well."""

    @classmethod
    def at(cls, when: datetime, timezone: ZoneInfo) -> "_ShownTime":
        """Give a time in a zone."""
        return cls.fromtimestamp(when.timestamp(), timezone)

    def __str__(self) -> str:
        """Give `24 Nov 2026, 14:02 CET`."""
        return self.strftime("%d %b %Y, %H:%M %Z")


class _ShownSpan(timedelta):
    """A span that a template shows as a person says it."""

    def __str__(self) -> str:
        """Give `1 h 12 min`."""
        hours, minutes = divmod(round(self.total_seconds() / 60), 60)
        return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def opening_variables(
    monitor: Monitor, alert: Alert, site: Site, *, incident_id: int | None, started_at: datetime
) -> dict[str, Any]:
    """Give what subject and message may name when an incident opens; None: it has no number yet, and none is named."""
    number = {} if incident_id is None else {"id": incident_id, "tag": f"INC-{incident_id}"}
    return {
        "alert": _alert_variables(alert, site.timezone),
        "incident": {**number, "started_at": _ShownTime.at(started_at, site.timezone)},
        "monitor": _monitor_variables(monitor),
        "site": {"name": site.name, "url": site.url},
    }


def closing_variables(
    monitor: Monitor, incident: Incident, alert: Alert | None, site: Site, *, now: datetime
) -> dict[str, Any]:
    """Give what a closing comment may name; without an alert, one that says the monitor's name only."""
    ending = alert or Alert(monitor.provider, monitor.alert_names[0], state=AlertState.INFO)
    named = opening_variables(monitor, ending, site, incident_id=incident.id, started_at=incident.started_at)
    named["incident"] |= {
        "subject": incident.subject,
        "ended_at": _ShownTime.at(now, site.timezone),
        "duration": _ShownSpan(seconds=(now - incident.started_at).total_seconds()),
    }
    return named


def render(template: str, variables: dict[str, Any], *, otherwise: str) -> Rendered:
    """Render a monitor's template; what it names but is not there becomes empty, and the fault says so.

    Where it cannot be rendered at all, `otherwise` is the text.
    """
    try:
        return Rendered(_compiled(template, strict=True).render(variables)[:LONGEST].strip() or otherwise)
    except UndefinedError as error:
        fault = f"the template names what this alert does not have: {error}"
    except _FAULTS as error:
        return Rendered(otherwise, f"the template cannot be rendered: {error}")
    try:
        text = _compiled(template, strict=False).render(variables)[:LONGEST].strip()
    except _FAULTS as error:
        return Rendered(otherwise, f"the template cannot be rendered: {error}")
    return Rendered(text or otherwise, fault)


@lru_cache(maxsize=1024)
def _compiled(template: str, *, strict: bool) -> Template:
    return (_strict if strict else _lenient).from_string(template)


def _alert_variables(alert: Alert, timezone: ZoneInfo) -> dict[str, Any]:
    return {
        "provider": alert.provider,
        "monitor_name": alert.monitor_name,
        "state": alert.raw_state,
        "entity_id": alert.entity_id or "",
        "message": alert.message,
        "sent_at": _ShownTime.at(alert.sent_at, timezone) if alert.sent_at else "",
        "fields": dict(alert.fields),
    }


def _monitor_variables(monitor: Monitor) -> dict[str, Any]:
    return {
        "alert_name": monitor.alert_names[0],
        "type": monitor.type,
        "affected_components": list(monitor.affected_components),
    }
