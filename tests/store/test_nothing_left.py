"""A process that can open nothing more for a while: what the database says then, and that all goes on afterwards."""

import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from service.errors import StoreUnavailable
from service.store import hearing
from service.store.database import Store, open_store
from service.store.kept_locks import KeptLock
from service.store.patient_connections import PatientConnection
from tests.descriptors import nothing_can_be_opened
from tests.store.databases import fresh_database, needs_postgresql

PATIENCE = 30.0
END_LISTENING = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND query LIKE '%LISTEN%' AND pid <> pg_backend_pid()
"""


@pytest.mark.parametrize("left", range(3))
def test_a_database_that_cannot_be_opened_is_unavailable_and_the_log_says_what_there_is_nothing_left_of(
    store: Store, left: int
) -> None:
    with store.reading():
        pass
    store.close()

    def read() -> None:
        with store.reading() as first, store.reading() as second:
            pytest.fail(f"it was opened: {first, second}")

    with nothing_can_be_opened(but=left), pytest.raises(StoreUnavailable) as fault:
        read()
    assert left or "this process has no file descriptor left" in str(fault.value)
    with store.reading() as connection:
        assert connection.execute(text("SELECT 1")).scalar_one() == 1


@pytest.fixture
def postgresql(tmp_path: Path) -> Iterator[Store]:
    with fresh_database("postgresql", tmp_path) as url, closing(open_store(url)) as opened:
        yield opened


@needs_postgresql
def test_a_lock_that_could_not_be_asked_for_is_not_held(postgresql: Store) -> None:
    lock = KeptLock(postgresql, 7)
    postgresql.close()
    with nothing_can_be_opened(but=1):
        assert not lock.take(7)
    assert lock.take(7)
    lock.let_go()


@needs_postgresql
def test_who_hears_what_others_tell_goes_on_once_there_are_descriptors(
    postgresql: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hearing, "PAUSE", 0.01)
    tried, heard, connect = threading.Semaphore(0), threading.Event(), PatientConnection.connect

    def try_to_connect(*given: object, **named: object) -> object:
        try:
            return connect(*given, **named)  # type: ignore[arg-type]  # as it is called
        finally:
            tried.release()

    with hearing.hearing(postgresql, heard.set):
        monkeypatch.setattr(PatientConnection, "connect", try_to_connect)
        assert heard.wait(PATIENCE)
        heard.clear()
        # a connection that is in nobody's hands would be the next to hear by
        with postgresql.reading() as connection, nothing_can_be_opened():
            end_listening(connection)
            for _ in range(2):
                assert tried.acquire(timeout=PATIENCE)
            assert not heard.is_set()
        assert heard.wait(PATIENCE)


def end_listening(connection: Connection) -> None:
    """End the connection that hears, as a server does."""
    assert connection.execute(text(END_LISTENING)).all() == [(True,)]
