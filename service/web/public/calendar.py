"""/calendar.ics: maintenances that are planned, going on, or ended lately, for calendars to subscribe to (RFC 5545).

Times are in UTC, so that no calendar needs to know our time zone.
"""

import re
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from sqlalchemy import Connection
from starlette.routing import Route

from service.model import Maintenance, MaintenancePhase
from service.store import maintenances
from service.web.cross_origin import FROM_ANYWHERE
from service.web.front import Front
from service.web.public.calendar_text import component, moment, text, texts
from service.web.public.maintenances import ShownMaintenance, shown_maintenances
from service.web.public.prepared import Rendering
from service.web.public.showing import show_prepared

LOOKED_BACK: Final = timedelta(days=90)
LOOKED_AHEAD: Final = timedelta(days=3 * 366)
MOST: Final = 500
REFRESH: Final = timedelta(minutes=15)
"""How often calendars should look again."""
MEDIA_TYPE: Final = "text/calendar; charset=utf-8"
_EACH: Final = f"PT{REFRESH // timedelta(minutes=1)}M"

_NO_TEXT: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
"""Control characters, which RFC 5545 section 3.1 keeps out of texts."""


def render_calendar(connection: Connection, front: Front, now: datetime) -> dict[str, Rendering]:
    """Render the calendar; its newest change is its age."""
    house = front.house
    start, end = now - LOOKED_BACK, now + LOOKED_AHEAD
    found = maintenances.between(connection, start, end, limit=MOST)
    site, host = house.config.site, urlsplit(house.config.site.url).hostname or "localhost"
    name = text(_plain(site.name))
    told = (
        ("VERSION", "2.0"),
        ("PRODID", "-//Replycast//Status page//EN"),
        ("NAME", name),  # RFC 7986
        ("X-WR-CALNAME", name),  # what clients read that are older than it
        ("URL", f"{site.url}/"),
        ("REFRESH-INTERVAL;VALUE=DURATION", _EACH),
        ("X-PUBLISHED-TTL", _EACH),
    )
    events = b"".join(
        _event(maintenance, one, f"{site.url}/maintenance/{one.id}", host)
        for maintenance, one in zip(found, shown_maintenances(connection, house, found), strict=True)
    )
    written = component("VCALENDAR", told, events)
    return {"/calendar.ics": Rendering(written, MEDIA_TYPE, headers=FROM_ANYWHERE)}


def _event(maintenance: Maintenance, one: ShownMaintenance, url: str, host: str) -> bytes:
    told = one.updates[0].body if one.updates else one.message
    ends_at = max(one.ends_at, one.starts_at + timedelta(minutes=1))  # it must be later
    is_cancelled = maintenance.phase is MaintenancePhase.CANCELLED
    properties = (
        ("UID", f"maintenance-{one.id}@{host}"),
        ("SEQUENCE", str(maintenance.version)),
        # without a METHOD it is when the entry was last revised (section 3.8.7.2), and never the time of asking
        ("DTSTAMP", moment(one.updated_at)),
        ("CREATED", moment(one.planned_at)),
        ("LAST-MODIFIED", moment(one.updated_at)),
        ("DTSTART", moment(one.starts_at)),
        ("DTEND", moment(ends_at)),
        ("SUMMARY", text(_plain(one.subject))),
        ("DESCRIPTION", text(_plain(f"{told}\n\n{url}"))),
        ("URL", url),
        ("STATUS", "CANCELLED" if is_cancelled else "CONFIRMED"),
        ("TRANSP", "TRANSPARENT"),  # it takes nobody's time
        ("CATEGORIES", texts(_plain(name) for name in ("Maintenance", *one.components))),
    )
    return component("VEVENT", properties)


def _plain(value: str) -> str:
    return _NO_TEXT.sub("", value)


routes = [Route("/calendar.ics", show_prepared)]
