"""Lets other instances hear at once that there is something new, by PostgreSQL's NOTIFY, once it is committed.

Who writes marks its transaction; nothing is told of one that is rolled back. What is heard is a hint and says nothing
else: a hint that is lost costs a second, until the next tick. On SQLite there is nobody to tell but this process.
"""

from typing import Final

from sqlalchemy import Connection

from service.store.statements import tell as say

CHANNEL: Final = "replycast"
_IS_NEWS: Final = "replycast_news"
_IS_TO_SEND: Final = "replycast_to_send"


def mark(connection: Connection) -> None:
    """Let the others hear of this transaction: something arrived, is to be sent, or employees see something new."""
    if connection.dialect.name == "postgresql":
        connection.info[_IS_NEWS] = True


def mark_to_send(connection: Connection) -> None:
    """Let the senders of this process hear of it, and the others: there is something to send."""
    connection.info[_IS_TO_SEND] = True
    mark(connection)


def is_to_send(connection: Connection) -> bool:
    """Tell, once, whether this transaction was marked so."""
    return bool(connection.info.pop(_IS_TO_SEND, False))


def forget(connection: Connection) -> None:
    """Begin with nothing to tell, whatever became of the connection's last transaction."""
    connection.info.pop(_IS_NEWS, None)
    connection.info.pop(_IS_TO_SEND, None)


def tell(connection: Connection, voice: str) -> None:
    """Tell the others with the commit that follows, where this transaction was marked.

    By its `voice`, letters and digits, a store knows what it told itself.
    """
    if connection.info.pop(_IS_NEWS, False):
        say(connection, f"NOTIFY {CHANNEL}, '{voice}'")
