"""Moments as a person at a terminal reads them: in the zone of the site, as on its pages and in its mails."""

from datetime import datetime
from zoneinfo import ZoneInfo


def in_zone(moment: datetime, zone: ZoneInfo, *, seconds: bool = False) -> str:
    """Write a moment, to the minute or to the second, with the name of its zone: `2026-11-24 13:00 CET`."""
    return f"{moment.astimezone(zone):{'%Y-%m-%d %H:%M:%S %Z' if seconds else '%Y-%m-%d %H:%M %Z'}}"
