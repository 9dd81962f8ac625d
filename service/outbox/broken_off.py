"""What becomes of a mail under which a session broke: the relay may be to blame, or the mail. It never sends."""

from datetime import datetime
from functools import partial

from service.errors import AnswerLost, RecipientRefusedForNow
from service.model import Delivery
from service.outbox.outcomes import SUSPICIOUS_AFTER, put_off
from service.outbox.recording import Recorder
from service.outbox.relay import FIRST_PAUSE, retry_after
from service.outbox.unrecorded import Attempt, unrecorded_of
from service.store.database import Store


async def settle(
    store: Store, recorder: Recorder, delivery: Delivery, said: str, now: datetime, *, is_in_doubt: bool
) -> None:
    """Put off the mail under which a session broke; the attempt counts, for it may be to blame."""
    if delivery.attempts >= SUSPICIOUS_AFTER:
        # it steps back, so that the others go on
        refusal = AnswerLost if is_in_doubt else RecipientRefusedForNow
        await recorder.note(delivery, refusal(said))
        return
    try_later(store, delivery, said, now, is_in_doubt=is_in_doubt)


def try_later(store: Store, delivery: Delivery, said: str, now: datetime, *, is_in_doubt: bool) -> None:
    """Put it off; for longer where it may have arrived."""
    pause = retry_after(delivery.attempts) if is_in_doubt else FIRST_PAUSE
    doubted_at = now if is_in_doubt else None
    write = partial(put_off, claimed=delivery, due_at=now + pause, error=said, doubted_at=doubted_at)
    unrecorded_of(store).record(store, Attempt(delivery, write))
