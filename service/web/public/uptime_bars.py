"""Draws the last days of a component as bars of inline SVG, each with its words. Pure.

A state is told by the bar's shape as well as by its colour; the drawing as a whole is one image with one
description, so that nobody steps through ninety of them.
"""

from datetime import date, timedelta
from types import MappingProxyType
from typing import Final

from markupsafe import Markup

from service.model import SEVERITY_ORDER, ComponentState
from service.web.public.uptime import Uptime, UptimeDay

STEP: Final = 10
HEIGHT: Final = 32
UNKNOWN: Final = "no_data"
SHAPES: Final = MappingProxyType(
    {
        ComponentState.OPERATIONAL: "h6v32h-6z",
        # a gap in the middle
        ComponentState.UNDER_MAINTENANCE: "h6v12h-6zm0 20h6v12h-6z",
        # the worse it is, the less is left standing
        ComponentState.DEGRADED_PERFORMANCE: "m0 9h6v23h-6z",
        ComponentState.PARTIAL_OUTAGE: "m0 17h6v15h-6z",
        # an exclamation mark
        ComponentState.MAJOR_OUTAGE: "h6v21h-6zm0 25h6v7h-6z",
        UNKNOWN: "m0 28h6v4h-6z",
    }
)
"""Paths of SVG within a column that is 6 wide and 32 high."""


def draw(name: str, uptime: Uptime) -> Markup:
    """Draw a component's days."""
    width = STEP * len(uptime.days) - 4
    bars = Markup().join(_bar(number, day) for number, day in enumerate(uptime.days))
    return Markup(
        '<div class="bars-frame"><svg class="bars" role="img" aria-label="{}" viewBox="0 0 {} {}"'
        ' preserveAspectRatio="none">{}</svg></div>'
    ).format(describe(name, uptime), width, HEIGHT, bars)


def _bar(number: int, day: UptimeDay) -> Markup:
    state = day.state or UNKNOWN
    title, at = f"<title>{_words_of(day)}</title>", f"M{number * STEP} 0"
    if state in {UNKNOWN, ComponentState.OPERATIONAL}:
        drawn = f'<path data-state="{state}" d="{at}{SHAPES[state]}">{title}</path>'
    else:
        column = f'<path class="bars__ground" d="{at}h6v32h-6z"/>'
        drawn = f'<g data-state="{state}">{title}{column}<path d="{at}{SHAPES[state]}"/></g>'
    return Markup(drawn)  # noqa: S704  made of our own words and numbers alone


def describe(name: str, uptime: Uptime) -> str:
    """Say in a sentence or two what the bars show."""
    since, span = uptime.since, f"the last {len(uptime.days)} days"
    if not uptime.figure:
        return f"{name}, {span}: no data yet."
    if since is not None:
        span = f"since {since.day} {since:%b %Y}"
    bad = len(trouble(uptime))
    rest = {0: "Operational throughout.", 1: "Not operational throughout on one day."}.get(
        bad, f"Not operational throughout on {bad} days."
    )
    return f"{name}, {span}: {uptime.figure} % uptime. {rest}"


def trouble(uptime: Uptime) -> list[tuple[date, str]]:
    """List the days on which a component was not operational throughout, the latest first, in words."""
    return [
        (day.date, _spans_of(day))
        for day in reversed(uptime.days)
        if day.state not in {None, ComponentState.OPERATIONAL}
    ]


def _words_of(day: UptimeDay) -> str:
    said = f"{day.date.day} {day.date:%b %Y}"
    if day.state is None:
        return f"{said}: no data"
    if day.state is ComponentState.OPERATIONAL:
        return f"{said}: operational"
    return f"{said}: {_spans_of(day)}"


def _spans_of(day: UptimeDay) -> str:
    bad = [state for state in reversed(SEVERITY_ORDER) if state in day.spans]
    return ", ".join(
        f"{state.replace('_', ' ')} for {_span_words(day.spans[state])}"
        for state in bad
        if state is not ComponentState.OPERATIONAL
    )


def _span_words(span: timedelta) -> str:
    hours, minutes = divmod(round(span / timedelta(minutes=1)), 60)
    if not hours and not minutes:
        return "less than a minute"
    return " ".join([*([f"{hours} h"] if hours else []), *([f"{minutes} min"] if minutes else [])])
