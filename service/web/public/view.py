"""Everything that the status page says, read in one go: how it is now, what is planned, and how it was lately.

It asks the store's public queries and nothing else: what is not published is not here.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from service.actions.house import House
from service.model import MaintenancePhase
from service.store import component_states, incidents, maintenances
from service.web.public.component_states import ComponentGroup, Overall, grouped, overall
from service.web.public.incidents import ShownIncident, shown
from service.web.public.maintenances import ShownMaintenance, shown_maintenances
from service.web.public.past_days import last_days
from service.web.public.uptime import midnight
from service.workflow.components import affected

DAYS_OF_HISTORY = 14
MOST_CURRENT = 50
"""Current incidents shown in full; a storm of more is counted."""
MOST_RECENT = 100
"""Incidents in the history below; a day of which not all would be shown is left to the history's own page."""
MOST_AHEAD = 50


@dataclass(frozen=True, slots=True)
class Day:
    """A day by the site's clock: what was published on it and what maintenance ended, the latest first."""

    date: date
    incidents: tuple[ShownIncident, ...] = ()
    maintenances: tuple[ShownMaintenance, ...] = ()


@dataclass(frozen=True, slots=True)
class PublicView:
    """What anybody may read at this moment."""

    now: datetime
    overall: Overall
    groups: tuple[ComponentGroup, ...]
    current: tuple[ShownIncident, ...]
    not_shown: int
    """Current incidents that are only counted."""
    on: tuple[ShownMaintenance, ...]
    ahead: tuple[ShownMaintenance, ...]
    days: tuple[Day, ...]


def read_view(connection: Connection, house: House, now: datetime) -> PublicView:
    """Read what anybody may read now."""
    zone = house.config.site.timezone
    today = now.astimezone(zone).date()
    current = incidents.current_public(connection)
    on = maintenances.on_now(connection)
    shown_current = shown(connection, house, current[:MOST_CURRENT])
    return PublicView(
        now=now,
        overall=overall(current, on),
        groups=grouped(
            house.config.components,
            affected(current, on),
            last_days(connection, house.store, now=now, zone=zone),
        ),
        current=shown_current,
        not_shown=len(current) - len(shown_current),
        on=shown_maintenances(connection, house, on),
        ahead=shown_maintenances(connection, house, maintenances.ahead(connection)[:MOST_AHEAD]),
        days=_last_days(connection, house, today),
    )


def _last_days(connection: Connection, house: House, today: date) -> tuple[Day, ...]:
    """Give the last days with what happened on each; days that were not read whole are left out.

    So are quiet ones before the first record of all: nobody can say of them that nothing was reported.
    """
    zone = house.config.site.timezone
    since = midnight(today - timedelta(days=DAYS_OF_HISTORY - 1), zone)
    until = midnight(today + timedelta(days=1), zone)
    found = incidents.public_between(connection, since, until, limit=MOST_RECENT + 1)
    recent = shown(connection, house, found)
    count = DAYS_OF_HISTORY
    if len(recent) > MOST_RECENT:
        count = max(1, (today - day_of(recent[-1].published_at, zone)).days)
    over = ended_between(connection, house, since, until)
    by_day = {day.date: day for day in by_days(recent, over, zone)}
    began = _began(connection, zone)
    wanted = [today - timedelta(days=back) for back in range(count)]
    return tuple(
        by_day.get(one, Day(one)) for one in wanted if began is None or began <= one or one in by_day
    )


def _began(connection: Connection, zone: ZoneInfo) -> date | None:
    """Give the first day of which anything is known; None where no component was ever recorded, which tells nothing."""
    recorded_at = component_states.first_at(connection)
    if recorded_at is None:
        return None
    return day_of(min(recorded_at, incidents.first_published_at(connection) or recorded_at), zone)


def ended_between(
    connection: Connection, house: House, since: datetime, until: datetime
) -> tuple[ShownMaintenance, ...]:
    """Read the maintenances that were done and ended from a time until before another, the latest first."""
    found = maintenances.between(connection, since, until, limit=MOST_RECENT)
    done = [one for one in found if one.phase is MaintenancePhase.DONE]
    shown_ones = shown_maintenances(connection, house, done)
    return tuple(one for one in reversed(shown_ones) if since <= one.ends_at < until)


def by_days(
    listed: Sequence[ShownIncident], over: Iterable[ShownMaintenance], zone: ZoneInfo
) -> tuple[Day, ...]:
    """Put incidents and maintenances, the latest first, under the days that they belong to, the latest first."""
    published = {
        day: tuple(theirs) for day, theirs in groupby(listed, lambda one: day_of(one.published_at, zone))
    }
    done: dict[date, list[ShownMaintenance]] = {}
    for one in over:
        done.setdefault(day_of(one.ends_at, zone), []).append(one)
    dates = sorted({*published, *done}, reverse=True)
    return tuple(Day(day, published.get(day, ()), tuple(done.get(day, ()))) for day in dates)


def day_of(at: datetime, zone: ZoneInfo) -> date:
    """Tell on which day something happened by the site's clock."""
    return at.astimezone(zone).date()
