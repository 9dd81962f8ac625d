"""How each component did on the last days, without reading again what can no longer change.

Changes of state are only ever appended. The day before today is read with today, since one may be committed a little
after the time that it tells; the days before these two are worked out once and kept, by each process for itself, until
one comes that is later than that, as when posts waited for days to be decided about.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from weakref import WeakKeyDictionary
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from service.store import component_states
from service.store.database import Store
from service.web.public.uptime import DAYS, Uptime, UptimeDay, blank_days, midnight, uptimes

_READ_ANEW: Final = 2
"""Days: today, and the one before it."""


@dataclass(frozen=True, slots=True)
class _Kept:
    today: date
    zone: ZoneInfo
    newest_id: int
    """Of the changes that were read."""
    days: Mapping[str, tuple[UptimeDay, ...]]
    """By component: the days that are over, the oldest first."""
    blank: tuple[UptimeDay, ...]
    """The same days of a component that was recorded later."""


_OF: Final[WeakKeyDictionary[Store, _Kept]] = WeakKeyDictionary()


def last_days(connection: Connection, store: Store, *, now: datetime, zone: ZoneInfo) -> dict[str, Uptime]:
    """Give the last days of every component that was ever recorded, by its name; `connection` is to that store."""
    kept = _OF.get(store)
    if kept is None or not _still_holds(connection, kept, now, zone):
        today, newest_id = now.astimezone(zone).date(), component_states.newest_id(connection)
        found = _read(connection, DAYS, now, zone)
        days = {name: uptime.days[:-_READ_ANEW] for name, uptime in found.items()}
        _OF[store] = _Kept(today, zone, newest_id, days, blank_days(today, zone)[:-_READ_ANEW])
        return found
    recent = _read(connection, _READ_ANEW, now, zone)
    return {name: Uptime((*kept.days.get(name, kept.blank), *uptime.days)) for name, uptime in recent.items()}


def _still_holds(connection: Connection, kept: _Kept, now: datetime, zone: ZoneInfo) -> bool:
    if (kept.today, kept.zone) != (now.astimezone(zone).date(), zone):
        return False
    since = midnight(kept.today - timedelta(days=_READ_ANEW - 1), zone)
    return not component_states.has_late(connection, kept.newest_id, since)


def _read(connection: Connection, count: int, now: datetime, zone: ZoneInfo) -> dict[str, Uptime]:
    today = now.astimezone(zone).date()
    first = midnight(today - timedelta(days=count - 1), zone)
    changes = component_states.history_since(connection, first)
    return uptimes(changes, today=today, now=now, zone=zone, count=count)
