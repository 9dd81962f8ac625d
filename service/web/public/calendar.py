"""/calendar.ics: maintenances that are planned, going on, or ended lately, for calendars to subscribe to (RFC 5545).

Times are in UTC, so that no calendar needs to know our time zone.
"""

import re
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from icalendar import Calendar, Event, Timezone, TimezoneStandard
from sqlalchemy import Connection
from starlette.routing import Route

from service.calls.readings import to_plain
from service.model import Maintenance, MaintenancePhase
from service.store import maintenances
from service.web.cross_origin import FROM_ANYWHERE
from service.web.front import Front
from service.web.public.maintenances import ShownMaintenance, shown_maintenances
from service.web.public.prepared import Rendering
from service.web.public.showing import show_prepared

LOOKED_BACK: Final = timedelta(days=90)
LOOKED_AHEAD: Final = timedelta(days=3 * 366)
MOST: Final = 500
REFRESH: Final = timedelta(minutes=15)
"""How often calendars should look again."""
MEDIA_TYPE: Final = "text/calendar; charset=utf-8"

_NO_TEXT: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
"""Control characters, which RFC 5545 section 3.1 keeps out of texts."""


def render_calendar(connection: Connection, front: Front, now: datetime) -> dict[str, Rendering]:
    """Render the calendar; its newest change is its age."""
    house = front.house
    start, end = now - LOOKED_BACK, now + LOOKED_AHEAD
    found = maintenances.between(connection, start, end, limit=MOST)
    site, host = house.config.site, urlsplit(house.config.site.url).hostname or "localhost"
    calendar = Calendar()
    calendar.add("prodid", "-//Replycast//Status page//EN")
    calendar.add("version", "2.0")
    calendar.add("name", _text(site.name))  # RFC 7986
    calendar.add("x-wr-calname", _text(site.name))  # what clients read that are older than it
    calendar.add("url", f"{site.url}/")
    calendar.add("refresh-interval", REFRESH, parameters={"value": "DURATION"})
    calendar.add("x-published-ttl", f"PT{REFRESH // timedelta(minutes=1)}M")
    calendar.add_component(_utc())
    for maintenance, one in zip(found, shown_maintenances(connection, house, found), strict=True):
        calendar.add_component(_event(maintenance, one, f"{site.url}/maintenance/{one.id}", host))
    return {"/calendar.ics": Rendering(calendar.to_ical(), MEDIA_TYPE, headers=FROM_ANYWHERE)}


def _utc() -> Timezone:
    """Describe the zone of all times: a calendar without events is to have something in it too (section 3.6)."""
    zone, standard = Timezone(), TimezoneStandard()
    zone.add("tzid", "UTC")
    standard.add("dtstart", datetime(1970, 1, 1))  # noqa: DTZ001  the form of a local time that section 3.6.5 demands
    standard.add("tzoffsetfrom", timedelta())
    standard.add("tzoffsetto", timedelta())
    zone.add_component(standard)
    return zone


def _event(maintenance: Maintenance, one: ShownMaintenance, url: str, host: str) -> Event:
    event = Event()
    event.add("uid", f"maintenance-{one.id}@{host}")
    event.add("sequence", maintenance.version)
    # without a METHOD it is when the entry was last revised (section 3.8.7.2), and never the time of asking
    event.add("dtstamp", one.updated_at)
    event.add("created", one.planned_at)
    event.add("last-modified", one.updated_at)
    event.add("dtstart", one.starts_at)
    event.add("dtend", max(one.ends_at, one.starts_at + timedelta(minutes=1)))  # it must be later
    event.add("summary", _text(one.subject))
    said = to_plain(one.updates[0].body if one.updates else one.message)
    event.add("description", _text(f"{said}\n\n{url}"))
    event.add("url", url)
    event.add("status", "CANCELLED" if maintenance.phase is MaintenancePhase.CANCELLED else "CONFIRMED")
    event.add("transp", "TRANSPARENT")  # it takes nobody's time
    event.add("categories", [_text(name) for name in ("Maintenance", *one.components)])
    return event


def _text(text: str) -> str:
    return _NO_TEXT.sub("", text)


routes = [Route("/calendar.ics", show_prepared)]
