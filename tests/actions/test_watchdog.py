"""What the watchdog finds in facts, and how often it tells."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.actions.watchdog import (
    DECIDES_WITHIN,
    TOLD_AGAIN_AFTER,
    Facts,
    Problem,
    ProblemName,
    Seen,
    Told,
    find_problems,
    next_standing,
    not_known_yet,
)
from service.config.settings import Watchdog
from service.store.observing import Queue
from service.store.standing_problems import Standing

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
LIMITS = Watchdog()
OFF = Watchdog(timedelta(0), timedelta(0), timedelta(0))
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


def ago(**span: float) -> datetime:
    """Give a time before now."""
    return NOW - timedelta(**span)


READING = Seen(ago(hours=1), decided_at=NOW, mailbox_since=ago(hours=1), mailbox_read_at=NOW)
ALWAYS_KNOWN = {ProblemName.DECIDER_STOPPED, ProblemName.INBOX_OLD, ProblemName.CONFIG_REFUSED}
"""What is not to be turned off, and what every process knows of itself."""
JUST_STARTED = Seen(started_at=ago(minutes=1), mailbox_since=ago(minutes=1))
CASES = [
    ("all is well", Facts(READING, expects_posts=True, last_post_at=ago(days=6)), ()),
    ("it has just begun", Facts(JUST_STARTED, expects_posts=True, watched_since=ago(minutes=1)), ()),
    (
        "no post for over a week",
        Facts(READING, expects_posts=True, last_post_at=ago(days=8)),
        (Problem(ProblemName.NO_WEBHOOK, ago(days=8)),),
    ),
    (
        "no post ever",
        Facts(READING, expects_posts=True, watched_since=ago(days=8)),
        (Problem(ProblemName.NO_WEBHOOK, ago(days=8)),),
    ),
    (
        "an old installation, but posts come in",
        Facts(READING, expects_posts=True, watched_since=ago(days=80), last_post_at=ago(days=1)),
        (),
    ),
    ("no monitor is configured", Facts(READING, expects_posts=False, last_post_at=ago(days=8)), ()),
    (
        "the mailbox was read eleven minutes ago",
        Facts(
            Seen(decided_at=NOW, mailbox_since=ago(hours=1), mailbox_read_at=ago(minutes=11)),
            expects_posts=False,
        ),
        (Problem(ProblemName.MAILBOX_UNREAD, ago(minutes=11)),),
    ),
    (
        "the mailbox was never read since it was configured",
        Facts(Seen(ago(days=2), decided_at=NOW, mailbox_since=ago(minutes=11)), expects_posts=False),
        (Problem(ProblemName.MAILBOX_UNREAD, ago(minutes=11)),),
    ),
    ("there is no mailbox", Facts(Seen(ago(minutes=11), decided_at=NOW), expects_posts=False), ()),
    (
        "a mail to an employee waits",
        Facts(READING, expects_posts=False, employees_wait_since=ago(minutes=6)),
        (Problem(ProblemName.OUTBOX_OLD, ago(minutes=6)),),
    ),
    (
        "nobody sends what is due to subscribers",
        Facts(READING, expects_posts=False, first_due={Queue.SUBSCRIBERS: ago(minutes=7)}),
        (Problem(ProblemName.OUTBOX_OLD, ago(minutes=7)),),
    ),
    (
        "what waits for the relay is put off again and again",
        Facts(
            Seen(decided_at=NOW, relay_fails_since=ago(minutes=8)),
            expects_posts=False,
            first_due={Queue.SUBSCRIBERS: NOW + MINUTE},
        ),
        (Problem(ProblemName.OUTBOX_OLD, ago(minutes=8)),),
    ),
    (
        "the relay failed, but nothing waits for it",
        Facts(
            Seen(decided_at=NOW, relay_fails_since=ago(minutes=8)),
            expects_posts=False,
            first_due={Queue.CALLS: NOW + MINUTE},
        ),
        (),
    ),
    (
        "the decider stopped",
        Facts(Seen(ago(hours=1), decided_at=ago(minutes=3)), expects_posts=False),
        (Problem(ProblemName.DECIDER_STOPPED, ago(minutes=3)),),
    ),
    (
        "config.yaml is refused",
        Facts(Seen(decided_at=NOW, config_refused_at=ago(minutes=2)), expects_posts=False),
        (Problem(ProblemName.CONFIG_REFUSED, ago(minutes=2)),),
    ),
    (
        "a slip in config.yaml that is being mended",
        Facts(Seen(decided_at=NOW, config_refused_at=ago(seconds=50)), expects_posts=False),
        (),
    ),
    (
        "arrivals wait, whoever decides",
        Facts(Seen(ago(hours=1), is_standby=True), expects_posts=False, arrivals_wait_since=ago(minutes=6)),
        (Problem(ProblemName.INBOX_OLD, ago(minutes=6)),),
    ),
    (
        "arrivals wait as in a storm",
        Facts(Seen(ago(hours=1), decided_at=NOW), expects_posts=False, arrivals_wait_since=ago(minutes=4)),
        (),
    ),
    (
        "another instance decides",
        Facts(Seen(ago(hours=1), decided_at=ago(minutes=3), is_standby=True), expects_posts=False),
        (),
    ),
]


@pytest.mark.parametrize(("facts", "found"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_it_finds(facts: Facts, found: tuple[Problem, ...]) -> None:
    assert find_problems(facts, LIMITS, NOW) == found


@pytest.mark.parametrize("facts", [case[1] for case in CASES], ids=[case[0] for case in CASES])
def test_what_is_turned_off_is_never_found(facts: Facts) -> None:
    assert {one.name for one in find_problems(facts, OFF, NOW)} <= ALWAYS_KNOWN


@pytest.mark.parametrize(
    ("facts", "limits", "unknown"),
    [
        (Facts(READING, expects_posts=True), LIMITS, set()),
        (Facts(READING, expects_posts=False), LIMITS, {ProblemName.NO_WEBHOOK}),
        (
            Facts(JUST_STARTED, expects_posts=True),
            LIMITS,
            {ProblemName.MAILBOX_UNREAD, ProblemName.DECIDER_STOPPED},
        ),
        (
            Facts(
                replace(READING, started_at=ago(minutes=1)), expects_posts=True, first_due={Queue.CALLS: NOW}
            ),
            LIMITS,
            {ProblemName.OUTBOX_OLD},
        ),
        (Facts(READING, expects_posts=True, first_due={Queue.CALLS: NOW}), LIMITS, set()),
        (Facts(READING, expects_posts=True), OFF, set(ProblemName) - ALWAYS_KNOWN),
    ],
)
def test_what_was_not_tried_yet_or_is_turned_off_is_not_taken_for_mended(
    facts: Facts, limits: Watchdog, unknown: set[ProblemName]
) -> None:
    assert not_known_yet(facts, limits, NOW) == unknown


def test_a_limit_is_not_yet_a_problem() -> None:
    facts = Facts(Seen(decided_at=NOW - DECIDES_WITHIN), expects_posts=True, last_post_at=ago(days=7))
    assert find_problems(facts, LIMITS, NOW) == ()
    late = NOW + timedelta.resolution
    assert len(find_problems(facts, LIMITS, late)) == 2


def told(looks: list[tuple[timedelta, bool]]) -> list[tuple[timedelta, Told]]:
    """Let the watchdog look at some times at whether there is a problem; give what the admins were told, and when."""
    standing: Standing | None = Standing(NOW - 9 * DAY, ended_at=NOW - 8 * DAY, told_at=NOW - 9 * DAY)
    heard = []
    for at, is_there in looks:
        now = NOW + at
        problem = Problem(ProblemName.OUTBOX_OLD, now) if is_there else None
        standing, said = next_standing(standing, problem, now)
        heard += [(at, said)] if said else []
    return heard


def test_a_problem_is_told_when_it_begins_and_when_it_ends_however_long_it_lasts() -> None:
    looks = [(hours * timedelta(hours=1), hours < 100) for hours in range(120)]
    assert told(looks) == [(timedelta(0), Told.BEGAN), (timedelta(hours=100), Told.ENDED)]


def test_one_that_comes_and_goes_is_told_once_a_day() -> None:
    looks = [(minutes * MINUTE, minutes % 2 == 0) for minutes in range(2 * 24 * 60)]
    assert told(looks) == [
        (timedelta(0), Told.BEGAN),
        (MINUTE, Told.ENDED),
        (DAY, Told.BEGAN),
        (DAY + MINUTE, Told.ENDED),
    ]


def test_one_that_began_again_untold_is_told_if_it_is_still_there_a_day_after_the_last() -> None:
    looks = [(timedelta(0), True), (MINUTE, False), (2 * MINUTE, True), (DAY, True)]
    assert told(looks) == [(timedelta(0), Told.BEGAN), (MINUTE, Told.ENDED), (DAY, Told.BEGAN)]


@given(st.lists(st.tuples(st.integers(0, 10_000), st.booleans()), max_size=200))
def test_nobody_is_told_twice_within_a_day_or_of_an_end_without_a_beginning(
    looks: list[tuple[int, bool]],
) -> None:
    heard = told([(minutes * MINUTE, there) for minutes, there in sorted(looks)])
    began = [at for at, said in heard if said is Told.BEGAN]
    assert all(later - earlier >= TOLD_AGAIN_AFTER for earlier, later in pairwise(began))
    assert [said for _, said in heard] == ([Told.BEGAN, Told.ENDED] * len(heard))[: len(heard)]


def test_each_problem_says_what_to_look_at() -> None:
    for name in ProblemName:
        problem = Problem(name, NOW)
        assert problem.title
        assert problem.advice.endswith(".")
