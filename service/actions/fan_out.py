"""Turning an update into one delivery per subscriber, in chunks, so that publishing is instant for any number."""

from datetime import datetime, timedelta

from service.actions.audience import audience_of
from service.actions.house import House
from service.model import DeliveryKind, Update, UpdateStatus
from service.store import audience, fan_outs, narrative
from service.store.deliveries import ALONE
from service.store.fan_outs import Chunk

CHUNK = 1_000
"""Deliveries per transaction: others write in between."""
CALLED_OFF = "the incident was over before it was sent"


def queue_next_chunk(
    house: House,
    now: datetime,
    *,
    chunk: int = CHUNK,
    lease: timedelta | None = None,
    claimed_by: int = ALONE,
) -> Chunk | None:
    """Take the next step of the oldest update that not everybody has a delivery of; None where there is none.

    `audience_of` says who hears of it. With a lease the mails are claimed by whoever took the step. Once an
    incident is over, its earlier updates reach nobody any more: their fan-out stops, and before the last one goes
    out what has not left yet is cancelled, a chunk at a time. So who did not hear "open" hears nothing of the end,
    and who did, or may have, hears it.
    """
    with house.store.reading() as connection:
        fan_out = narrative.next_fan_out(connection)
        if fan_out is None:
            return None
        counted, is_new = fan_out.update.id, fan_out.cursor == 0
        reach = audience.count(connection, audience_of(connection, house, fan_out.update)) if is_new else None
    with house.store.transaction() as connection:
        fan_out = narrative.next_fan_out(connection)
        if fan_out is None:
            return None
        if fan_out.update.id != counted:
            # another instance has ended it meanwhile, and who hears of the next one is to be counted
            return Chunk()
        update, cursor = fan_out.update, fan_out.cursor
        if fan_outs.is_outdated(connection, update):
            narrative.advance_fan_out(connection, update.id, cursor=cursor, finished_at=now)
            return Chunk()
        # once the end goes out nothing is taken back: whoever's beginning still waits by then gets both
        ends_now = cursor == 0 and fan_outs.is_end(connection, update)
        if ends_now and fan_outs.cancel_unsent(connection, update, CALLED_OFF, limit=chunk):
            return Chunk()
        if reach is not None:
            fan_outs.begin(connection, update.id, reach.total, now)
        wanted = audience_of(connection, house, update)
        span = audience.next_to_tell(
            connection, wanted, posted_at=update.posted_at, after_id=cursor, limit=chunk
        )
        queued = Chunk()
        if span is not None:
            told = update, _kind(update), span, now
            queued = fan_outs.queue(connection, *told, lease=lease, claimed_by=claimed_by)
        narrative.advance_fan_out(
            connection,
            update.id,
            cursor=span.last_id if span else cursor,
            finished_at=now if span is None or span.number < chunk else None,
        )
        return queued


def _kind(update: Update) -> DeliveryKind:
    if update.maintenance_id is not None:
        return DeliveryKind.MAINTENANCE_UPDATE
    is_post_mortem = update.status is UpdateStatus.POSTMORTEM
    return DeliveryKind.SUBSCRIBER_POSTMORTEM if is_post_mortem else DeliveryKind.SUBSCRIBER_UPDATE
