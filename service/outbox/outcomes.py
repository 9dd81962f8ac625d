"""What becomes of a delivery after an attempt: sent, tried again, or given up. It never sends."""

from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection

from service.errors import RecipientRefusedForNow, ReplycastError
from service.model import Delivery, DeliveryKind
from service.outbox.relay import retry_after
from service.store import deliveries, fan_outs

LEASE = timedelta(minutes=10)
"""Longer than any batch takes; after it, what a dead process had claimed falls due again."""
USEFUL_FOR = timedelta(days=3)
SHORT_LIVED = {DeliveryKind.LOGIN_LINK: timedelta(minutes=15)}
SUSPICIOUS_AFTER = 3
"""After so many attempts it may be the mail itself that the relay hangs up on."""

_log = structlog.get_logger()


def record(connection: Connection, delivery: Delivery, error: ReplycastError | None, now: datetime) -> None:
    """Note what came of an attempt: None is success, RecipientRefusedForNow is tried again while it is of use."""
    if error is None:
        deliveries.mark_sent(connection, delivery.id, now)
        return
    retry_at = now + retry_after(delivery.attempts)
    useful_until = delivery.created_at + SHORT_LIVED.get(delivery.kind, USEFUL_FOR)
    if isinstance(error, RecipientRefusedForNow) and retry_at < useful_until:
        deliveries.postpone(connection, delivery.id, retry_at, str(error))
        return
    deliveries.mark_failed(connection, delivery.id, now, str(error))
    if delivery.subscriber_id is not None and delivery.update_id is not None:
        fan_outs.cancel_unheard(connection, delivery)
    _log.warning("outbox: a mail failed for good", delivery=delivery.public_id, kind=delivery.kind)
