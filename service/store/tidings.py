"""Lets other instances hear at once that there is something new, by PostgreSQL's NOTIFY, once it is committed.

Who writes marks its transaction; nothing is told of one that is rolled back. What is heard is a hint and says nothing
else: a hint that is lost costs a second, until the next tick. On SQLite there is nobody to tell but this process.
"""

from enum import StrEnum
from typing import Final

from sqlalchemy import Connection

from service.store.statements import tell as say

CHANNEL: Final = "replycast"
_IS_NEWS: Final = "replycast_news"
_TO_SEND: Final = "replycast_to_send"


class ToSend(StrEnum):
    """What there is to send, of which each has its own sender."""

    MAILS = "mails"
    """For which a person waits."""
    UPDATES = "updates"
    """Mails for subscribers, and whatever is to be queued for them."""
    CALLS = "calls"
    """Of subscribers' webhooks."""


def mark(connection: Connection) -> None:
    """Let the others hear of this transaction: something arrived, is to be sent, or employees see something new."""
    if connection.dialect.name == "postgresql":
        connection.info[_IS_NEWS] = True


def mark_to_send(connection: Connection, what: ToSend) -> None:
    """Let its sender in this process hear of it, and the others: there is something to send."""
    connection.info.setdefault(_TO_SEND, set()).add(what)
    mark(connection)


def to_send(connection: Connection) -> frozenset[ToSend]:
    """Tell, once, what this transaction was marked with."""
    return frozenset(connection.info.pop(_TO_SEND, ()))


def forget(connection: Connection) -> None:
    """Begin with nothing to tell, whatever became of the connection's last transaction."""
    connection.info.pop(_IS_NEWS, None)
    connection.info.pop(_TO_SEND, None)


def tell(connection: Connection, voice: str) -> None:
    """Tell the others with the commit that follows, where this transaction was marked.

    By its `voice`, letters and digits, a store knows what it told itself.
    """
    if connection.info.pop(_IS_NEWS, False):
        say(connection, f"NOTIFY {CHANNEL}, '{voice}'")
