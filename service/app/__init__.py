"""The composition root: builds everything once from config, starts and stops it. The only reader of the clock."""

import time
from datetime import UTC, datetime


def wall_clock() -> datetime:
    """Tell the time: here and below are the only places where it is asked for."""
    return datetime.now(UTC)


def wall_clock_ns() -> int:
    """Tell the time as OpenTelemetry counts it: in nanoseconds since 1970."""
    return time.time_ns()
