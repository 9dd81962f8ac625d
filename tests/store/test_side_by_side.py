"""What several instances, or several threads of one, may do to one database of PostgreSQL at the same moment."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import IntegrityError

from service.errors import StoreUnavailable
from service.model import DeliveryKind
from service.store import deliveries, inbox_rows, postgresql_engine
from service.store.database import Store, open_store
from service.store.deliveries import NewDelivery
from service.store.inbox_rows import Arrival, Door
from service.store.postgresql import WRITERS
from service.store.schema import instance
from tests.store.databases import fresh_database, needs_postgresql
from tests.store.postgres import server
from tests.store.rows import NOW

pytestmark = needs_postgresql
INSTANCES = 4
STARTS = """
import sys
from service.store.database import open_store
store = open_store(sys.argv[1])
print(store.engine.dialect.name)
store.close()
"""


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    with fresh_database("postgresql", tmp_path) as url:
        yield url


@pytest.fixture
def pair(address: str) -> Iterator[tuple[Store, Store]]:
    with closing(open_store(address)) as one, closing(open_store(address)) as other:
        yield one, other


@contextmanager
def busy(store: Store) -> Iterator[None]:
    """Be in the middle of a transaction that decides."""
    with store.transaction() as connection:
        connection.execute(select(instance.c.name))
        yield


def arrival() -> Arrival:
    return Arrival(Door.WEBHOOK, NOW, b"{}", provider="victorops")


def name_of(address: str) -> str:
    return address.partition("?")[0].rpartition("/")[2]


def test_instances_that_start_at_once_migrate_once() -> None:
    with server().database(template="template1") as address:
        started = [
            subprocess.Popen(
                [sys.executable, "-c", STARTS, address], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
            )
            for _ in range(INSTANCES)
        ]
        said = [one.communicate(timeout=60)[0].decode() for one in started]
    assert said == ["postgresql\n"] * INSTANCES


def test_instances_that_start_at_once_on_sqlite_migrate_once(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path / 'new.db'}"
    started = [
        subprocess.Popen(
            [sys.executable, "-c", STARTS, address], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        for _ in range(INSTANCES)
    ]
    assert [one.communicate(timeout=60)[0].decode() for one in started] == ["sqlite\n"] * INSTANCES


def test_who_decides_waits_for_who_decides(pair: tuple[Store, Store]) -> None:
    with ThreadPoolExecutor(1) as threads, busy(pair[0]):
        began = threading.Event()

        def write() -> str:
            began.set()
            with pair[1].transaction() as connection:
                return str(connection.execute(select(instance.c.value)).scalar_one())

        waiting = threads.submit(write)
        assert began.wait(5)
        with pair[0].transaction(alone=False) as connection:
            connection.execute(insert(instance).values(name="seen", value="before"))
        assert not waiting.done()
    assert waiting.result(5) == "before"


def test_what_waits_too_long_is_unavailable(
    pair: tuple[Store, Store], address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql_engine, "AT_CONNECT", ("SET lock_timeout = '20ms'",))
    with (
        closing(open_store(address)) as hasty,
        busy(pair[0]),
        pytest.raises(StoreUnavailable, match="lock timeout"),
        hasty.transaction() as waiting,
    ):
        del waiting


def test_a_post_waits_for_nobody_who_decides(pair: tuple[Store, Store]) -> None:
    with busy(pair[0]), pair[1].transaction(alone=False) as connection:
        assert len(inbox_rows.add_many(connection, [arrival(), arrival()])) == 2


def test_who_reads_waits_for_nobody(pair: tuple[Store, Store]) -> None:
    with busy(pair[0]), pair[1].reading() as connection:
        assert inbox_rows.count_pending(connection) == 0


def test_two_who_claim_at_once_share_what_is_due(pair: tuple[Store, Store]) -> None:
    new = [
        NewDelivery(f"{number:032x}", f"o{number}", DeliveryKind.APPROVAL, f"{number}@x.example")
        for number in range(20)
    ]
    with pair[0].transaction() as connection:
        deliveries.queue(connection, new, NOW)
    lease = timedelta(minutes=10)
    with pair[0].transaction(alone=False) as first, pair[1].transaction(alone=False) as second:
        claims = [
            deliveries.claim_due(connection, NOW, urgent=True, lease=lease, limit=limit)
            for connection, limit in ((first, 5), (second, 5), (first, 20), (second, 20))
        ]
    assert [len(claim) for claim in claims] == [5, 5, 10, 0]
    assert len({one.id for claim in claims for one in claim}) == 20


def test_after_a_restart_of_the_server_the_next_transaction_is_as_any(
    pair: tuple[Store, Store], address: str
) -> None:
    with pair[0].transaction() as connection:
        inbox_rows.add_many(connection, [arrival()])
    server().end_connections(name_of(address))
    with pair[0].transaction() as connection:
        inbox_rows.add_many(connection, [arrival()])
    with pair[0].reading() as connection:
        assert inbox_rows.count_pending(connection) == 2


def test_a_connection_that_breaks_within_a_transaction_is_unavailable_and_leaves_nothing(
    pair: tuple[Store, Store], address: str
) -> None:
    def write() -> None:
        with pair[0].transaction() as connection:
            inbox_rows.add_many(connection, [arrival()])
            server().end_connections(name_of(address))
            inbox_rows.count_attempt(connection, 1)

    with pytest.raises(StoreUnavailable, match="cannot be used just now"):
        write()
    with pair[0].reading() as connection:
        assert inbox_rows.count_pending(connection) == 0


def test_a_statement_that_takes_too_long_is_unavailable(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql_engine, "AT_CONNECT", ("SET statement_timeout = '50ms'",))
    with (
        closing(open_store(address)) as store,
        pytest.raises(StoreUnavailable, match="statement timeout"),
        store.reading() as connection,
    ):
        connection.execute(text("SELECT pg_sleep(5)"))


@pytest.mark.parametrize(
    "address",
    ["postgresql://nobody@127.0.0.1:1/none", "postgresql://postgres@/none?host=/nowhere/at/all"],
)
def test_a_server_that_is_not_there_is_unavailable(address: str) -> None:
    with pytest.raises(StoreUnavailable, match="the database cannot be used just now"):
        open_store(address)


def test_a_database_that_is_not_there_is_unavailable() -> None:
    with pytest.raises(StoreUnavailable, match='database "none" does not exist'):
        open_store(server().url("none"))


def test_a_standby_that_only_reads_is_unavailable(pair: tuple[Store, Store]) -> None:
    def write() -> None:
        with pair[0].transaction() as connection:
            connection.execute(text("SET TRANSACTION READ ONLY"))
            connection.execute(insert(instance).values(name="a", value="b"))

    with pytest.raises(StoreUnavailable, match="read-only transaction"):
        write()


def test_a_fault_does_not_say_which_key_was_there(pair: tuple[Store, Store]) -> None:
    add = insert(instance).values(name="a-secret-key", value="x")
    with pair[0].transaction() as connection:
        connection.execute(add)
    with (
        pair[0].transaction() as connection,
        pytest.raises(IntegrityError, match="unique constraint") as caught,
    ):
        connection.execute(add)
    assert "a-secret-key" not in str(caught.value)


def test_times_are_in_utc_whatever_the_server_says(pair: tuple[Store, Store]) -> None:
    with pair[0].reading() as connection:
        assert connection.execute(text("SHOW TimeZone")).scalar_one() == "UTC"


def test_what_does_not_wait_for_the_disk_says_so_for_its_transaction_alone(pair: tuple[Store, Store]) -> None:
    shown = text("SHOW synchronous_commit")
    with pair[0].transaction(durable=False) as connection:
        assert connection.execute(shown).scalar_one() == "off"
    with pair[0].transaction() as connection:
        assert connection.execute(shown).scalar_one() == "on"


def test_the_line_ends_with_the_transaction(pair: tuple[Store, Store]) -> None:
    held = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = :low")
    low = {"low": WRITERS & 0xFFFF_FFFF}
    with busy(pair[0]), pair[1].reading() as other:
        assert other.execute(held, low).scalar_one() == 1
    with pair[1].reading() as other:
        assert other.execute(held, low).scalar_one() == 0
