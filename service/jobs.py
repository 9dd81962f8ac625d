"""What is done again and again: work off the inbox, fire timers, queue and send deliveries, keep house.

Each job does what is due at the time it is given and returns whether there may be more.
"""

from datetime import datetime, timedelta

import structlog

from service import inbox
from service.actions.alerts import fire_timer, take_alerts
from service.actions.bouncing import note_bounce, raise_alarms
from service.actions.fan_out import queue_next_chunk
from service.actions.house import House
from service.actions.replying import act_on_reply
from service.errors import IncidentChangedMeanwhile, MailUnreadable, PostUnreadable, StoreUnavailable
from service.mail.authenticity import Judgement, Verdict
from service.mail.bounces import read_bounce
from service.providers.post import RawPost
from service.providers.registry import provider_named
from service.store import credentials, inbox_rows, incidents
from service.store.inbox_rows import Door, InboxRow, InboxState

NOT_JUDGED = Judgement(Verdict.UNKNOWN, "it is no employee's")
TIMERS_AT_ONCE = 100
KEPT_AFTER_EXPIRY = timedelta(days=30)
"""How long an expired token is kept, so that whoever uses it is told so and not that it is unknown."""

_log = structlog.get_logger()


def decide_what_is_due(house: House, now: datetime) -> bool:
    """Work off one arrival or, where none is left, the timers that are due; then the next chunk of mails."""
    if inbox.work_off(house.store, lambda row: _work(house, row, now)):
        return True
    fired = _fire_timers(house, now)
    alarmed = raise_alarms(house, now)
    return queue_next_chunk(house, now) or fired or alarmed


def _work(house: House, row: InboxRow, now: datetime) -> None:
    if row.door is Door.WEBHOOK:
        _work_post(house, row)
    else:
        _work_mail(house, row, now)


def _work_post(house: House, row: InboxRow) -> None:
    post = RawPost(row.raw, str(row.about.get("content_type", "")), row.about.get("query", {}))
    try:
        alerts = provider_named(row.provider).read(post)
    except PostUnreadable as error:
        with house.store.transaction() as connection:
            finished = InboxState.REFUSED
            inbox_rows.finish(connection, row.id, finished, reason="unreadable", explanation=str(error))
        return
    take_alerts(house, row.id, alerts, row.received_at)


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
    elif reply is not None:
        # asked for before the transaction, since it may wait for the DNS
        is_known = house.config.employee_by_email(reply.sender or "") is not None
        judgement = house.judge(row.raw, reply, now) if is_known and not reply.automatic else NOT_JUDGED
        reason = act_on_reply(house, row.id, reply, judgement, now)
    _log.info("mail worked off", inbox_id=row.id, reason=reason)


def _fire_timers(house: House, now: datetime) -> bool:
    fired = False
    with house.store.reading() as connection:
        due = incidents.due_ids(connection, now, limit=TIMERS_AT_ONCE)
    for incident_id in due:
        try:
            reason = fire_timer(house, incident_id, now)
        except IncidentChangedMeanwhile:
            continue  # it is decided again at the next tick, on what it has become
        except StoreUnavailable:
            raise
        except Exception:  # noqa: BLE001  the outermost loop of one timer: the others must go on
            _log.exception("a timer failed", incident=f"INC-{incident_id}")
            continue
        fired = True
        _log.info("timer fired", incident=f"INC-{incident_id}", reason=reason)
    return fired


def keep_house(house: House, now: datetime) -> None:
    """Forget what has ended: sessions at once, tokens after a while."""
    with house.store.transaction() as connection:
        credentials.sweep(connection, sessions_before=now, tokens_before=now - KEPT_AFTER_EXPIRY)
