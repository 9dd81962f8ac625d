"""Which secret key a database belongs to: what one key derived, another one does not open. It never stores a key."""

import hmac
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from service.errors import PermanentFault
from service.mail.compose import unsubscribe_token
from service.mail.tokens import hash_token, keyed_digest
from service.store import audit, credentials, observing, subscriber_lists
from service.store.database import Store
from service.store.observing import Queue

_NAME: Final = "key_check"
"""What `instance` calls it."""
_SAID: Final = b"replycast: this database belongs to the key that gives this digest"


class KeyDiffers(PermanentFault):
    """The database belongs to another secret key: links and tokens that two keys derive do not go together."""


def key_check(key: bytes) -> str:
    """Give what a database remembers of a key: a digest of what is no secret, which opens nothing."""
    return keyed_digest(key, _SAID).hex()


def demand_key(connection: Connection, key: bytes, place: str) -> None:
    """Raise KeyDiffers where the database belongs to another key; a database without one belongs to this from now on.

    `place` is where this key was read.
    """
    own = key_check(key)
    known = credentials.instance_value(connection, _NAME, own)
    if not hmac.compare_digest(known, own):
        raise KeyDiffers(
            f"the database belongs to another secret key than the one in {place}: give every instance the key "
            "that the first one began with (or stop them all and let `replycast accept-key` change it)"
        )


def accept_key(store: Store, key: bytes, now: datetime) -> tuple[int, int] | None:
    """Let a database belong to this key from now on; None: it did already.

    The links by which subscribers leave are derived anew. Gives how many subscribers there are, and how many mails to
    employees and for sign-ups wait, whose tokens will not work. Raises StoreUnavailable.
    """
    own = key_check(key)
    with store.transaction() as connection:
        if hmac.compare_digest(credentials.instance_value(connection, _NAME, own), own):
            return None
        credentials.put_instance_value(connection, _NAME, own)
        renewed = subscriber_lists.renew_unsubscribe_hashes(
            connection, lambda public_id: hash_token(unsubscribe_token(key, public_id))
        )
        waiting = observing.waiting_deliveries(connection)[Queue.EMPLOYEES].count
        audit.note(connection, now, audit.COMMAND_LINE, "key_accepted")
    return renewed, waiting
