"""When the mailbox is read again after which fault; pauses are only recorded, never spent."""

import threading

import pytest
from structlog.testing import capture_logs

from service.errors import MailboxLoginRefused, MailboxUnavailable, ReplycastError, StoreUnavailable
from service.mail.mailbox_loop import full_jitter, keep_reading, longest_pause

LOST = MailboxUnavailable("the connection was lost")
REFUSED = MailboxLoginRefused("wrong password")
LOCKED = StoreUnavailable("the database is locked")

Script = list[Exception | None]


class Played(threading.Event):
    """Plays reading and waiting by a script of faults, None being success, and is the `stop` at its end."""

    def __init__(self, reads: Script, waits: Script | None = None) -> None:
        super().__init__()
        self._reads = list(reads)
        self._waits = list(waits or [])
        self.waited = 0
        self.hung_up = 0
        self.pauses: list[float] = []
        self.warnings: list[str] = []
        keep_reading(
            poll=self._read,
            wait=self._wait_for_news,
            hang_up=self._hang_up,
            stop=self,
            warn=self.warnings.append,
            jitter=float,
            clock=lambda: sum(self.pauses),
        )

    def wait(self, timeout: float | None = None) -> bool:
        """Record the pause instead of spending it."""
        self.pauses.append(timeout or 0.0)
        return self.is_set()

    def _read(self) -> None:
        fault = self._reads.pop(0)
        if not self._reads:
            self.set()
        if fault is not None:
            raise fault

    def _wait_for_news(self) -> None:
        self.waited += 1
        fault = self._waits.pop(0) if self._waits else None
        if fault is not None:
            raise fault

    def _hang_up(self) -> None:
        self.hung_up += 1


@pytest.mark.parametrize(
    ("reads", "waits", "pauses"),
    [
        ([None, None, None], [], []),
        ([LOST, None], [], [0]),
        ([LOST, LOST, LOST, LOST, LOST, LOST, None], [], [0, 1, 1, 2, 4, 8]),
        ([LOST, LOST, None, LOST, LOST, None], [], [0, 1, 0, 1]),
        ([None, None], [LOST], [0]),
        ([None, None, None, None], [LOST, LOST, LOST], [0, 1, 1]),
        ([REFUSED, None], [], [900]),
        ([None, LOCKED, None], [], []),
    ],
    ids=[
        "success needs no pause",
        "the first loss is mended at once",
        "a server that stays away is asked less and less",
        "a wait in peace forgets earlier losses",
        "a connection lost while idling is mended at once",
        "a server that drops us at each wait is asked less and less",
        "a refused login is tried again after fifteen minutes",
        "an unavailable store waits for the next slice only",
    ],
)
def test_the_pauses_between_reads(reads: Script, waits: Script, pauses: list[float]) -> None:
    assert Played(reads, waits).pauses == pauses


@pytest.mark.parametrize(
    ("fault", "hang_ups"), [(LOST, 2), (REFUSED, 2), (LOCKED, 1)], ids=["lost", "refused", "locked"]
)
def test_only_a_fault_of_the_mailbox_ends_the_connection(fault: ReplycastError, hang_ups: int) -> None:
    assert Played([fault, None]).hung_up == hang_ups


@pytest.mark.parametrize("fault", [LOST, REFUSED, LOCKED])
def test_every_fault_is_told_to_a_person(fault: ReplycastError) -> None:
    (warning,) = Played([fault, None]).warnings
    assert str(fault) in warning


def test_what_nobody_foresaw_is_logged_and_replies_are_read_all_the_same() -> None:
    with capture_logs() as said:
        played = Played([ValueError("nobody thought of this"), ValueError("nor of this"), None])
    assert [(one["event"], one["log_level"]) for one in said] == [
        ("mailbox: it could not be read", "error")
    ] * 2
    assert played.pauses == [0, 1]
    assert played.waited == 1
    assert played.hung_up == 3


def test_a_connection_that_breaks_while_stopping_is_not_worth_a_word() -> None:
    assert Played([LOST]).warnings == []


@pytest.mark.parametrize(
    ("failures", "seconds"), [(0, 0), (1, 0), (2, 1), (3, 2), (4, 4), (10, 256), (11, 300), (5000, 300)]
)
def test_pauses_grow_from_nothing_over_a_second_to_five_minutes(failures: int, seconds: float) -> None:
    assert longest_pause(failures) == seconds


def test_a_pause_lies_between_nothing_and_its_bound() -> None:
    assert all(0.0 <= full_jitter(4.0) <= 4.0 for _ in range(100))
