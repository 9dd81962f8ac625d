"""What employees see of the service and no row of the database tells: its parts, and whether its file changed."""

from collections.abc import Hashable

from service.web.dashboard.config_file import version_of
from service.web.front import Front


def pulse_of(front: Front) -> Hashable:
    """Give what differs once a page would show another state of a part, or another config.yaml on disk.

    Times at which something went well again are left out: they move all the time and are no news.
    """
    seen = front.seen()
    return (
        version_of(front.house.config.path),
        front.problems(),
        seen.is_standby,
        seen.decided_at is None,
        seen.mailbox_read_at is None,
        seen.relay_fails_since,
        seen.config_refused_at,
        seen.config_in_force_at,
    )
