"""What keeps the service from its work, found in facts: pure. It never asks, never tells, and reads no clock."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from service.config.settings import Watchdog
from service.store.observing import Queue
from service.store.standing_problems import Standing

DECIDES_WITHIN: Final = timedelta(minutes=2)
"""Longer than any turn of the decider takes, with every look into the DNS timing out."""
WORKED_OFF_WITHIN: Final = timedelta(minutes=5)
"""Longer than it takes another instance to take over, and than posts wait in a storm of them."""
CONFIG_MENDED_WITHIN: Final = timedelta(minutes=1)
"""Whoever edits config.yaml sees and mends a slip of his own; after that it is told."""
TOLD_AGAIN_AFTER: Final = timedelta(days=1)
"""How long after the admins were told of a problem they are not told that it began once more."""


class ProblemName(StrEnum):
    """What may keep the service from its work."""

    NO_WEBHOOK = "no_webhook"
    MAILBOX_UNREAD = "mailbox_unread"
    OUTBOX_OLD = "outbox_old"
    DECIDER_STOPPED = "decider_stopped"
    INBOX_OLD = "inbox_old"
    CONFIG_REFUSED = "config_refused"


TOLD_BY_ALL: Final = frozenset({ProblemName.INBOX_OLD})
"""Of which any instance tells the admins: the one that decides, and tells of all else, may stand still."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem, and since when there is what it is told by."""

    name: ProblemName
    since: datetime

    @property
    def title(self) -> str:
        """What is wrong, in a few words."""
        return _WORDS[self.name].began

    @property
    def advice(self) -> str:
        """What to look at, in one sentence."""
        return _WORDS[self.name].advice


@dataclass(frozen=True, slots=True)
class Seen:
    """What only this process knows of its own work; None: it is not known, or there was none yet."""

    started_at: datetime | None = None
    decided_at: datetime | None = None
    """When the last turn of the decider ended."""
    is_standby: bool = False
    """Whether another instance decides, and tells the admins."""
    mailbox_since: datetime | None = None
    """Since when there is a mailbox to read; None: there is none."""
    mailbox_read_at: datetime | None = None
    """When the mailbox was last read to its end."""
    relay_fails_since: datetime | None = None
    config_in_force_at: datetime | None = None
    config_refused_at: datetime | None = None
    """When the last attempt to put config.yaml in force failed; None: it did not."""
    config_fault: str = ""
    """Its first fault then, with its place."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the watchdog judges by."""

    seen: Seen
    expects_posts: bool
    """Whether any monitor is configured."""
    watched_since: datetime | None = None
    """Since when posts could have come in."""
    last_post_at: datetime | None = None
    employees_wait_since: datetime | None = None
    arrivals_wait_since: datetime | None = None
    """When the oldest arrival came that was not worked off."""
    first_due: Mapping[Queue, datetime] = field(default_factory=dict)


class Told(StrEnum):
    """What the admins are to be told of a problem."""

    BEGAN = "began"
    ENDED = "ended"


def find_problems(facts: Facts, limits: Watchdog, now: datetime) -> tuple[Problem, ...]:
    """Give the problems that there are, each with its beginning."""
    return tuple(
        Problem(name, since)
        for name, since, limit in _spans(facts, limits)
        if since is not None and limit and now - since > limit
    )


def _spans(facts: Facts, limits: Watchdog) -> Iterator[tuple[ProblemName, datetime | None, timedelta]]:
    """Give since when each thing is as it should not be for longer than a limit."""
    seen = facts.seen
    since = facts.last_post_at or facts.watched_since if facts.expects_posts else None
    yield ProblemName.NO_WEBHOOK, since, limits.no_webhook_for
    since = seen.mailbox_read_at or seen.mailbox_since if seen.mailbox_since else None
    yield ProblemName.MAILBOX_UNREAD, since, limits.mailbox_unread_for
    yield ProblemName.OUTBOX_OLD, _outbox_waits_since(facts), limits.outbox_older_than
    since = None if seen.is_standby else seen.decided_at or seen.started_at
    yield ProblemName.DECIDER_STOPPED, since, DECIDES_WITHIN
    yield ProblemName.INBOX_OLD, facts.arrivals_wait_since, WORKED_OFF_WITHIN
    yield ProblemName.CONFIG_REFUSED, seen.config_refused_at, CONFIG_MENDED_WITHIN


def not_known_yet(facts: Facts, limits: Watchdog, now: datetime) -> frozenset[ProblemName]:
    """Give the problems of which it cannot be said that they are over, though none is to be seen.

    A process that has just begun has not tried the mailbox or the relay yet, and what is turned off is not mended.
    """
    seen = facts.seen
    is_new = seen.started_at is not None and now - seen.started_at <= limits.outbox_older_than
    cannot_tell = {
        ProblemName.NO_WEBHOOK: not limits.no_webhook_for or not facts.expects_posts,
        ProblemName.MAILBOX_UNREAD: not limits.mailbox_unread_for or seen.mailbox_read_at is None,
        ProblemName.OUTBOX_OLD: not limits.outbox_older_than or (is_new and bool(facts.first_due)),
        ProblemName.DECIDER_STOPPED: seen.decided_at is None,
    }
    return frozenset(name for name, is_so in cannot_tell.items() if is_so)


def _outbox_waits_since(facts: Facts) -> datetime | None:
    """Tell since when the outbox stands: the oldest mail, a queue that nobody works off, or the relay.

    While the relay fails, what waits is put off again and again, so that it alone knows since when.
    """
    due = facts.first_due
    waits_for_relay = Queue.EMPLOYEES in due or Queue.SUBSCRIBERS in due
    found = (
        facts.employees_wait_since,
        due.get(Queue.SUBSCRIBERS),
        due.get(Queue.CALLS),
        facts.seen.relay_fails_since if waits_for_relay else None,
    )
    return min((at for at in found if at is not None), default=None)


def next_standing(
    before: Standing | None, problem: Problem | None, now: datetime
) -> tuple[Standing | None, Told | None]:
    """Tell how a kind of problem stands after another look, and what of it the admins are to be told.

    They hear of its beginning once, and not again within a day, however often it comes and goes; and of its end
    where they heard of its beginning.
    """
    if problem is None:
        if before is None or before.ended_at is not None:
            return before, None
        ended = replace(before, ended_at=now, is_told=False)
        return ended, Told.ENDED if before.is_told else None
    told_at = before.told_at if before else None
    is_new = before is None or before.ended_at is not None
    standing = Standing(problem.since, told_at=told_at) if before is None or is_new else before
    if standing.is_told or (told_at is not None and now - told_at < TOLD_AGAIN_AFTER):
        return standing, None
    return replace(standing, told_at=now, is_told=True), Told.BEGAN


@dataclass(frozen=True, slots=True)
class _Words:
    began: str
    ended: str
    advice: str


def ended_title(name: ProblemName) -> str:
    """Say in a few words that a problem is over."""
    return _WORDS[name].ended


_WORDS: Final[Mapping[ProblemName, _Words]] = {
    ProblemName.NO_WEBHOOK: _Words(
        "No webhook comes in",
        "Webhooks come in again",
        "Look whether the monitoring product still has its outgoing webhooks, and whether it reaches this address.",
    ),
    ProblemName.MAILBOX_UNREAD: _Words(
        "The mailbox of replies is not read",
        "The mailbox of replies is read again",
        "Replies have no effect until it is: replycast doctor says what is wrong with mail.imap.",
    ),
    ProblemName.OUTBOX_OLD: _Words(
        "Mails wait in the outbox",
        "Mails leave the outbox again",
        "Nobody is told of anything until they leave: replycast doctor says what is wrong with mail.smtp.",
    ),
    ProblemName.DECIDER_STOPPED: _Words(
        "Nothing is decided",
        "Decisions are made again",
        "Posts and replies are stored, but have no effect: the log says why, and a restart does no harm.",
    ),
    ProblemName.INBOX_OLD: _Words(
        "Posts or replies wait to be decided about",
        "Posts and replies are decided about again",
        "They are stored, but have no effect yet: the log of the instance that decides says why, and where it stands "
        "still, ending it lets another one take over.",
    ),
    ProblemName.CONFIG_REFUSED: _Words(
        "The changed config.yaml is not in force",
        "config.yaml is in force again",
        "What ran before runs on; a restart would fail. replycast check says what is wrong, with line and column.",
    ),
}
