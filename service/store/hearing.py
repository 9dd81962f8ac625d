"""Hears what other instances on the same database tell, in a thread of its own. It decides nothing."""

import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy.exc import SQLAlchemyError

from service.errors import StoreUnavailable
from service.store import tidings
from service.store.database import Store
from service.store.kept_locks import OF_ITS_OWN

if TYPE_CHECKING:
    import psycopg

SLICE: Final = 0.5
"""Seconds after which it looks whether it is to end."""
PAUSE: Final = 1.0
"""Seconds before it connects again, where the database is away or broke off."""
PATIENCE: Final = 5.0


@contextmanager
def hearing(store: Store, heard: Callable[[], None]) -> Iterator[None]:
    """Let `heard` be called, from another thread, soon after another instance committed something new.

    It waits until it hears, for five seconds at most.
    It is also called after each connecting, since what was told before is not told again. While the database is away
    nothing is heard, and nothing fails. On SQLite there is no other instance.
    """
    if store.engine.dialect.name != "postgresql":
        yield
        return
    stop, hears = threading.Event(), threading.Event()

    def connected() -> None:
        hears.set()
        heard()

    given = store, connected, heard, stop
    thread = threading.Thread(target=_hear, args=given, name="hearing", daemon=True)
    thread.start()
    hears.wait(PATIENCE)
    try:
        yield
    finally:
        stop.set()
        with suppress(StoreUnavailable), store.transaction(durable=False, alone=False) as connection:
            tidings.mark(connection)  # our own voice, too, ends its waiting
        thread.join(PATIENCE)


def _hear(
    store: Store, connected: Callable[[], None], heard: Callable[[], None], stop: threading.Event
) -> None:
    while not stop.is_set():
        with suppress(SQLAlchemyError, store.engine.dialect.loaded_dbapi.Error):
            _hear_until_it_breaks(store, connected, heard, stop)
        stop.wait(PAUSE)


def _hear_until_it_breaks(
    store: Store, connected: Callable[[], None], heard: Callable[[], None], stop: threading.Event
) -> None:
    with closing(store.engine.raw_connection()) as kept:
        # it waits for ever, and never goes back to where others take theirs from
        kept.detach()
        connection: psycopg.Connection[Any] = kept.dbapi_connection  # type: ignore[assignment]  # SQLAlchemy's is any
        connection.execute("; ".join((*OF_ITS_OWN, f"LISTEN {tidings.CHANNEL}")).encode())
        connected()
        while not stop.is_set():
            for told in connection.notifies(timeout=SLICE):
                if stop.is_set():
                    return
                if told.payload != store.voice:
                    heard()
