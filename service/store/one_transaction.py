"""A store whose every transaction is a part of one that is open already: to do a thing and to note it together."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from service.store.database import Store


class OneTransaction(Store):
    """Hands out one connection again and again; whoever opened its transaction commits it, or nothing of it."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection.engine)
        self._connection = connection

    @contextmanager
    def transaction(
        self, *, durable: bool = True, alone: bool = True, impatient: bool = False
    ) -> Iterator[Connection]:
        """Give the connection; how its changes are committed was told when its transaction began."""
        del durable, alone, impatient
        yield self._connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give the connection, which sees what it changed."""
        yield self._connection
