"""How each component did on each of the last days, worked out from its recorded changes of state. Pure.

Days are those of the site's clock, so that one has 23 or 25 hours twice a year. What is not recorded is "no data"
and counts neither way.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

from service.model import ComponentState
from service.store.component_states import StateChange
from service.workflow.components import worst

DAYS: Final = 90
DOWN: Final[Mapping[ComponentState, float]] = MappingProxyType(
    {ComponentState.PARTIAL_OUTAGE: 0.3, ComponentState.MAJOR_OUTAGE: 1.0}
)
"""How much of its time a state counts as down. The weights are those that Statuspage documents ("Display historical
uptime of components"); degraded performance and maintenance count as up, as they do there."""


@dataclass(frozen=True, slots=True)
class UptimeDay:
    """How long a component was in which state on one day."""

    date: date
    length: timedelta
    spans: Mapping[ComponentState, timedelta]
    """Only states that it was in."""

    @property
    def state(self) -> ComponentState | None:
        """The worst state of the day; None where nothing is known of it."""
        return worst(self.spans) if self.spans else None

    @property
    def unknown(self) -> timedelta:
        """The part of which nothing is known: before the first record, or still to come."""
        return self.length - sum(self.spans.values(), timedelta())

    def minutes(self, state: ComponentState) -> int:
        """Whole minutes in a state."""
        return round(self.spans.get(state, timedelta()) / timedelta(minutes=1))


@dataclass(frozen=True, slots=True)
class Uptime:
    """How a component did on the last days, the oldest first."""

    days: tuple[UptimeDay, ...]

    @property
    def percent(self) -> float | None:
        """The part of the known time for which it was up; None where nothing is known."""
        known = down = timedelta()
        for day in self.days:
            for state, span in day.spans.items():
                known += span
                down += span * DOWN.get(state, 0.0)
        return 100 * (1 - down / known) if known else None

    @property
    def figure(self) -> str:
        """The same as text, never rounded up to a whole that was not reached; "" where nothing is known."""
        percent = self.percent
        if percent is None:
            return ""
        return "100" if percent == 100 else f"{int(percent * 100) / 100:.2f}"  # noqa: PLR2004  per cent

    @property
    def since(self) -> date | None:
        """The day from which on something is known; None where that is the first of these days, or nothing is."""
        known = next((day.date for day in self.days if day.spans), None)
        return None if known == self.days[0].date else known

    @property
    def reach(self) -> str:
        """Say of how long the figure is, so that nobody takes the minutes of a first day for a quarter of a year."""
        return (
            f"in {len(self.days)} days" if self.since is None else f"since {self.since.day} {self.since:%b}"
        )


def uptimes(
    changes: Iterable[StateChange], *, today: date, now: datetime, zone: ZoneInfo, count: int = DAYS
) -> dict[str, Uptime]:
    """Give the last days of every component that was ever recorded, by its name.

    `changes` are those since the first of these days, and of each component the last one before it.
    """
    by_component: dict[str, list[StateChange]] = {}
    for change in changes:
        by_component.setdefault(change.component, []).append(change)
    dates = _dates(today, count)
    edges = _edges(dates, zone)
    return {name: _uptime(theirs, dates, edges, now) for name, theirs in by_component.items()}


def blank_days(today: date, zone: ZoneInfo, *, count: int = DAYS) -> tuple[UptimeDay, ...]:
    """Give the last days of a component of which nothing was recorded."""
    dates = _dates(today, count)
    return tuple(
        UptimeDay(day, end - start, {})
        for day, (start, end) in zip(dates, pairwise(_edges(dates, zone)), strict=True)
    )


def _dates(today: date, count: int) -> list[date]:
    return [today - timedelta(days=back) for back in reversed(range(count))]


def _edges(dates: Sequence[date], zone: ZoneInfo) -> list[datetime]:
    return [midnight(day, zone) for day in [*dates, dates[-1] + timedelta(days=1)]]


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """Tell when a day begins by the site's clock."""
    return datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)


def _uptime(
    changes: Sequence[StateChange], dates: Sequence[date], edges: Sequence[datetime], now: datetime
) -> Uptime:
    spans: list[dict[ComponentState, timedelta]] = [{} for _ in dates]
    lengths = [end - start for start, end in pairwise(edges)]
    in_order = sorted(changes, key=lambda one: one.since)
    ends = [*(one.since for one in in_order[1:]), now]
    number = 0
    for change, until in zip(in_order, ends, strict=True):
        start, end = max(change.since, edges[0]), min(until, now, edges[-1])
        while start < end:
            while edges[number + 1] <= start:
                number += 1
            stop = min(end, edges[number + 1])
            day = spans[number]
            day[change.state] = day.get(change.state, timedelta()) + (stop - start)
            start = stop
    return Uptime(tuple(map(UptimeDay, dates, lengths, spans)))
