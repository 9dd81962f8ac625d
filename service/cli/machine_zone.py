"""The time zone that this machine is set to, as a first guess for `replycast init`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final
from zoneinfo import available_timezones

LOCAL_TIME: Final = Path("/etc/localtime")
"""A link into the time zone database, on Linux (localtime(5)) as on macOS."""
UNKNOWN: Final = "UTC"


def machine_zone(environ: Mapping[str, str], local_time: Path = LOCAL_TIME) -> str:
    """Give its IANA name: that of TZ, or else where /etc/localtime leads; UTC where neither tells one."""
    try:
        linked = str(local_time.readlink())
    except OSError:
        linked = ""
    known = available_timezones()
    named = (_name_in(one) for one in (environ.get("TZ", "").removeprefix(":"), linked))
    return next((name for name in named if name in known), UNKNOWN)


def _name_in(path: str) -> str:
    """Leave out the folder of the database: `/usr/share/zoneinfo/Europe/Berlin` is `Europe/Berlin`."""
    return path.rpartition("zoneinfo/")[2]
