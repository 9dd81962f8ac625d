"""Decides when to read the mailbox again and how long to pause after which fault, until told to stop.

It knows nothing of IMAP: reading, waiting for news and hanging up are given to it.
"""

import random
import threading
import time
from collections.abc import Callable
from typing import Final

import structlog

from service.errors import MailboxLoginRefused, MailboxUnavailable, StoreUnavailable

FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 300.0
LOGIN_PAUSE: Final = 900.0
"""Seconds after a refused login: trying sooner makes servers lock the account."""


_log = structlog.get_logger()


def longest_pause(failures: int) -> float:
    """Give the most seconds to wait after so many failures in a row.

    The first is tried again at once, so that a connection lost while idling misses nothing; then the bound
    doubles from one second to five minutes.
    """
    if failures <= 1:
        return 0.0
    return min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(failures - 2, 30))


def full_jitter(most: float) -> float:
    """Draw a pause between nothing and `most` seconds, so that many clients do not come back as one."""
    return random.SystemRandom().uniform(0.0, most)


def keep_reading(
    *,
    poll: Callable[[], object],
    wait: Callable[[], None],
    hang_up: Callable[[], None],
    stop: threading.Event,
    warn: Callable[[str], None],
    jitter: Callable[[float], float] = full_jitter,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Read (`poll`), then wait for news (`wait`), over and over, until `stop` is set; then hang up.

    MailboxUnavailable reconnects after a pause, MailboxLoginRefused after fifteen minutes, and after
    StoreUnavailable the mails are read again at the next slice. Only a wait that ends in peace forgets
    earlier failures: a server that lets us in and drops us each time is not knocked at for ever. `warn` is
    told of each fault and what comes of it. What nobody foresaw is logged, and is no end of it either.

    No pause is longer than the mailbox was away by then, in seconds of `clock`: so it is read soon after it is
    back, however short the pauses before happened to be.
    """
    failures, since = 0, 0.0

    def pause_of(failures: int) -> float:
        return jitter(min(longest_pause(failures), max(clock() - since, FIRST_PAUSE)))

    try:
        while not stop.is_set():
            try:
                _read(poll, warn)
                wait()
            except MailboxLoginRefused as fault:
                hang_up()
                warn(f"{fault}; trying again in {LOGIN_PAUSE / 60:.0f} minutes")
                stop.wait(LOGIN_PAUSE)
            except MailboxUnavailable as fault:
                hang_up()
                if stop.is_set():
                    break
                since = since if failures else clock()
                failures += 1
                pause = pause_of(failures)
                warn(f"{fault}; connecting again in {pause:.0f} s")
                stop.wait(pause)
            except Exception:  # noqa: BLE001  the outermost loop of the mailbox: replies are to be read all the same
                _log.exception("mailbox: it could not be read")
                hang_up()
                since = since if failures else clock()
                failures += 1
                stop.wait(pause_of(failures))
            else:
                failures = 0
    finally:
        hang_up()


def _read(poll: Callable[[], object], warn: Callable[[str], None]) -> None:
    try:
        poll()
    except StoreUnavailable as fault:
        warn(f"replies stay in the mailbox for now: {fault}")
