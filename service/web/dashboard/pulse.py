"""What employees see of the service and no row of the database tells: its parts, and whether its file changed."""

from typing import NamedTuple, Self
from zlib import crc32

from sqlalchemy import Connection

from service.store.employee_stamp import Stamp, employee_stamp
from service.web.dashboard.config_file import version_of
from service.web.front import Front

_LARGEST = 1 << 32


def pulse_of(front: Front) -> int:
    """Give what differs once a page would show another state of a part, or another config.yaml on disk.

    Times at which something went well again are left out: they move all the time and are no news.
    """
    seen = front.seen()
    shown = (
        version_of(front.house.config.path),
        front.problems(),
        seen.is_standby,
        seen.decided_at is None,
        seen.mailbox_read_at is None,
        seen.relay_fails_since,
        seen.config_refused_at,
        seen.config_in_force_at,
    )
    return crc32(repr(shown).encode())


class Mark(NamedTuple):
    """How new a page is: in its rows, and in what stands in no row."""

    stamp: Stamp
    pulse: int | None = None
    """None: the page shows nothing of it."""

    def __str__(self) -> str:
        """Write it as an address or an event's id may hold it."""
        return str(self.stamp) if self.pulse is None else f"{self.stamp}~{self.pulse}"

    @classmethod
    def read(cls, text: str) -> Self | None:
        """Read what `str` wrote; None for anything else."""
        rows, has_pulse, word = text.partition("~")
        stamp = Stamp.read(rows)
        if stamp is None or not has_pulse:
            return None if stamp is None else cls(stamp)
        is_pulse = (
            word.isascii() and word.isdigit() and len(word) <= len(str(_LARGEST)) and int(word) < _LARGEST
        )
        return cls(stamp, int(word)) if is_pulse else None


def mark_of(front: Front, connection: Connection) -> Mark:
    """Mark a page that also shows how the service is; to be taken before anything that the page shows is read."""
    return Mark(pulse=pulse_of(front), stamp=employee_stamp(connection))
