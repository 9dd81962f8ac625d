"""What is done again and again: work off the inbox, fire timers, raise alarms, keep house.

Each job does a bounded part of what is due at the time it is given and returns whether there may be more: a flood
of one thing holds up no other.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import TypeVar

import structlog
from sqlalchemy import Connection

from service import inbox
from service.actions import answering_once
from service.actions.alerts import fire_timer, take_alerts
from service.actions.bouncing import note_bounce, raise_alarms
from service.actions.house import House
from service.actions.mailed_alerts import take_mailed_alert
from service.actions.maintaining import fire_maintenance_timer
from service.actions.notes import Work
from service.actions.replying import act_on_reply
from service.errors import IncidentChangedMeanwhile, MailUnreadable, PostUnreadable, StoreUnavailable
from service.mail.authenticity import Judgement, Verdict
from service.mail.bounces import read_bounce
from service.mail.imap import FetchedMail
from service.mail.replies import Reply
from service.providers.post import PostContent, RawPost
from service.providers.registry import read_post
from service.store import (
    audience_changes,
    audit,
    credentials,
    given_answers,
    inbox_bodies,
    inbox_rows,
    incidents,
    maintenances,
    old_deliveries,
    old_posts,
    open_incidents,
)
from service.store.database import Store
from service.store.inbox_rows import Arrival, Door, InboxRow, InboxState
from service.store.whats_due import is_to_decide

OF_MACHINE = Judgement(Verdict.UNKNOWN, "not judged: a machine wrote it")
OF_STRANGER = Judgement(Verdict.UNKNOWN, "not judged: its sender is no employee")
ARRIVALS_AT_ONCE = 50
"""Few, so that whoever else has a turn waits for tenths of a second."""
FEW_ALERTS = 8
"""Of a post that is decided about as it is taken in: its sender waits for that."""
TIMERS_AT_ONCE = 100
TIMER_PATIENCE = timedelta(seconds=1)
"""How long a timer that is due waits for posts that came before."""
KEPT_AFTER_EXPIRY = timedelta(days=30)
"""How long an expired token is kept, so that whoever uses it is told so and not that it is unknown."""

FORGOTTEN_AT_ONCE = 500
"""Rows of the audit or of the inbox in one transaction."""
MOST_BATCHES = 100
"""Of one hour: what is over by then is left for the next."""

_log = structlog.get_logger()
_T = TypeVar("_T")
_Read = PostContent | PostUnreadable
"""What a post holds, or why it holds nothing."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What came of a turn; it is true where there may be more to do."""

    did: bool
    """Whether there was anything to do."""
    may_go_on: bool
    took: float = 0.0
    """Seconds that it computed, or waited for the database."""

    def __bool__(self) -> bool:
        """Tell whether there may be more."""
        return self.may_go_on


@dataclass(frozen=True, slots=True)
class Timers:
    """The timers of one kind of rows: which are due by a time, and what to do about each."""

    of: str
    due_ids: Callable[[Connection, datetime], tuple[int, ...]]
    fire: Callable[[House, int, datetime], StrEnum | None]


ALL_TIMERS = (
    Timers("incident", partial(incidents.due_ids, limit=TIMERS_AT_ONCE), fire_timer),
    Timers("maintenance", partial(maintenances.due_ids, limit=TIMERS_AT_ONCE), fire_maintenance_timer),
)


def decide_what_is_due(house: House, now: datetime, most: int = ARRIVALS_AT_ONCE) -> Turn:
    """Let everybody have a turn: a few arrivals, `most` of them, mails first, then timers and alarms."""
    with house.store.reading() as connection:
        if not is_to_decide(connection, now):
            return Turn(did=False, may_go_on=False)
    worked = _work_off(house, now, most)
    fired = [_fire_timers(house, now, timers) for timers in ALL_TIMERS]
    is_other = raise_alarms(house, now) or any(fired)
    # fewer arrivals than might have been: none was left
    return Turn(did=worked > 0 or is_other, may_go_on=worked >= most or is_other)


def _work_off(house: House, now: datetime, most: int) -> int:
    """Work off a few arrivals, several posts together, and count them."""

    def alone(row: InboxRow) -> None:
        _work(house, row, now)

    worked = 0
    while worked < most:
        group, left = _Group(house, now), most - worked
        together = inbox.work_off_posts(house.store, group.work, left, begin=group.begin, alone=alone)
        if not together and not inbox.work_off(house.store, alone):
            break
        worked += together or 1
    return worked


class _Group:
    """Posts that are worked off together: all are read before the first one has its effect."""

    def __init__(self, house: House, now: datetime) -> None:
        self._house = house
        self._now = now
        self._read: dict[int, _Read] = {}

    def begin(self, within: Store, rows: Sequence[InboxRow]) -> None:
        """Read them, and say what will be asked about."""
        self._house = replace(self._house, store=within)
        self._read = {row.id: _read_alerts(self._house, row) for row in rows}
        alerts = [
            alert for read in self._read.values() if isinstance(read, PostContent) for alert in read.alerts
        ]
        with within.reading() as connection:
            open_incidents.expect(connection, (alert.entity_id for alert in alerts if alert.entity_id))

    def work(self, _within: Store, row: InboxRow) -> None:
        """Let one have its effect."""
        self._house.notes.waited(row.door, self._now - row.received_at)
        _traced(self._house, row, lambda: _take(self._house, row, self._read[row.id]))


def receive_and_decide(house: House, mail: FetchedMail, now: datetime) -> None:
    """Take a mail in and decide about it at once. Raises StoreUnavailable where it could not be stored."""
    done: list[tuple[InboxRow, str]] = []

    def read(raw: bytes) -> inbox.Effect | None:
        effect = _effect_of_answer(house, raw, now)
        if effect is None:
            return None
        return lambda within, row: done.append((row, _traced(house, row, lambda: effect(within, row))))

    if not (mail.is_news and inbox.receive_with_effect(house.store, mail, read, now=now)):
        inbox.receive_and_work_off(house.store, mail, lambda row: _work(house, row, now), now=now)
        return
    for row, reason in done:  # only now, since somebody waits for the commit
        house.notes.waited(row.door, now - row.received_at)
        _note(house, row, reason)


def receive_post_and_decide(house: House, post: Arrival, now: datetime) -> tuple[int, bool] | None:
    """Take a post in and decide about it, all in one transaction; give its id, and whether it was decided about.

    None where it is to be taken in like all others, as one that is not soon worked off: nothing was stored then. Raises
    StoreUnavailable, and OutcomeUnknown.
    """
    taken = inbox.receive_post_with_effect(house.store, post, lambda post: _effect_of_post(house, post))
    if taken is not None and taken[1]:
        house.notes.waited(post.door, now - post.received_at)
    return taken


def _effect_of_post(house: House, post: Arrival) -> inbox.Effect | None:
    if post.state is not InboxState.PENDING or post.content_key is not None:
        return None
    read = _read_alerts(house, post)
    if isinstance(read, PostUnreadable) or len(read.alerts) > FEW_ALERTS:
        return None
    return lambda within, row: _traced(house, row, lambda: _take(replace(house, store=within), row, read))


def _effect_of_answer(house: House, raw: bytes, now: datetime) -> Callable[[Store, InboxRow], str] | None:
    """Read what may be an employee's answer to a notification, for which somebody waits; None for everything else."""
    try:
        reply = house.read_reply(raw)
    except MailUnreadable:
        return None
    # every bounce is an automatic mail
    if reply.automatic or not reply.tokens or not _is_known(house, reply):
        return None
    judgement = house.judge(raw, reply, now)
    return lambda within, row: act_on_reply(replace(house, store=within), row.id, reply, judgement, now)


def _work(house: House, row: InboxRow, now: datetime) -> None:
    house.notes.waited(row.door, now - row.received_at)
    if row.door is Door.WEBHOOK:
        _traced(house, row, lambda: _work_post(house, row))
    else:
        _traced(house, row, lambda: _work_mail(house, row, now))


def _traced(house: House, row: InboxRow, act: Callable[[], _T]) -> _T:
    """Do something for an arrival, within a span where traces are wanted."""
    if house.notes.traced is None:
        return act()
    with house.notes.traced(Work(row.door, row.id, is_arrival=True, provider=row.provider)):
        return act()


def _work_post(house: House, row: InboxRow) -> None:
    _take(house, row, _read_alerts(house, row))


def _read_alerts(house: House, row: InboxRow | Arrival) -> _Read:
    post = RawPost(row.raw, str(row.about.get("content_type", "")), row.about.get("query", {}))
    try:
        return read_post(row.provider, post, house.config.readings)
    except PostUnreadable as error:
        return error


def _take(house: House, row: InboxRow, read: _Read) -> None:
    if isinstance(read, PostUnreadable):
        with house.store.transaction() as connection:
            finished = InboxState.REFUSED
            inbox_rows.finish(connection, row.id, finished, reason="unreadable", explanation=str(read))
    else:
        take_alerts(house, row.id, read.alerts, row.received_at, complaint=read.complaint)


def _work_mail(house: House, row: InboxRow, now: datetime) -> None:
    try:
        bounce = read_bounce(row.raw, key=house.key)
        reply = None if bounce else house.read_reply(row.raw)
    except MailUnreadable as error:
        with house.store.transaction() as connection:
            finished = InboxState.QUARANTINED
            inbox_rows.finish(connection, row.id, finished, reason="unreadable", explanation=str(error))
        return
    if bounce is not None:
        reason = note_bounce(house, row.id, bounce, now)
    elif reply is not None and (taken := take_mailed_alert(house, row, reply, now)) is not None:
        reason = taken
    elif reply is not None:
        # asked for before the transaction, since it may wait for the DNS
        reason = act_on_reply(house, row.id, reply, _judge(house, row, reply, now), now)
    _note(house, row, reason)


def _judge(house: House, row: InboxRow, reply: Reply, now: datetime) -> Judgement:
    """Judge a reply's sender, if anything hangs on it."""
    if reply.automatic:
        return OF_MACHINE
    return house.judge(row.raw, reply, now) if _is_known(house, reply) else OF_STRANGER


def _is_known(house: House, reply: Reply) -> bool:
    return house.config.employee_by_email(reply.sender or "") is not None


def _note(house: House, row: InboxRow, reason: str) -> None:
    house.notes.took_mail(reason)
    _log.info("mail worked off", inbox_id=row.id, reason=reason)


def timers_until(pending: InboxRow, now: datetime) -> datetime | None:
    """Tell up to which time timers may fire while this arrival is the next to be worked off; None: none may.

    A mail may decide otherwise, so that timers wait for it. A post that came before a timer fell due may be its
    recovery, so that the timer waits for it too, but never longer than TIMER_PATIENCE: posts may come for ever.
    """
    if pending.door is Door.MAIL:
        return None
    return min(now, max(pending.received_at - timedelta.resolution, now - TIMER_PATIENCE))


def _fire_timers(house: House, now: datetime, timers: Timers) -> bool:
    fired = False
    with house.store.reading() as connection:
        due = timers.due_ids(connection, now)
        pending = inbox_rows.next_pending(connection) if due else None
        if pending is not None:
            until = timers_until(pending, now)
            due = timers.due_ids(connection, until) if until else ()
    for row_id in due:
        try:
            reason = _fire(house, timers, row_id, now)
        except IncidentChangedMeanwhile:
            continue  # it is decided again at the next tick, on what it has become
        except StoreUnavailable:
            raise
        except Exception:  # noqa: BLE001  the outermost loop of one timer: the others must go on
            _log.exception("a timer failed", of=timers.of, id=row_id)
            continue
        fired = True
        _log.info("timer fired", of=timers.of, id=row_id, reason=reason)
    return fired


def _fire(house: House, timers: Timers, row_id: int, now: datetime) -> StrEnum | None:
    if house.notes.traced is None:
        return timers.fire(house, row_id, now)
    with house.notes.traced(Work(timers.of, row_id, is_arrival=False)):
        return timers.fire(house, row_id, now)


def keep_house(house: House, now: datetime) -> None:
    """Forget what has ended: sessions at once, tokens after a while, answers that are not given again, old bodies."""
    with house.store.transaction() as connection:
        credentials.sweep(connection, sessions_before=now, tokens_before=now - KEPT_AFTER_EXPIRY)
        given_answers.sweep(connection, now - answering_once.KEPT)
        audience_changes.sweep(connection)
    kept = house.config.retention
    _in_steps(house, lambda connection, limit: audit.sweep(connection, now - kept.audit, limit=limit))
    # a reply that is asked about is read again when it is confirmed
    bodies_since = now - max(kept.inbox, house.config.replies.token_lifetime)
    _in_steps(
        house, lambda connection, limit: inbox_bodies.remove(connection, bodies_since, now, limit=limit)
    )
    arrived_since = now - max(kept.alerts, house.config.replies.token_lifetime)
    _in_steps(house, lambda connection, limit: old_posts.remove(connection, arrived_since, limit=limit))
    # what a reply or a bounce refers to is there as long as either is believed
    queued_since = now - max(kept.deliveries, house.config.replies.token_lifetime)
    _in_steps(
        house, lambda connection, limit: old_deliveries.remove(connection, queued_since, now, limit=limit)
    )


def _in_steps(house: House, forget: Callable[[Connection, int], int]) -> None:
    """Forget a part at a time, each in a transaction of its own: nobody waits for long who writes in between."""
    for _ in range(MOST_BATCHES):
        with house.store.transaction() as connection:
            if forget(connection, FORGOTTEN_AT_ONCE) < FORGOTTEN_AT_ONCE:
                break
