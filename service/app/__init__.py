"""The composition root: builds everything once from config, starts and stops it. The only reader of the clock."""

from datetime import UTC, datetime


def wall_clock() -> datetime:
    """Tell the time: the only place where it is asked for."""
    return datetime.now(UTC)
