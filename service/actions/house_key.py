"""Which secret key a database belongs to: what one key derived, another one does not open. It never stores a key."""

import hmac
import re
from collections.abc import Iterator
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
_WRITTEN_OUT: Final = re.compile(rb"[0-9A-Fa-f]{64}")
"""How a key file says its key, which is bytes; as a setting of config.yaml the same digits are a key as they stand."""


class KeyDiffers(PermanentFault):
    """The database belongs to another secret key: links and tokens that two keys derive do not go together."""


def key_check(key: bytes) -> str:
    """Give what a database remembers of a key: a digest of what is no secret, which opens nothing."""
    return keyed_digest(key, _SAID).hex()


def remembered(connection: Connection) -> str | None:
    """Give what a database remembers of its key; None: it has none yet, and takes the first that it is shown."""
    return credentials.known_instance_value(connection, _NAME)


def known_as(key: bytes, check: str) -> bytes | None:
    """Give the key that a database means by what it remembers, as it is or as the digits of a key file; None: another.

    What stands in a key file may be copied into config.yaml, as people do: it is that key there too.
    """
    return next((form for form in _forms(key) if hmac.compare_digest(key_check(form), check)), None)


def _forms(key: bytes) -> Iterator[bytes]:
    yield key
    if _WRITTEN_OUT.fullmatch(key):
        yield bytes.fromhex(key.decode())


def demand_key(connection: Connection, key: bytes, place: str) -> bytes:
    """Give the key as the database means it; a database without one belongs to this one from now on.

    `place` is where this key was read. Raises KeyDiffers where the database belongs to another one.
    """
    known = known_as(key, credentials.instance_value(connection, _NAME, key_check(key)))
    if known is None:
        raise KeyDiffers(
            f"the database belongs to another secret key than the one in {place}: give every instance the key "
            "that the first one began with (or stop them all and let `replycast accept-key` change it, after which "
            "links in mails that were sent no longer work)"
        )
    return known


def accept_key(store: Store, key: bytes, now: datetime) -> tuple[int, int] | None:
    """Let a database belong to this key from now on; None: it did already.

    The links by which subscribers leave are derived anew. Gives how many subscribers there are, and how many mails to
    employees and for sign-ups wait, whose tokens will not work. Raises StoreUnavailable.
    """
    own = key_check(key)
    with store.transaction() as connection:
        if known_as(key, credentials.instance_value(connection, _NAME, own)):
            return None
        credentials.put_instance_value(connection, _NAME, own)
        renewed = subscriber_lists.renew_unsubscribe_hashes(
            connection, lambda public_id: hash_token(unsubscribe_token(key, public_id))
        )
        waiting = observing.waiting_deliveries(connection)[Queue.EMPLOYEES].count
        audit.note(connection, now, audit.COMMAND_LINE, "key_accepted")
    return renewed, waiting
