"""How long a claim lasts, and what is decided by it: numbers and clocks alone."""

import inspect
from datetime import UTC, datetime, timedelta

import pytest

from service.mail import pipelining
from service.outbox.claims import BEGUN_WITHIN, LONGEST_MAIL, TO_RECORD, Claim
from service.outbox.hands import MAILS_A_SESSION, sessions_wanted
from service.outbox.outcomes import LEASE
from service.outbox.relay import LOGIN_PAUSE, LONGEST_PAUSE, LONGEST_RETRY
from service.store.far_ahead import FURTHEST

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SHORTLY, LATER = timedelta(seconds=1), BEGUN_WITHIN
COMMANDS = ("MAIL", "RCPT", "DATA")
"""Each of which is answered before the text goes out."""


def test_a_claim_lasts_longer_than_the_longest_mail_that_is_begun_under_it() -> None:
    asked = inspect.signature(pipelining.open_pipelined).parameters
    longest = len(COMMANDS) * asked["command_timeout"].default + asked["data_timeout"].default
    assert timedelta(seconds=longest) == LONGEST_MAIL
    assert BEGUN_WITHIN + LONGEST_MAIL + TO_RECORD <= LEASE
    assert timedelta(minutes=1) <= BEGUN_WITHIN, "few are claimed anew"
    assert timedelta(0) < TO_RECORD


def test_nothing_is_put_off_for_so_long_as_is_taken_for_a_clock_that_was_set_back() -> None:
    assert max(LEASE, LONGEST_RETRY, LONGEST_PAUSE, LOGIN_PAUSE) + LEASE < FURTHEST


@pytest.mark.parametrize(
    ("by_the_clock", "by_the_monotonic_clock", "may_begin"),
    [
        (SHORTLY, SHORTLY, True),
        (LATER, SHORTLY, False),
        (SHORTLY, LATER, False),
        (-timedelta(days=2), SHORTLY, True),
        (-timedelta(days=2), LATER, False),
    ],
    ids=["at once", "the clock was set on", "the clock was set back", "by days", "by days, and late"],
)
def test_a_mail_begins_only_while_both_clocks_say_so(
    by_the_clock: timedelta, by_the_monotonic_clock: timedelta, *, may_begin: bool
) -> None:
    claim = Claim(1, NOW, 500.0)
    assert claim.may_begin(NOW + by_the_clock, 500.0 + by_the_monotonic_clock.total_seconds()) is may_begin


@pytest.mark.parametrize(
    ("waiting", "slow", "wanted"),
    [
        (0, 0, 1),
        (MAILS_A_SESSION - 1, 0, 1),
        (2 * MAILS_A_SESSION, 0, 3),
        (99, 0, 4),
        (0, 1, 1),
        (1, 1, 2),
        (2, 1, 3),
        (1, 3, 4),
        (99, 4, 4),
    ],
)
def test_beside_slow_sessions_each_mail_that_waits_has_one_of_its_own(
    waiting: int, slow: int, wanted: int
) -> None:
    assert sessions_wanted(waiting, slow, most=4) == wanted
