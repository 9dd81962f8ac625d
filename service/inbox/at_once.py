"""Stores what arrives and lets it have its effect at once, where somebody waits: a mail, or a post that comes alone.

Never before those that wait already. What cannot be done so is stored, and worked off like all others.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

import structlog

from service.errors import IncidentChangedMeanwhile, OutcomeUnknown, StoreUnavailable, TemporaryFault
from service.inbox.mails import mail_arrival
from service.inbox.working_off import Effect, try_to_work_off
from service.mail.imap import FetchedMail
from service.store import inbox_rows
from service.store.database import Store
from service.store.inbox_rows import Arrival, InboxRow
from service.store.one_transaction import OneTransaction

_log = structlog.get_logger()


def receive_with_effect(
    store: Store, mail: FetchedMail, read: Callable[[bytes], Effect | None], *, now: datetime
) -> bool:
    """Store a mail of the mailbox and let it have its effect in one transaction, never before those that wait already.

    Only for one that cannot be what ended this process before: while it is tried, nothing but the mailbox has it.
    `read` is asked before the transaction for what is to be done. Where it gives None, or anything fails, False is
    returned and nothing was stored: `receive_and_work_off` does better. Raises StoreUnavailable likewise.
    """
    try:
        effect = read(mail.raw)
        if effect is None:
            return False
        arrival = mail_arrival(mail, now)
        with store.transaction() as connection:
            row = inbox_rows.add_mail_to_try(connection, arrival)
            if row is not None:
                effect(OneTransaction(connection), row)
    except StoreUnavailable:
        raise
    except Exception:  # noqa: BLE001  the outermost loop of one arrival: once it is stored, it fails by itself
        _log.exception("inbox: a mail failed before it was stored", uid=mail.uid)
        return False
    return True


def receive_and_work_off(
    store: Store, mail: FetchedMail, work: Callable[[InboxRow], None], *, now: datetime
) -> None:
    """Store a mail of the mailbox and let it have its effect at once, but never before those that wait already.

    It is on disk when this returns: the commit of its effect takes it there, so that one wait for the disk does
    for both; where it had none, it is waited for here. Raises StoreUnavailable where it could not be stored.
    """
    with store.transaction(durable=False) as connection:
        row = inbox_rows.add_mail_to_try(connection, mail_arrival(mail, now))
    is_on_disk = False
    with suppress(TemporaryFault):  # it waits for the next `work_off`
        is_on_disk = row is not None and try_to_work_off(store, row, work)
    if not is_on_disk:
        with store.transaction() as connection:
            inbox_rows.touch_newest(connection)


def receive_post_with_effect(
    store: Store, post: Arrival, read: Callable[[Arrival], Effect | None]
) -> tuple[int, bool] | None:
    """Store a post and let it have its effect in one transaction; give its id, and whether it had its effect.

    It has none yet where others wait, behind which it is stored. `read` is asked before the transaction for what is to
    be done. Where it gives None, where anything fails, and where on PostgreSQL somebody else is alone, None is returned
    and nothing was stored: it is to be taken in like all others. Raises StoreUnavailable where nobody else would do
    better, and OutcomeUnknown where it may have been stored.
    """
    try:
        effect = read(post)
        if effect is None:
            return None
        with store.transaction(impatient=True) as connection:
            inbox_id, row = inbox_rows.add_post_to_try(connection, post)
            if row is not None:
                effect(OneTransaction(connection), row)
    except OutcomeUnknown:
        raise
    except StoreUnavailable:
        if store.engine.dialect.name == "sqlite":
            raise  # it has waited already as long as any post does
        return None
    except IncidentChangedMeanwhile:
        return None
    except Exception:  # noqa: BLE001  the outermost loop of one arrival: once it is stored, it fails by itself
        _log.exception("inbox: a post failed before it was stored", provider=post.provider)
        return None
    return inbox_id, row is not None
