"""What becomes of a delivery after an attempt: sent, tried again, or given up. It never sends."""

from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection

from service.errors import AnswerLost, RecipientRefused, RecipientRefusedForNow, ReplycastError
from service.mail.bounce_words import is_no_address
from service.model import Delivery, DeliveryKind
from service.outbox.attempts import Outcome
from service.outbox.relay import retry_after
from service.store import deliveries, fan_outs, in_doubt, subscribers

LEASE = timedelta(minutes=10)
"""Longer than any batch takes; after it, what a dead process had claimed falls due again."""
USEFUL_FOR = timedelta(days=3)
SHORT_LIVED = {DeliveryKind.LOGIN_LINK: timedelta(minutes=15)}
SUSPICIOUS_AFTER = 3
"""After so many attempts it may be the mail itself that the relay hangs up on."""

_log = structlog.get_logger()


def record(
    connection: Connection, delivery: Delivery, error: ReplycastError | None, now: datetime
) -> Outcome:
    """Note what came of an attempt: None is success, RecipientRefusedForNow is tried again while it is of use.

    AnswerLost is tried again too, and its reader counts as having heard until an answer tells.
    A subscriber whose address does not exist, as the relay says, is given up, as it is where a bounce says so.
    """
    if error is None:
        deliveries.mark_sent(connection, delivery.id, now)
        return Outcome.SENT
    if isinstance(error, AnswerLost):
        in_doubt.note(connection, delivery.id, now)
    retry_at = now + retry_after(delivery.attempts)
    useful_until = delivery.created_at + SHORT_LIVED.get(delivery.kind, USEFUL_FOR)
    if isinstance(error, RecipientRefusedForNow) and retry_at < useful_until:
        put_off(connection, delivery, retry_at, str(error))
        return Outcome.DEFERRED
    deliveries.mark_failed(connection, delivery.id, now, str(error))
    if delivery.subscriber_id is not None and delivery.update_id is not None:
        fan_outs.cancel_unheard(connection, delivery)
    is_mail = delivery.kind is not DeliveryKind.WEBHOOK_CALL
    if is_mail and delivery.subscriber_id is not None and isinstance(error, RecipientRefused):
        _give_up_where_nobody_is(connection, delivery.subscriber_id, str(error), now)
    _log.warning("outbox: a mail failed for good", delivery=delivery.public_id, kind=delivery.kind)
    return Outcome.FAILED


def put_off(
    connection: Connection,
    claimed: Delivery,
    due_at: datetime,
    error: str,
    *,
    doubted_at: datetime | None = None,
) -> None:
    """Try it again at a later time, unless somebody else has claimed it since; `doubted_at`: it may have arrived."""
    if doubted_at is not None:
        in_doubt.note(connection, claimed.id, doubted_at)
    if deliveries.still_claimed(connection, [claimed]):
        deliveries.postpone(connection, claimed.id, due_at, error)


def _give_up_where_nobody_is(connection: Connection, subscriber_id: int, said: str, now: datetime) -> None:
    if is_no_address(said):
        subscribers.suppress(connection, subscriber_id, now, said)
        deliveries.cancel_of_subscriber(connection, subscriber_id, "the relay knows no such address")
